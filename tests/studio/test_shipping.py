"""Exports from the page: as those of the command line, with their proofs."""

import io
import json
import shlex
import shutil
import time
import zipfile

import psutil
import pytest

from convlens.export import target
from convlens.export.cost import Cost
from convlens.export.folder import digest
from convlens.lock import locked
from tests.cli.commands import run
from tests.studio.shipping import PATIENCE, ship

TIMES = ("milliseconds", "classifier_milliseconds", "float32_milliseconds")


@pytest.fixture
def page(shipped_page):
    return shipped_page


def test_an_export_is_that_of_the_command_line(page, shipped, tmp_path):
    made = shipped / "exports" / "digits-openvino"
    out = tmp_path / "by-hand"
    command = page.post("/api/ship/command", {"run": "digits", "to": "openvino"}).json()["command"]
    words = shlex.split(command)
    assert words[:2] == ["convlens", "export"]
    assert words[-2:] == ["--out", str(made)]
    assert run(*words[1:-1], out) == 0
    files = {path.relative_to(made).as_posix(): path for path in made.rglob("*") if path.is_file()}
    assert set(files) == {
        path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()
    }
    own = ("proof.json", "README.md")  # they have times
    for name, path in files.items():
        if name not in own:
            assert digest(path) == digest(out / name), name
    proofs = [
        json.loads((folder / "proof.json").read_text(encoding="utf-8")) for folder in (made, out)
    ]
    for proof in proofs:
        assert all(proof.pop(name, 0) is not None for name in TIMES[:2])
        proof.pop(TIMES[2], None)
    assert proofs[0] == proofs[1]


def test_the_proof_is_shown_with_scores_and_files(page, shipped):
    (row,) = ship(page)["exports"]
    proof = json.loads((shipped / "exports" / row["name"] / "proof.json").read_text())
    assert row["problem"] == ""
    assert row["changed_files"] == []
    shown = row["proof"]
    assert shown["holds"] is True
    assert shown["labels"] == proof["examples"] + proof["images"]
    assert proof["images"] > 0
    assert (shown["changed"], shown["largest"]) == (proof["changed"], proof["largest"])
    report = json.loads((shipped / "runs" / "digits" / "report.json").read_text())
    first = row["scores"][0]
    assert first["name"] == "Accuracy"
    assert {name: first[name] for name in ("value", "low", "high")} == {
        name: report["metrics"]["accuracy"][name] for name in ("value", "low", "high")
    }
    assert ["model.xml", (shipped / "exports" / row["name"] / "model.xml").stat().st_size] in row[
        "files"
    ]
    assert row["engine"] == "openvino"
    chinese = page.get("/api/ship", **{"Accept-Language": "zh-TW"}).json()["exports"][0]
    assert chinese["scores"][0]["name"] == "準確率"


def test_what_was_changed_or_damaged_is_said(page, shipped):
    folder = shipped / "exports" / "digits-openvino"
    for name, content, said in (
        ("model.xml", b"<x/>", "changed_files"),
        ("proof.json", b"{", "problem"),
        ("convlens.json", b"[]", "problem"),
    ):
        kept = (folder / name).read_bytes()
        (folder / name).write_bytes(content)
        (row,) = ship(page)["exports"]
        (folder / name).write_bytes(kept)
        assert row[said], name
    assert ship(page)["exports"][0]["changed_files"] == []


def test_what_a_lower_precision_costs_is_said_as_the_command_does(page, shipped):
    file = shipped / "exports" / "digits-openvino" / "proof.json"
    kept = file.read_bytes()
    cost = Cost(1000, True, 0.95, 0.93, 25, 5, 0.0091, 0.0308, 0.0003)
    file.write_text(json.dumps(json.loads(kept) | {"cost": cost.to_dict()}), encoding="utf-8")
    try:
        (row,) = ship(page)["exports"]
    finally:
        file.write_bytes(kept)
    assert row["cost"] == {"labelled": True, "before": 0.95, "after": 0.93, "text": str(cost)}


def test_a_missing_extra_is_said_and_the_format_stays(page, monkeypatch):
    real = target.importlib.util.find_spec
    monkeypatch.setattr(
        target.importlib.util,
        "find_spec",
        lambda name: None if name == "ai_edge_litert" else real(name),
    )
    formats = {one["to"]: one["precisions"] for one in ship(page)["formats"]}
    assert set(formats) == {"onnx", "openvino", "litert", "saved_model", "web"}
    assert formats["openvino"][0]["missing"] == ""
    line = formats["litert"][0]["missing"]
    assert line.endswith("pip install 'convlens[litert]'.")
    refused = page.post("/api/ship/exports", {"run": "digits", "to": "litert"})
    assert refused.status_code == 422
    assert refused.json() == {"message": line, "field": "to"}


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"run": "digits", "to": "openvino"}, 409, "this folder exists"),
        (
            {"run": "digits", "to": "saved_model", "precision": "int8"},
            422,
            "saved_model is written",
        ),
        ({"run": "digits", "to": "../x"}, 422, "to must be one of"),
        ({"run": "digits", "to": "onnx", "precision": "x"}, 422, "precision must be one of"),
        ({"run": "begun", "to": "onnx"}, 409, "has no classifier yet"),
        ({"run": "../runs/digits", "to": "onnx"}, 404, "has no run"),
        ({"run": None, "to": "onnx"}, 404, "has no run"),
        ({"run": "digits", "to": ["onnx"]}, 422, "to must be one of"),
    ],
)
def test_what_cannot_be_is_refused(page, asked, status, said):
    found = page.post("/api/ship/exports", asked)
    assert found.status_code == status, found.text
    assert said in found.json()["message"]
    assert ship(page)["exporting"]["state"] == "done"


def test_an_export_is_stopped_and_leaves_nothing(page, shipped):
    before = sorted((shipped / "exports").iterdir())
    assert page.post("/api/ship/exports", {"run": "digits", "to": "onnx"}).status_code == 202
    process = page.studio.shipping.exporting._process
    end = time.monotonic() + PATIENCE
    while len(list((shipped / "exports").iterdir())) == len(before):  # the hidden folder
        assert time.monotonic() < end
        time.sleep(0.05)
    started = psutil.Process(process.pid)
    family = [started, *started.children(recursive=True)]
    found = page.client.delete("/api/ship/exports", headers=page.headers)
    assert found.json()["state"] == "none"
    assert not any(one.is_running() and one.status() != "zombie" for one in family)
    assert sorted((shipped / "exports").iterdir()) == before


@pytest.mark.parametrize(
    "name", ["..", ".studio", "%2e%2e", "nothing", "..%2Fruns%2Fdigits", "x%00"]
)
def test_names_of_exports_are_those_of_the_list(page, name):
    for method, path in (
        ("DELETE", f"/api/ship/exports/{name}"),
        ("POST", f"/api/ship/exports/{name}/zip"),
        ("POST", f"/api/ship/exports/{name}/serve"),
        ("POST", f"/api/ship/exports/{name}/phone"),
    ):
        found = page.client.request(method, path, headers=page.headers)
        assert found.status_code in (404, 405)


def test_a_link_is_no_export(page, shipped, tmp_path):
    outside = shutil.copytree(shipped / "exports" / "digits-openvino", tmp_path / "outside")
    link = shipped / "exports" / "linked"
    link.symlink_to(outside)
    assert [row["name"] for row in ship(page)["exports"]] == ["digits-openvino"]
    assert page.post("/api/ship/exports/linked/zip").status_code == 404
    link.unlink()


def test_an_export_is_saved_as_zip_and_removed(page, shipped):
    folder = shipped / "exports" / "digits-openvino"
    copy = shutil.copytree(folder, shipped / "exports" / "copy 複本")
    offered = page.post("/api/ship/exports/copy%20%E8%A4%87%E6%9C%AC/zip").json()
    content = page.client.get(offered["url"]).content
    assert len(content) == offered["bytes"]
    with zipfile.ZipFile(io.BytesIO(content)) as saved:
        assert {name: saved.read(name) for name in saved.namelist() if not name.endswith("/")} == {
            f"copy 複本/{path.relative_to(copy).as_posix()}": path.read_bytes()
            for path in copy.rglob("*")
            if path.is_file()
        }
    path = "/api/ship/exports/copy%20%E8%A4%87%E6%9C%AC"
    assert page.client.delete(path, headers=page.headers).status_code == 200
    assert not copy.exists()
    assert folder.is_dir()


def test_a_run_that_is_trained_meanwhile_stays_out_of_the_zip(page, shipped):
    with locked(shipped / "runs" / "digits"):
        plan = page.get("/api/ship/workspace").json()
    assert any("digits, which is being trained" in line for line in plan["left_out"])
