"""Say where the time of a training step goes: how long oneDNN computes each kind of operation.

python benchmarks/speed/operations.py PROGRAM [--network fast_cnn] [--batch 128]

Runs a program of `throughput.py` with TensorFlow while oneDNN prints each operation that it
computes. Operations that are computed at the same time share the cores, so that they may add up to
more than the step. What oneDNN does not compute is missing: activations, the loss, the optimizer,
Python, and the classifier that convlens writes after each epoch. Prints one line of JSON: the
milliseconds of a step, and of each kind of operation.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

NAMES = {  # of oneDNN, with the direction of an operation where there are several
    "convolution forward": "convolution",
    "convolution backward_data": "gradient of the images",
    "convolution backward_weights": "gradient of the filters",
    "inner_product forward": "matrix product",
    "inner_product backward_data": "matrix product",
    "inner_product backward_weights": "matrix product",
    "matmul undef": "matrix product",
    "gemm_api undef": "matrix product",
    "reorder undef": "change of the layout",
    "batch_normalization forward": "batch normalisation",
    "batch_normalization backward": "batch normalisation",
    "pooling forward": "pooling",
    "pooling backward": "pooling",
}


def main() -> None:
    """Train, and print where the time goes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", choices=("deck", "keras_bfloat16", "convlens"))
    parser.add_argument("--network", default="fast_cnn")
    parser.add_argument("--batch", type=int, default=128)
    given = parser.parse_args()
    script = Path(__file__).with_name("throughput.py")
    words = [given.program, "--network", given.network, "--batch", str(given.batch)]
    done = subprocess.run(
        [sys.executable, str(script), *words],
        env=os.environ | {"ONEDNN_VERBOSE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    rate = json.loads(next(line for line in lines if line.startswith("{")))["images_per_second"]
    step = 1000 * given.batch / rate
    kinds = operations(lines)
    found = {
        "milliseconds": round(step, 1),
        "operations": {name: round(spent, 1) for name, spent in kinds.most_common()},
    }
    print(json.dumps(found))


def operations(lines: list[str]) -> Counter[str]:
    """Return the milliseconds that a step spends in each kind of operation.

    Args:
        lines: What oneDNN has printed. A line ends with the shapes and the milliseconds of an
            operation.
    """
    kinds: Counter[str] = Counter()
    filters: Counter[str] = Counter()
    for line in lines:
        fields = line.split(",")
        if fields[0] != "onednn_verbose" or "exec" not in fields:
            continue
        kind, _implementation, direction = fields[fields.index("exec") + 2 :][:3]
        name = f"{kind} {direction.removesuffix('_training').removesuffix('_inference')}"
        if kind == "pooling":
            name = name.removesuffix("_data")
        kinds[NAMES.get(name, name)] += float(fields[-1])
        if direction == "backward_weights":
            filters[fields[-2]] += 1
    steps = min(filters.values())  # Layers of equal shapes are counted together.
    return Counter({name: spent / steps for name, spent in kinds.items()})


if __name__ == "__main__":
    main()
