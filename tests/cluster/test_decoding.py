"""Nodes decode images as one computer does, and an audit finds the same."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.cluster import decoding as by_nodes
from convlens.data import decoding
from tests.cli.commands import run


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A folder for each of two classes; two images are equal, one is damaged, one is grey."""
    folder = tmp_path_factory.mktemp("labelled")
    values = np.random.default_rng(0).integers(0, 256, (40, 20, 24, 3), np.uint8)
    for number, pixels in enumerate(values):
        place = folder / ("ant", "bee")[number % 2]
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number:02d}.png")
    (folder / "ant/04.png").write_bytes(b"no image")
    (folder / "bee/07.png").write_bytes((folder / "ant/02.png").read_bytes())
    Image.fromarray(values[8, :, :, 0]).save(folder / "ant/08.png")
    return folder


def test_an_audit_finds_the_same(connected, labelled, tmp_path, monkeypatch, capsys):
    here = []
    read = decoding.Reader.read_some
    monkeypatch.setattr(decoding, "BATCH", 16)
    monkeypatch.setattr(
        decoding.Reader, "read_some", lambda self, some: here.append(some) or read(self, some)
    )
    found = []
    kept = []
    for name, more in (("alone", ()), ("shared", ("--cluster", connected))):
        monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / name))
        assert run("audit", labelled, "--format", "json", *more) == 0
        found.append(json.loads(capsys.readouterr().out) | {"seconds": 0})
        kept.append({path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.npy")})
        if name == "alone":
            assert here
            here.clear()
    assert not here
    assert found[1] == found[0]
    assert kept[1] == kept[0]
    assert len(kept[0]) == 2  # pixels and looks


def test_only_relative_paths_need_the_current_folder_on_all_nodes(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(by_nodes, "refuse_unreachable", lambda cluster, place: asked.append(place))
    monkeypatch.chdir(tmp_path)
    by_nodes.DecodedByNodes(None, [Path("/photos/a.png")])
    assert asked == ["/photos"]
    by_nodes.DecodedByNodes(None, [Path("/photos/a.png"), Path("photos/b.png")])
    assert asked[1:] == [str(tmp_path), "/photos"]


def test_an_array_is_not_shared_out(connected, tmp_path, capsys):
    np.savez(tmp_path / "a.npz", images=np.zeros((20, 12, 12, 3), np.uint8), labels=[0, 1] * 10)
    assert run("audit", tmp_path / "a.npz", "--cluster", connected) == 3
    assert "a cluster reads image files; these images are in one file" in capsys.readouterr().err
