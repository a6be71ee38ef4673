"""Exports from the page: as those of the command line, with their proofs; the server; a phone."""

import io
import json
import shlex
import shutil
import ssl
import subprocess
import time
import urllib.request
import zipfile

import psutil
import pytest

from convlens.export import target
from convlens.export.cost import Cost
from convlens.export.folder import digest
from convlens.lock import locked
from convlens.studio import https as https_module
from convlens.studio.opening import open_places
from convlens.studio.shipping import shipping as shipping_module
from convlens.studio.shipping.shipping import Reach
from convlens.studio.studio import Studio
from tests.cli.commands import run
from tests.studio.conftest import opened

PATIENCE = 120.0  # seconds
TIMES = ("milliseconds", "classifier_milliseconds", "float32_milliseconds")


def ship(page):
    found = page.get("/api/ship")
    assert found.status_code == 200, found.text
    return found.json()


def wait(page, what, states):
    """Wait until something is in none of some states."""
    end = time.monotonic() + PATIENCE
    while (found := ship(page)[what])["state"] in states:
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def workspace(finished_run, tmp_path_factory):
    """Return a workspace with a finished run and its export, made by the process of the page."""
    root = tmp_path_factory.mktemp("studio") / "my digits"
    shutil.copytree(finished_run.folder, root / "runs" / "digits")
    (root / "runs" / "begun" / "state").mkdir(parents=True)
    shutil.copyfile(finished_run.folder / "run.toml", root / "runs" / "begun" / "run.toml")
    with_facts(root)
    with opened(root) as page:
        found = page.post("/api/ship/exports", {"run": "digits", "to": "openvino"})
        assert found.status_code == 202, found.text
        assert found.json()["state"] == "running"
        second = page.post("/api/ship/exports", {"run": "digits", "to": "onnx"})
        assert second.status_code == 409
        assert "is under way" in second.json()["message"]
        ended = wait(page, "exporting", ("running",))
        assert ended["state"] == "done", ended
    return root


def with_facts(root):
    """Let a folder be a workspace."""
    (root / ".studio").mkdir(exist_ok=True)
    facts = {"format": 1, "source": None}
    (root / ".studio" / "studio.json").write_text(json.dumps(facts), encoding="utf-8")


@pytest.fixture
def page(workspace, monkeypatch):
    with opened(workspace) as found:
        monkeypatch.setattr(found.studio.runs, "_looked", -1e9)
        yield found


def test_an_export_is_that_of_the_command_line(page, workspace, tmp_path):
    made = workspace / "exports" / "digits-openvino"
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


def test_the_proof_is_shown_with_scores_and_files(page, workspace):
    (row,) = ship(page)["exports"]
    proof = json.loads((workspace / "exports" / row["name"] / "proof.json").read_text())
    assert row["problem"] == ""
    assert row["changed_files"] == []
    shown = row["proof"]
    assert shown["holds"] is True
    assert shown["labels"] == proof["examples"] + proof["images"]
    assert proof["images"] > 0
    assert (shown["changed"], shown["largest"]) == (proof["changed"], proof["largest"])
    report = json.loads((workspace / "runs" / "digits" / "report.json").read_text())
    first = row["scores"][0]
    assert first["name"] == "Accuracy"
    assert {name: first[name] for name in ("value", "low", "high")} == {
        name: report["metrics"]["accuracy"][name] for name in ("value", "low", "high")
    }
    assert ["model.xml", (workspace / "exports" / row["name"] / "model.xml").stat().st_size] in row[
        "files"
    ]
    assert row["engine"] == "openvino"
    chinese = page.get("/api/ship", **{"Accept-Language": "zh-TW"}).json()["exports"][0]
    assert chinese["scores"][0]["name"] == "準確率"


def test_what_was_changed_or_damaged_is_said(page, workspace):
    folder = workspace / "exports" / "digits-openvino"
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


def test_a_proof_that_fails_is_shown_as_failed(page, workspace, monkeypatch):
    # Another network under the name of the classifier: its export cannot be read.
    failed = {
        "asked": {
            "run": "x/digits",
            "to": "onnx",
            "precision": "int8",
            "any_size": False,
            "accept_loss": False,
            "out": "x/digits-onnx-int8",
        },
        "message": "int8 must not cost more than 1 point",
        "may_accept": True,
    }
    file = workspace / ".studio" / "export.json"
    kept = file.read_bytes()
    file.write_text(json.dumps(failed), encoding="utf-8")
    try:
        found = ship(page)["exporting"]
    finally:
        file.write_bytes(kept)
    assert found["state"] == "failed"
    assert (found["name"], found["may_accept"]) == ("digits-onnx-int8", True)
    assert found["message"].startswith("int8 must not cost")


def test_what_a_lower_precision_costs_is_said_as_the_command_does(page, workspace):
    file = workspace / "exports" / "digits-openvino" / "proof.json"
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


def test_an_export_is_stopped_and_leaves_nothing(page, workspace):
    before = sorted((workspace / "exports").iterdir())
    assert page.post("/api/ship/exports", {"run": "digits", "to": "onnx"}).status_code == 202
    process = page.studio.shipping.exporting._process
    end = time.monotonic() + PATIENCE
    while len(list((workspace / "exports").iterdir())) == len(before):  # the hidden folder
        assert time.monotonic() < end
        time.sleep(0.05)
    started = psutil.Process(process.pid)
    family = [started, *started.children(recursive=True)]
    found = page.client.delete("/api/ship/exports", headers=page.headers)
    assert found.json()["state"] == "none"
    assert not any(one.is_running() and one.status() != "zombie" for one in family)
    assert sorted((workspace / "exports").iterdir()) == before


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


def test_a_link_is_no_export(page, workspace, tmp_path):
    outside = shutil.copytree(workspace / "exports" / "digits-openvino", tmp_path / "outside")
    link = workspace / "exports" / "linked"
    link.symlink_to(outside)
    assert [row["name"] for row in ship(page)["exports"]] == ["digits-openvino"]
    assert page.post("/api/ship/exports/linked/zip").status_code == 404
    link.unlink()


def test_an_export_is_saved_as_zip_and_removed(page, workspace):
    folder = workspace / "exports" / "digits-openvino"
    copy = shutil.copytree(folder, workspace / "exports" / "copy 複本")
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


def test_a_server_answers_the_command_that_is_shown(page, workspace):
    path = "/api/ship/exports/digits-openvino/serve"
    assert page.post(path).json()["state"] in ("starting", "running")
    assert page.post(path).status_code == 409
    serving = wait(page, "serving", ("starting",))
    assert serving["state"] == "running", serving
    assert serving["address"].startswith("http://127.0.0.1:")
    assert serving["answered"] == 0
    if shutil.which("curl"):
        done = subprocess.run(
            serving["curl"], shell=True, capture_output=True, text=True, timeout=30, check=True
        )
        (found,) = json.loads(done.stdout)
        assert found["label"] in [str(digit) for digit in range(10)]
    else:
        request = urllib.request.Request(
            serving["address"], headers={"Authorization": f"Bearer {serving['token']}"}
        )
        urllib.request.urlopen(request, timeout=30).close()
    with pytest.raises(urllib.error.HTTPError):  # nobody else may ask
        urllib.request.urlopen(serving["address"], timeout=30)
    counted = page.get("/api/ship/serving").json()
    assert (counted["answered"], counted["refused"]) == (1, 1)
    assert any(serving["address"] in line for line in counted["log"])
    used = page.client.delete("/api/ship/exports/digits-openvino", headers=page.headers)
    assert used.status_code == 409
    assert "is in use" in used.json()["message"]
    _found_again(page, workspace, serving)


def _found_again(page, workspace, serving):
    """A studio that was killed leaves the server; the next one finds and ends it."""
    number = page.studio.shipping.serving._process.pid
    another = Studio(open_places(str(workspace)))
    found = another.shipping.serving.status()
    assert (found["state"], found["is_found_again"]) == ("running", True)
    assert found["curl"] == serving["curl"]
    another.close()
    page.studio.shipping.serving._process.wait(30)
    assert not psutil.pid_exists(number)
    assert another.shipping.serving.status() == {"state": "none"}


def test_a_server_that_cannot_start_says_why(page, workspace):
    copy = shutil.copytree(
        workspace / "exports" / "digits-openvino", workspace / "exports" / "broken"
    )
    (copy / "model.bin").write_bytes(b"x")
    page.post("/api/ship/exports/broken/serve")
    serving = wait(page, "serving", ("starting",))
    assert serving["state"] == "failed"
    assert any("missing or changed: model.bin" in line for line in serving["log"])
    stopped = page.client.delete("/api/ship/serving", headers=page.headers).json()
    assert stopped == {"state": "none"}
    assert page.client.delete("/api/ship/exports/broken", headers=page.headers).status_code == 200


@pytest.mark.parametrize("https", [False, True])
def test_a_page_is_shown_to_the_network_until_it_is_stopped(page, workspace, https, tmp_path):
    folder = workspace / "exports" / "web"
    shutil.copytree(workspace / "exports" / "digits-openvino", folder, dirs_exist_ok=True)
    (folder / "index.html").write_text("<!doctype html>the page", encoding="utf-8")
    (folder / "page.mjs").write_text("export {};", encoding="utf-8")
    (tmp_path / "private.txt").write_text("private", encoding="utf-8")
    if not (folder / "link.txt").is_symlink():
        (folder / "link.txt").symlink_to(tmp_path / "private.txt")
    refused = page.post("/api/ship/exports/digits-openvino/phone", {"https": https})
    assert refused.status_code == 409
    assert "export the format web first" in refused.json()["message"]
    if https:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(https_module, "PACKAGE", "no_such_package")
            missing = page.post("/api/ship/exports/web/phone", {"https": True})
        assert missing.status_code == 422
        assert "pip install 'convlens[https]'" in missing.json()["message"]
    shown = page.post("/api/ship/exports/web/phone", {"https": https}).json()
    assert shown["state"] == "running"
    assert shown["qr"].startswith("data:image/svg+xml")
    assert shown["address"].startswith("https:" if https else "http:")
    address = (
        f"{shown['address'].partition(':')[0]}://127.0.0.1:{shown['address'].rpartition(':')[2]}"
    )
    context = ssl.create_default_context(cafile=_authority(workspace)) if https else None

    def get(path):
        with urllib.request.urlopen(f"{address}{path}", timeout=30, context=context) as answer:
            return answer.headers["content-type"], answer.read()

    assert get("/") == ("text/html; charset=utf-8", b"<!doctype html>the page")
    assert get("/page.mjs")[0].startswith("text/javascript")
    for path in (
        "/link.txt",
        "/../runs/digits/run.toml",
        "/%2e%2e/%2e%2e/.studio/token",
        "/api/ship",
    ):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(path)
    assert ship(page)["phone"]["opened"] == 1
    page.client.delete("/api/ship/phone", headers=page.headers)
    assert ship(page)["phone"] == {"state": "none"}
    with pytest.raises(urllib.error.URLError):
        get("/")


def _authority(workspace):
    return workspace / ".studio" / "https" / "authority.pem"


def test_an_invitation_is_only_for_those_who_can_come(page, monkeypatch):
    assert page.post("/api/ship/invitation").status_code == 409
    monkeypatch.setattr(page.studio.shipping, "reach", Reach("https://10.0.0.7:1", False, "AB"))
    found = page.post("/api/ship/invitation").json()
    assert found["address"] == f"https://10.0.0.7:1/#token={page.token}"
    assert found["qr"].startswith("data:image/svg+xml")
    camera = ship(page)["camera"]
    assert (camera["is_local"], camera["is_https"]) == (False, True)
    assert camera["command"].endswith("--host 0.0.0.0 --https")
    assert page.token not in page.get("/api/ship").text
    monkeypatch.setattr(shipping_module, "drawn", lambda _address: "")
    assert page.post("/api/ship/invitation").json()["qr"] == ""


PATHS = [
    ("GET", "/api/ship"),
    ("GET", "/api/ship/serving"),
    ("POST", "/api/ship/command"),
    ("POST", "/api/ship/exports"),
    ("DELETE", "/api/ship/exports"),
    ("DELETE", "/api/ship/exports/digits-openvino"),
    ("POST", "/api/ship/exports/digits-openvino/zip"),
    ("POST", "/api/ship/exports/digits-openvino/serve"),
    ("POST", "/api/ship/exports/digits-openvino/phone"),
    ("DELETE", "/api/ship/serving"),
    ("DELETE", "/api/ship/phone"),
    ("POST", "/api/ship/invitation"),
    ("GET", "/api/ship/workspace"),
    ("POST", "/api/ship/workspace/zip"),
    ("POST", "/api/ship/open"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_nothing_ships_without_the_token_or_for_another_site(page, method, path, workspace):
    for headers in ({}, {"X-Convlens-Token": page.key}):
        assert page.client.request(method, path, headers=headers).status_code == 401
    for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        found = page.client.request(method, path, headers=page.headers | header)
        assert found.status_code == 403
    assert (workspace / "exports" / "digits-openvino" / "proof.json").is_file()


def test_a_run_that_is_trained_meanwhile_stays_out_of_the_zip(page, workspace):
    with locked(workspace / "runs" / "digits"):
        plan = page.get("/api/ship/workspace").json()
    assert any("digits, which is being trained" in line for line in plan["left_out"])
