"""Any size: whether a network that resizes its images gives the pixels of Pillow, and the classes.

The examples and images of odd sizes go through the network in their own size, in a new process. The
pixels within it are compared with those that Pillow gives, and the probabilities with those of the
same image that Pillow has resized.
"""

from pathlib import Path

from convlens.classifier.classifier import Classifier
from convlens.errors import ExportError
from convlens.export.process import run_program
from convlens.export.proof import AnySize
from convlens.language import _

LEVELS = 1  # of 255; by so much a resized pixel may differ
DIFFERENCE = 0.02  # of a probability; divided by a temperature below 1
# The program that runs in the new process, with the folder and the file of its answers.
# not translated: it is code
PROGRAM = """
import json, sys
import numpy as np
from PIL import Image
folder, found = sys.argv[1:]
sys.path.insert(0, folder)
import predict
network = predict.Network(folder)
seen = network.facts["preprocessing"]
path = network.folder / network.facts["model"]
if network.facts["format"] == "onnx":
    import onnx, onnxruntime
    model = onnx.load(path)
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info("resized"))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    resize = lambda images: session.run(["resized"], {"images": images})[0]
else:
    import openvino
    model = openvino.Core().read_model(path)
    model.add_outputs("resized")
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(model, "CPU", settings)
    resize = lambda images: compiled({"images": images})["resized"]
names = json.loads((network.folder / "examples.json").read_text(encoding="utf-8"))
images = [network.read_whole(network.folder / "examples" / name) for name in names]
rng = np.random.default_rng(0)
for number in range({odd}):
    sides = rng.integers(1, (600, 60, 400)[number % 3], 2)
    noise = rng.integers(0, 256, (*sides, seen["channels"]))
    images.append((noise * rng.random()).astype(np.uint8))
levels, differing, largest = [], [], []
for whole in images:
    plain = whole[..., 0] if whole.shape[2] == 1 else whole
    expected = predict.fit(Image.fromarray(plain), seen)
    pixels = resize(whole[None])[0].transpose(1, 2, 0)
    apart = np.abs(pixels.astype(int) - expected)
    levels.append(apart.max())
    differing.append((apart > 0).mean())
    rows = network.probabilities(whole[None]), network.probabilities(expected[None])
    largest.append(np.abs(rows[0] - rows[1]).max())
np.savez(
    found,
    examples=len(names),
    levels=np.max(levels),
    differing=np.mean(differing),
    largest=np.max(largest),
)
"""
ODD = 60  # images of odd sizes


def prove_any_size(folder: Path, classifier: Classifier) -> AnySize:
    """Return the comparison of the network in an exported folder with Pillow.

    Raises:
        ExportError: If the network cannot be run, or if a pixel or a probability differs by more
            than allowed.
    """
    found = run_program(PROGRAM.replace("{odd}", str(ODD)), folder)
    sizes = AnySize(
        examples=int(found["examples"]),
        images=ODD,
        levels=int(found["levels"]),
        differing=float(found["differing"]),
        largest=float(found["largest"]),
        allowed=DIFFERENCE / min(1.0, classifier.temperature),
    )
    if sizes.levels <= LEVELS and sizes.largest <= sizes.allowed:
        return sizes
    raise ExportError(
        _(
            "the resize inside the network must give the pixels of Pillow within {level} of 255 "
            "levels and the probabilities within {allowed:.2g}; the pixels differ by up to "
            "{levels} and the probabilities by up to {largest:.2g}. Nothing was exported."
        ).format(level=LEVELS, allowed=sizes.allowed, levels=sizes.levels, largest=sizes.largest)
    )
