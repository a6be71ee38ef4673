"""Memory of the command that asks a cluster, by the number of images; no cluster is started.

    python benchmarks/cluster_memory.py 50000 500000

Each number gets a process of its own, which writes made-up answers for as many images, and then
reads them as a command does that prints them, and as one does that looks for earlier answers.
"""

import hashlib
import subprocess
import sys
import tempfile

import numpy as np
from peak_memory import peak

from convlens.cluster.asking import PART
from convlens.cluster.folder import folder_at
from convlens.cluster.shards import find_known, read_answers, write_index, write_shard
from convlens.data.digests import DIGEST_BYTES

CLASSES = 10


def _measure(images: int) -> None:
    """Print the memory before, after reading all answers, and after looking for them."""
    shares = np.full(CLASSES, 1 / CLASSES, np.float32)
    common = {"label": "class", "probability": 0.1, "known": True, "probabilities": shares}
    common |= {"remarks": [], "loses_colours": False}
    with tempfile.TemporaryDirectory() as place:
        folder = folder_at(place)
        names = []
        for start in range(0, images, PART):
            rows = []
            for number in range(start, min(start + PART, images)):
                key = hashlib.blake2b(str(number).encode(), digest_size=DIGEST_BYTES).digest()
                rows.append({"image": f"{number:08d}.jpg", "key": key, "content": key, **common})
            names.append(f"{start:032x}")
            write_shard(folder, names[-1], rows)
        write_index(folder, "", names)
        peaks = [peak()]
        for _row in read_answers(folder):
            pass
        peaks.append(peak())
        find_known(folder)
        peaks.append(peak())
    print(images, *(f"{one:.0f} MiB" for one in peaks), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        _measure(int(sys.argv[1]))
    else:
        for number in sys.argv[1:]:
            subprocess.run([sys.executable, __file__, number], check=True)
