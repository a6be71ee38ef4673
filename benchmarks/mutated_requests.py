"""Send damaged requests of every kind to a server, and look for answers that must not be.

python benchmarks/mutated_requests.py FOLDER [--count 10000] [--seed 0]

FOLDER is an exported one. A quarter of the requests are made by schemathesis from the description
of the interface; the others are images, tensors and HTTP itself, damaged at random, and connections
that are cut. No request may be answered with 500 or with a traceback; an image that can be read
gets the prediction that it has in this process; nothing is written; and in the end the server still
gives the recorded probabilities, and stops when it is told to. Otherwise the exit code is 1.
"""

import argparse
import base64
import json
import re
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from rich.console import Console
from server_process import Running, running, serve_command
from wire import Case, cases_of, exchange, post

from convlens.export.folder import Exported, digests, open_network
from convlens.serve.v2 import model_name

CLIENTS = 4
OPERATIONS = 12  # of the description, roughly
# What a schema cannot say: that the bytes are an image, and the tensor has as many as its shape.
SCHEMATHESIS = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "413", "415", "422", "503"]
"""


def main() -> None:
    """Send the requests, print how they were answered, and name the first faults."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="exported folder")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # Pillow warns of damaged metadata
    before = digests(asked.folder)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "server").mkdir()
        with running(serve_command(asked.folder), place / "server") as server:
            first = server.megabytes()
            made, faults = by_schemathesis(server, place, asked)
            predictor = open_network(asked.folder)
            outcomes, more = by_hand(server, predictor, asked.count - made, asked.seed)
            faults += more
            faults += still_right(server, predictor)
            last = server.megabytes()
        faults += [f"exit code {server.process.returncode}"] * (server.process.returncode != 0)
        faults += [f"written: {file}" for file in server.written()]
        printed = server.output
        faults += [f"printed: {printed}"] * ("Traceback" in printed or "Warning" in printed)
        faults += ["the exported folder has changed"] * (digests(asked.folder) != before)
    console = Console(highlight=False)
    console.print(f"schemathesis {made:>8,} requests")
    for (kind, outcome), number in sorted(outcomes.items()):
        console.print(f"{kind:<12} {number:>8,} {outcome}")
    console.print(f"memory       {first:.0f} MB at first, {last:.0f} MB in the end")
    console.print("\n".join(faults[:20]) or "no fault", markup=False)
    sys.exit(1 if faults else 0)


def by_schemathesis(
    server: Running, place: Path, asked: argparse.Namespace
) -> tuple[int, list[str]]:
    """Let schemathesis test the description of the interface; return its requests and faults."""
    (place / "schemathesis.toml").write_text(SCHEMATHESIS)
    is_short = asked.count < 1000
    number = max(1, asked.count // 4 // OPERATIONS)
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={place / 'schemathesis.toml'}",
            "run",
            f"http://127.0.0.1:{server.port}/openapi.json",
            "--phases=examples,fuzzing" if is_short else "--phases=examples,coverage,fuzzing",
            f"--max-examples={number}",
            f"--seed={asked.seed}",
            "--no-color",
            f"--workers={CLIENTS}",
        ],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"([\d,]+) generated", done.stdout)
    faults = [] if done.returncode == 0 else [f"schemathesis:\n{done.stdout}\n{done.stderr}"]
    return int(found[1].replace(",", "")) if found else 0, faults


def by_hand(
    server: Running, predictor: Exported, count: int, seed: int
) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Send damaged requests, and return how many were answered how, and the faults."""
    outcomes: Counter[tuple[str, str]] = Counter()
    faults: list[str] = []

    def send(case: Case) -> tuple[Case, int | None, bytes]:
        return case, *exchange(server.port, case)

    facts = predictor.network.facts
    shape = predictor.preprocessing.shape
    cases = cases_of(facts["name"], shape, count, np.random.default_rng(seed))
    with ThreadPoolExecutor(CLIENTS) as pool:
        for case, status, body in pool.map(send, cases):
            outcome = "not answered" if status is None else f"answered with {status}"
            outcomes[case.kind, outcome] += 1
            if fault := fault_of(case, status, body, predictor):
                faults.append(f"{case.kind}: {fault}\n{case.content[:300]!r}")
    return outcomes, faults


def fault_of(case: Case, status: int | None, body: bytes, predictor: Exported) -> str:
    """Return what is wrong with an answer; an empty text if nothing is."""
    if status is None:
        return "no answer" if case.must_be_answered else ""
    if status >= 500 and status != 503:
        return f"{status} {body!r}"
    if b"Traceback" in body:
        return f"a traceback: {body!r}"
    if status >= 400:
        error = json.loads(body)["error"]
        return f"more than a line: {error!r}" if "\n" in error or not error else ""
    if case.image is not None:
        (expected,) = predictor.predict(case.image)
        found = json.loads(body)
        if abs(found["probability"] - expected.probability) > 1e-4:
            return f"another prediction: {found}; expected {expected}"
    return ""


def still_right(server: Running, predictor: Exported) -> list[str]:
    """Return how the answers for the golden examples differ from what is recorded."""
    folder = predictor.network.folder
    recorded = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    files = [(folder / "examples" / name).read_bytes() for name in recorded]
    data = [base64.b64encode(file).decode() for file in files]
    given = {"name": "images", "datatype": "BYTES", "shape": [len(data)], "data": data}
    request = {"inputs": [given], "outputs": [{"name": "probabilities"}]}
    path = f"/v2/models/{model_name(predictor.network.facts['name'])}/infer"
    content = post(path, json.dumps(request).encode(), "application/json")
    status, body = exchange(server.port, Case("golden", content))
    if status != 200:
        return [f"the golden examples are answered with {status}: {body!r}"]
    rows = np.reshape(json.loads(body)["outputs"][0]["data"], (len(files), -1))
    difference = np.abs(rows - np.array(list(recorded.values()))).max()
    if difference > predictor.network.facts["tolerance"]:
        return [f"the golden examples differ by {difference}"]
    _status, numbers = exchange(server.port, Case("metrics", b"GET /metrics HTTP/1.0\r\n\r\n"))
    failed = re.search(rb"^convlens_errors_total (.+)$", numbers, re.MULTILINE)
    return [] if failed and float(failed[1]) == 0 else [f"requests failed: {failed}"]


if __name__ == "__main__":
    main()
