"""Export every network of the zoo, and let each export prove that it computes what Keras computes.

python benchmarks/exports_zoo.py RESULTS.json [--only NAME] [--to onnx --to openvino]

The networks have random weights (seed 0). Their logits are divided by half their own deviation over
the examples, so that the probabilities of different images differ and the proof can fail. Networks
that RESULTS.json has already are left out, so that a run that was stopped goes on.
"""

import argparse
import json
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from convlens import backend


def main() -> None:
    """Export the networks one after the other and keep what was found after each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("--only", default="", help="networks whose name contains this text")
    parser.add_argument("--to", action="append", help="formats [onnx and openvino]")
    asked = parser.parse_args()
    backend.start()
    from convlens.zoo.registry import list_models

    results = json.loads(asked.results.read_text()) if asked.results.exists() else {}
    for name in list_models():
        for to in asked.to or ("onnx", "openvino"):
            key = f"{name} {to}"
            if asked.only in name and key not in results:
                results[key] = measure(name, to)
                asked.results.write_text(json.dumps(results, indent=1))
                print(line(key, results[key]), flush=True)


def measure(name: str, to: str) -> dict[str, Any]:
    """Export a network with random weights, and return its proof or why it has none."""
    from convlens.errors import ExportError
    from convlens.export.export import export_classifier
    from convlens.export.target import Target

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"{name}.keras"
        untrained(name, Path(place)).save(path)
        try:
            found = export_classifier(path, Target(to), Path(place) / "out").to_dict()
        except ExportError as error:
            found = {"holds": False, "reason": str(error)}
    return found | {"seconds": time.perf_counter() - began}


def random_network(name: str) -> tuple[Any, Any]:
    """Return a network of the registry with random weights, and the preprocessing it has."""
    import keras

    from convlens.classifier.assembly import assemble
    from convlens.preprocess import Preprocessing
    from convlens.zoo.create import build
    from convlens.zoo.registry import model_info

    info = model_info(name)
    preprocessing = Preprocessing(*info.input_shape, scale=info.scale)
    network = partial(build, name, num_classes=info.num_classes)
    model = assemble(network, preprocessing, info.num_classes, name)
    if len(model.outputs) > 1:  # auxiliary heads, which only training needs
        model = keras.Model(model.input, model.outputs[0], name=name)
    return model, preprocessing


def untrained(name: str, place: Path) -> Any:
    """Return a classifier with random weights whose probabilities differ between images."""
    import keras

    from convlens.classifier.classifier import Classifier
    from convlens.export.golden import write_examples
    from convlens.preprocess import prepare

    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    model, preprocessing = random_network(name)
    classes = tuple(f"class {number}" for number in range(model.output_shape[-1]))
    examples = place / "examples"
    examples.mkdir()
    pixels = np.stack([prepare(file, preprocessing) for file in write_examples(examples)])
    logits = np.concatenate([model.predict_on_batch(image[None]) for image in pixels])
    temperature = max(float(logits.std(0).mean()) / 2, 1e-6)
    return Classifier.from_logits(model, classes, preprocessing, temperature)


def line(key: str, found: dict[str, Any]) -> str:
    """Return what is printed of an export."""
    if "largest" not in found:
        return f"{key:32} {found['seconds']:5.0f} s  {found['reason']}"
    return (
        f"{key:32} {found['seconds']:5.0f} s  changed {found['changed']}, near {found['near']}, "
        f"largest {found['largest']:.1e} of {found['allowed']:.1e}, {found['size'] / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
