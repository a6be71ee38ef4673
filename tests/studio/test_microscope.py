"""The microscope by hand: the numbers of the lecture and of the valley, and what is refused."""

import io
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from convlens.explain.arithmetic import backprop
from convlens.explain.arithmetic.descent import Valley, descend
from convlens.studio.microscope import look_process, looked, looking
from convlens.studio.microscope.looking import Looking
from convlens.studio.opening import Places
from convlens.studio.problem import Problem
from convlens.studio.worker import Ended
from tests.studio.conftest import picture


def test_the_network_begins_and_learns_as_in_the_lecture(own):
    start = own.post("/api/microscope/network").json()
    assert start["outputs"][0] == pytest.approx([0.593269992, 0.596884378])
    assert start["outputs"][1] == pytest.approx([0.75136507, 0.772928465])
    assert start["error"] == pytest.approx(0.298371109)
    w5 = next(one for one in start["chains"] if one["name"] == "w5")
    factors = [w5["error_by_output"], w5["output_by_sum"], w5["sum_by_weight"]]
    assert factors == pytest.approx([0.741365070, 0.186815602, 0.593269992])
    assert w5["gradient"] == pytest.approx(0.082167041)
    named = {"weights": start["weights"], "biases": start["biases"], "steps": 1}
    after = own.post("/api/microscope/network", named).json()
    assert after["weights"][4:] == pytest.approx([0.35891648, 0.408666186, 0.51130127, 0.561370121])
    assert after["errors"] == [pytest.approx(0.291027774)]
    assert after["biases"] == start["biases"]
    moved = own.post("/api/microscope/network", {**named, "move_biases": True}).json()
    assert moved["error"] == pytest.approx(0.285750867)


def test_steps_are_those_of_the_product_whatever_the_page_asks_at_once(own):
    at_once = own.post("/api/microscope/network", {"steps": 100, "rate": 2}).json()
    trained = backprop.train(backprop.LECTURE_NETWORK, backprop.LECTURE_EXAMPLE, 2, steps=100)
    assert at_once["errors"] == trained.errors[1:].tolist()
    assert at_once["error"] == at_once["errors"][-1]


def test_the_way_down_the_valley_is_that_of_the_product(own):
    asked = {"start": [-8, 2], "step_size": 0.15, "momentum": 0.5, "steps": 12}
    way = own.post("/api/microscope/valley", asked).json()
    expected = descend(Valley(steepness=10), (-8, 2), step_size=0.15, momentum=0.5, steps=13)
    assert [*way["points"], way["next"]] == expected.points.tolist()
    assert way["losses"] == expected.losses[:-1].tolist()


@pytest.mark.parametrize(
    ("size", "momentum", "verdict"),
    [
        (0.05, 0, "straight"),
        (0.1, 0, "at_once"),
        (0.15, 0, "oscillates"),
        (0.2, 0, "edge"),
        (0.21, 0, "diverges"),
        (0.21, 0.9, "momentum"),
        (0.39, 0.9, "diverges"),
    ],
)
def test_the_verdict_on_a_step_size_is_what_the_losses_do(own, size, momentum, verdict):
    asked = {"step_size": size, "momentum": momentum, "steps": 300}
    way = own.post("/api/microscope/valley", asked).json()
    assert way["verdict"] == verdict
    first, last = way["losses"][0], way["losses"][-1]
    assert (last > first) == (verdict == "diverges")
    assert (way["next"] is None) == (verdict == "diverges")


@pytest.mark.parametrize(
    ("path", "content", "field"),
    [
        ("network", {"weights": [1, 2]}, "weights"),
        ("network", {"weights": [0.1] * 7 + ["x"]}, "weights"),
        ("network", {"rate": 0}, "rate"),
        ("network", {"rate": True}, "rate"),
        ("network", {"steps": 10_001}, "steps"),
        ("network", {"steps": -1}, "steps"),
        ("valley", {"start": [1]}, "start"),
        ("valley", {"start": [1e300, 1]}, "start"),
        ("valley", {"steps": 501}, "steps"),
        ("valley", {"step_size": "0.1"}, "step_size"),
        ("valley", {"momentum": 1}, None),
        ("valley", {"steepness": 0}, None),
    ],
)
def test_numbers_that_cannot_be_are_refused_at_their_place(own, path, content, field):
    found = own.post(f"/api/microscope/{path}", content)
    assert found.status_code == 422, found.text
    assert found.json()["field"] == field
    assert "found" in found.json()["message"]


def test_what_is_no_number_in_json_is_refused(own):
    found = own.post("/api/microscope/network", b'{"rate": NaN}')
    assert found.status_code == 422


@pytest.mark.parametrize("path", ["network", "valley"])
def test_nothing_is_computed_without_the_token(own, path):
    assert own.client.post(f"/api/microscope/{path}", json={}).status_code == 401


def test_no_process_begins_once_the_studio_ends(tmp_path):
    looking = Looking(Places(tmp_path))
    looking.close()
    with pytest.raises(Problem, match="the studio is being ended"):
        looking._ask(tmp_path / "runs" / "first", {"do": "page"}, looking._permit)
    assert looking.status() == {"state": "idle"}


class Turn:
    """A lock that tells when somebody waits for it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.is_waited_for = threading.Event()

    def __enter__(self):
        self.is_waited_for.set()
        self.lock.acquire()

    def __exit__(self, *_error):
        self.lock.release()


def test_a_request_that_is_stopped_while_it_waits_or_begins_is_not_answered(tmp_path, monkeypatch):
    looking = Looking(Places(tmp_path))
    image = looking.pictures.add("a.png", picture(1))["id"]
    run = tmp_path / "runs" / "first"
    turn = looking._asking = Turn()
    turn.lock.acquire()
    with ThreadPoolExecutor() as tabs:
        waiting = tabs.submit(looking.time, run, image, {"do": "way"})
        assert turn.is_waited_for.wait(60)
        looking.stop()
        turn.lock.release()
        with pytest.raises(Problem, match="this was stopped"):
            waiting.result(60)

    class Stopped:
        """A process during whose start somebody stops it."""

        progress = None
        was_stopped = False

        def __init__(self, *_given):
            looking.stop()

        def stop(self):
            self.was_stopped = True

        def ask(self, _asked):
            assert self.was_stopped
            raise Ended

    monkeypatch.setattr("convlens.studio.microscope.looking.Worker", Stopped)
    with pytest.raises(Problem, match="this was stopped"):
        looking.time(run, image, {"do": "way"})
    looking.close()


def test_the_oldest_answers_go_by_their_number_and_by_their_size(tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "MOST_KEPT", 4)
    monkeypatch.setattr(looking, "MOST_BYTES", 250)
    for number in range(6):
        path = tmp_path / f"{number}.json"
        path.write_bytes(bytes(100 if number < 5 else 10))
        os.utime(path, (number, number))
    (tmp_path / "6.json").symlink_to(tmp_path / "removed meanwhile")
    looking._forget_oldest(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.json", "4.json", "5.json"]
    monkeypatch.setattr(looking, "MOST_BYTES", 1)
    looking._forget_oldest(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["5.json"]


def test_an_error_that_nobody_has_foreseen_is_said_and_does_not_end_the_process(monkeypatch):
    def answer(asked, progress):
        progress("writing", 0, 0)
        return {"page": asked["out"]}  # KeyError without it

    monkeypatch.setattr(looked, "Looked", lambda _folder: SimpleNamespace(page=answer))
    monkeypatch.setattr(look_process, "KINDER", 0)
    said = []
    monkeypatch.setattr(look_process, "teller", lambda: said.append)
    asked = {"do": "page", "language": "en", "bytes": 0}
    both = ({**asked, "number": 1}, {**asked, "number": 2, "out": "a"})
    lines = b"".join(json.dumps(one).encode() + b"\n" for one in both)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines)))
    look_process.main("run")
    ready, *rest = said
    assert ready == {"ready": {}}
    answers = [one for one in rest if "stage" not in one]
    assert answers[0]["refused"].startswith("this cannot be looked at: KeyError: 'out'.")
    assert answers[1:] == [{"number": 2, "answer": {"page": "a"}}]
    assert {"number": 1, "stage": "writing", "done": 0, "total": 0} in rest


def test_where_no_picture_can_be_written_the_page_is_told(own):
    (own.studio.workspace.places.hidden / "microscope").write_text("no folder")
    found = own.post("/api/microscope/images?name=1.png", picture(1))
    assert found.status_code == 507
    assert "the image cannot be written" in found.json()["message"]
