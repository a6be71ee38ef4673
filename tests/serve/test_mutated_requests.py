"""The benchmark with damaged requests, in short, so that each of its kinds is sent."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "mutated_requests.py"
KINDS = {"image", "parts", "tensor", "behind", "cut", "length", "chunks", "head", "path"}


def test_damaged_requests_do_not_harm_the_server(served, tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, served.predictor.network.folder, "--count", "300"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().endswith("no fault")
    assert re.search(r"^schemathesis +\d\d+ requests$", done.stdout, re.MULTILINE)
    assert re.search(r"^image +\d+ answered with 200$", done.stdout, re.MULTILINE)
    assert set(re.findall(r"^(\w+) +\d+ (?:not )?answered", done.stdout, re.MULTILINE)) == KINDS
