"""Nothing is served whose golden examples do not give what is recorded."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from convlens.errors import ExportError
from convlens.export.folder import digest, open_network
from convlens.serve import engines
from convlens.serve.model import open_served


@pytest.fixture(params=["openvino", "onnx", "litert", "saved_model"])
def folder(request, exported):
    """Return an exported folder, of an engine that computes in parallel or of one that does not."""
    return exported(request.param)


@pytest.mark.parametrize("threads", [1, 2])
def test_both_ways_to_run_give_the_probabilities_of_the_folder(folder, threads, images):
    served = open_served(folder, threads)
    assert served.examples == 15
    assert served.largest < 1e-5
    engine = served.predictor.network.facts["engine"]
    assert served.engine_name.startswith(f"{engine} ")
    expected = open_network(folder).probabilities(images)
    for run in served.engine:
        with ThreadPoolExecutor(3) as pool:
            found = np.concatenate(list(pool.map(run, images[:, None])))
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_other_probabilities_are_refused(exported, tmp_path):
    folder = shutil.copytree(exported("onnx"), tmp_path / "copied")
    recorded = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    recorded["03-grey.png"] = recorded["03-grey.png"][::-1]
    (folder / "examples.json").write_text(json.dumps(recorded), encoding="utf-8")
    with pytest.raises(ExportError, match=r"missing or changed: examples.json"):
        open_served(folder, 2)
    rewrite(folder, "examples.json")
    with pytest.raises(ExportError, match="here they differ by 0"):
        open_served(folder, 2)


def test_an_engine_that_computes_otherwise_is_refused(exported, monkeypatch):
    opener = engines.OPENERS["onnx"]

    def wrong(path, threads, streams):
        run = opener(path, threads, streams)
        return run if streams == 1 else lambda images: run(images) * np.float32("nan")

    monkeypatch.setitem(engines.OPENERS, "onnx", wrong)
    with pytest.raises(ExportError, match="here they differ by nan"):
        open_served(exported("onnx"), 2)


def rewrite(folder, name):
    """Record the digest of a file that was changed, as if it had been exported."""
    facts = json.loads((folder / "convlens.json").read_text(encoding="utf-8"))
    facts["digests"][name] = digest(folder / name)
    (folder / "convlens.json").write_text(json.dumps(facts), encoding="utf-8")
    proof = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
    proof["convlens_json"] = digest(folder / "convlens.json")
    (folder / "proof.json").write_text(json.dumps(proof), encoding="utf-8")
