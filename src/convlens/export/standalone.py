"""Classify images with the network in this folder.

    python predict.py IMAGE...      print the class of each image, as JSON
    python predict.py --check       classify the examples in this folder, and compare

numpy, Pillow and the engine of the network are needed:

    format        install
    onnx          pip install numpy pillow onnxruntime
    openvino      pip install numpy pillow openvino
    litert        pip install numpy pillow ai-edge-litert
    saved_model   pip install numpy pillow tensorflow
    web           pip install numpy pillow onnxruntime

Programs in other languages have to repeat what `read` does: the same pixels give the same classes.
Images of 16 or 32 bits are read if the network has learned from such images. Colours of 16 bits are
read if black is 0 and white 65535, because Pillow keeps the upper 8 bits only.
"""

import json
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FOLDER = Path(__file__).resolve().parent
MAX_PIXELS = 100_000_000  # of an image that is decoded
ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
NOT_DEEP = (  # not translated: this file leaves convlens
    "the network has not learned from images of 16 or 32 bits; convert the image to 8 bits first"
)
GREY_STEPS = {"L;2": 85, "L;4": 17}  # between two levels of grey in PNG files of 2 and 4 bits


def read(path, seen):
    """Return an image as the network takes it: uint8 of shape (height, width, channels).

    Args:
        path: An image file.
        seen: The preprocessing, as convlens.json has it.
    """
    return fit(upright(path, seen), seen)


def upright(path, seen):
    """Return an image upright in its own size, as a Pillow image of mode L or RGB.

    Args:
        path: An image file.
        seen: The preprocessing, as convlens.json has it.
    """
    with open_limited(path) as image:
        raw = image.tile[0].args if image.tile else ""
        raw = raw[0] if isinstance(raw, tuple) and raw else raw
        has_colours_of_16_bits = ";16" in str(raw) and image.mode in ("RGB", "RGBA", "LA")
        image.load()
        try:
            turn = TURNS.get(image.getexif().get(ORIENTATION, 1))
        except Exception:  # broken metadata must not decide about the image
            turn = None
        image = whole = image.copy()
    key = image.info.get("transparency")
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        whole = Image.fromarray(levels(values, seen["unit"]))
        if isinstance(key, int):
            whole.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
    elif has_colours_of_16_bits:
        check_colours(key, seen["unit"])
    elif isinstance(key, int) and raw in GREY_STEPS:
        whole.info["transparency"] = key * GREY_STEPS[raw]
    mode = "L" if whole.mode in ("1", "L", "LA", "La") else "RGB"
    if whole.has_transparency_data:  # what is transparent becomes white
        rgba = whole.convert("RGBA")
        whole = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    whole = whole.convert(mode)
    if turn is not None:
        whole = whole.transpose(turn)
    return whole.convert("L" if seen["channels"] == 1 else "RGB")


def open_limited(path):
    """Return an image that is open, but not yet decoded; raise ValueError if it is too large."""
    found = "more"  # Pillow refuses images above 179 million pixels itself
    try:
        image = Image.open(path)
        if image.width * image.height <= MAX_PIXELS:
            return image
        found = f"{image.width} x {image.height}"
        image.close()
    except Image.DecompressionBombError:
        pass
    raise ValueError(  # not translated: as above
        f"an image may have {MAX_PIXELS // 10**6} million pixels at most; found {found}; "
        "make it smaller first"
    )


def check_colours(key, unit):
    """Raise ValueError if the upper 8 bits of colours of 16 bits are not what they stand for."""
    if not isinstance(unit, list):
        raise ValueError(NOT_DEEP)
    if unit != [0, 65535]:
        raise ValueError(  # not translated: as above
            f"colours of 16 bits can be read if black is 0 and white is 65535; here they are {unit}"
            "; convert the image to 8 bits first"
        )
    if isinstance(key, tuple):  # not translated: as above
        raise ValueError("a transparent colour of 16 bits cannot be read; use an alpha channel")


def levels(values, unit):
    """Return the grey levels of an image of 16 or 32 bits: black becomes 0 and white 255."""
    if not isinstance(unit, list):
        raise ValueError(NOT_DEEP)
    black, white = unit
    above = values.astype(np.float64) - black
    if values.dtype.kind in "iu" and white - black >= 255:
        found = np.floor(above * (256 / (white - black + 1)))
    else:
        found = np.rint(above * (255 / (white - black)))
    return np.clip(np.nan_to_num(found, nan=0), 0, 255).astype(np.uint8)


def fit(image, seen):
    """Return an image in the size of the network."""
    size = (seen["width"], seen["height"])
    if image.size != size:
        bilinear = Image.Resampling.BILINEAR
        if seen["fit"] == "crop":
            image = ImageOps.fit(image, size, bilinear)
        elif seen["fit"] == "pad":
            sides = np.array(image.size)
            kept = np.rint(sides * min(np.array(size) / sides)).astype(int)
            if kept.min() == 0:  # a very long image keeps one row or column
                image = image.resize(tuple(np.maximum(kept, 1).tolist()), bilinear)
            image = ImageOps.pad(image, size, bilinear)
        else:
            image = image.resize(size, bilinear)
    return np.asarray(image, np.uint8).reshape(seen["height"], seen["width"], seen["channels"])


def open_onnx(path):
    """Return a function from images to probabilities that runs on ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda images: session.run(["probabilities"], {"images": images})[0]


def open_openvino(path):
    """Return a function from images to probabilities that runs on OpenVINO, in float32.

    On some processors OpenVINO would compute in bfloat16 if it were not told. What a network in
    int8 computes in integers is computed so nevertheless.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # which reports every import
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,  # other programs use the processors, too
    }
    compiled = openvino.Core().compile_model(str(path), "CPU", settings)
    return lambda images: compiled({"images": images})["probabilities"]


def open_litert(path):
    """Return a function from images to probabilities that runs on LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    place = interpreter.get_input_details()[0]["index"]

    def run(images):
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(place, images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(place, images)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def open_saved_model(path):
    """Return a function from images to probabilities that runs on TensorFlow."""
    import tensorflow

    loaded = tensorflow.saved_model.load(str(path))
    return lambda images: loaded.serve(images).numpy()


ENGINES = {
    "onnx": open_onnx,
    "openvino": open_openvino,
    "litert": open_litert,
    "saved_model": open_saved_model,
    "web": open_onnx,
}


class Network:
    """The network of an exported folder.

    >>> Network().classify("photo.jpg")  # doctest: +SKIP
    {'image': 'photo.jpg', 'label': 'cat', 'probability': 0.98, 'known': True}
    """

    def __init__(self, folder=FOLDER):
        self.folder = Path(folder)
        self.facts = json.loads((self.folder / "convlens.json").read_text(encoding="utf-8"))
        self.run = ENGINES[self.facts["format"]](self.folder / self.facts["model"])

    def read(self, path):
        """Return the pixels of an image file as the network takes them."""
        return read(path, self.facts["preprocessing"])

    def read_whole(self, path):
        """Return the pixels of an image file in its own size, for a network of `any_size`."""
        whole = np.asarray(upright(path, self.facts["preprocessing"]))
        return whole.reshape(*whole.shape[:2], -1)

    def probabilities(self, images):
        """Return (n, classes) float32 for uint8 images of shape (n, height, width, channels)."""
        return np.asarray(self.run(np.ascontiguousarray(images)))

    def classify(self, path):
        """Return the class of an image, its probability, and whether it reaches the threshold."""
        row = self.probabilities(self.read(path)[None])[0]
        best = int(row.argmax())
        threshold = self.facts["threshold"]
        return {
            "image": str(path),
            "label": self.facts["class_names"][best],
            "probability": float(row[best]),
            "known": threshold is None or bool(row[best] >= threshold),
            "probabilities": dict(zip(self.facts["class_names"], map(float, row), strict=True)),
        }

    def check(self):
        """Return the largest difference of a probability of the examples from what is recorded."""
        examples = json.loads((self.folder / "examples.json").read_text(encoding="utf-8"))
        differences = []
        for name, expected in examples.items():
            found = self.probabilities(self.read(self.folder / "examples" / name)[None])[0]
            differences.append(np.abs(found - np.asarray(expected)).max())
        return float(np.max(differences))  # NaN if one of them is NaN


def main(words):
    """Print the classes of images, or check the examples; return the exit code."""
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if words else 2
    try:
        network = Network()
    except ImportError as error:
        # not translated: as above
        print(f"{error}; predict.py says at its head what to install", file=sys.stderr)
        return 8
    if words == ["--check"]:
        try:
            difference = network.check()
        except Exception as error:  # an example that is missing or was changed
            print(f"{error or type(error).__name__}", file=sys.stderr)
            return 1
        allowed = network.facts["tolerance"]
        # not translated: as above
        print(f"largest difference of a probability: {difference:.2g} (allowed: {allowed:.2g})")
        return int(not difference <= allowed)
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `open_limited` refuses them
    failures = 0
    for word in words:
        try:
            print(json.dumps(network.classify(word), ensure_ascii=False))
        except Exception as error:  # on damaged bytes, decoders raise almost anything
            print(f"{word}: {error or type(error).__name__}", file=sys.stderr)
            failures += 1
    return 3 if failures else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # as JSON is everywhere
    if hasattr(signal, "SIGPIPE"):  # a reader such as `head` may go before the end
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(sys.argv[1:]))
