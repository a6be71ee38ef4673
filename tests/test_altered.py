"""What somebody has changed of a run since convlens has written it."""

import json

import pytest

from convlens import altered as module
from convlens.altered import altered, refuse_altered
from convlens.checksums import SUMS, seal, seal_begun
from convlens.config import Config
from convlens.errors import RunError


def test_settings_and_splits_that_were_changed_since_are_told(tmp_path):
    for name in ("run.toml", "asked.toml", "data.json", "history.csv"):
        (tmp_path / name).write_text(name)
    assert altered(tmp_path) == []  # without checksums nothing is known
    seal(tmp_path)
    refuse_altered(tmp_path)
    for name in ("history.csv", "run.toml"):
        (tmp_path / name).write_text("changed")
    (said,) = altered(tmp_path)
    assert said.startswith(f"{tmp_path / 'run.toml'}: the settings and the split of a run must")
    with pytest.raises(RunError, match=r"run\.toml: .* Restore the file"):
        refuse_altered(tmp_path)
    (tmp_path / "asked.toml").write_text("changed")
    assert len(altered(tmp_path)) == 2  # it decides how folds and draws go on
    (tmp_path / "run.toml").unlink()
    (tmp_path / SUMS).write_text("damaged")
    assert altered(tmp_path) == []


def test_changed_settings_of_searches_comparisons_and_parts_are_told(tmp_path):
    names = ("search.json", "compare.json", "network/run.toml", "network/data.json")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    for folder in (tmp_path, tmp_path / "network"):
        seal_begun(folder)
    assert altered(tmp_path) == []
    for name in names:
        (tmp_path / name).write_text("changed")
    assert [said.partition(":")[0] for said in altered(tmp_path)] == [
        str(tmp_path / name)
        for name in ("compare.json", "search.json", "network/data.json", "network/run.toml")
    ]


@pytest.mark.parametrize("done", ["report.json", "trained.json", "state/scored.npz"])
def test_parts_that_are_done_are_not_read_again(tmp_path, done):
    (tmp_path / "compare.json").write_text("{}")
    for name in ("first", "second"):
        (tmp_path / name / "state").mkdir(parents=True)
        (tmp_path / name / "run.toml").write_text(name)
        seal_begun(tmp_path / name)
        (tmp_path / name / "run.toml").write_text("changed")
    (tmp_path / "first" / done).write_text("{}")
    (said,) = altered(tmp_path)
    assert said.startswith(str(tmp_path / "second"))
    (tmp_path / "compare.json").write_text('{"ranking": []}')
    assert altered(tmp_path) == []


def test_trials_that_have_ended_are_not_read_again(tmp_path):
    (tmp_path / "search.json").write_text("{}")
    for number in range(2):
        part = tmp_path / f"trial-{number:03d}"
        part.mkdir()
        (part / "run.toml").touch()
        seal_begun(part)
        (part / "run.toml").write_text("changed")
    (tmp_path / "trials.csv").write_text("trial,state\n0,pruned\n")
    (said,) = altered(tmp_path)
    assert said.startswith(str(tmp_path / "trial-001"))
    (tmp_path / "trials.csv").write_bytes(b"trial,state\n\xff")
    assert len(altered(tmp_path)) == 2


@pytest.mark.parametrize("name", ["search.json", "compare.json"])
def test_advice_for_searches_and_comparisons_names_no_flag_that_they_lack(tmp_path, name):
    (tmp_path / name).write_text("{}")
    (tmp_path / "run.toml").write_text("")
    seal_begun(tmp_path)
    (tmp_path / name).write_text('{"trials": 3}')
    (said,) = altered(tmp_path)
    assert said.endswith("begin a new search or comparison under another --run name.")


def test_settings_that_cannot_be_read_are_not_said_to_be_changed(tmp_path, monkeypatch):
    (tmp_path / "run.toml").write_text("")
    seal(tmp_path)

    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr(module, "digest", refuse)
    assert altered(tmp_path) == []


def told(folder, monkeypatch, recorded, sealed, **facts):
    """Return what is said of a run whose seed somebody has changed after it was sealed."""
    (folder / "run.toml").write_text(sealed.to_toml(), encoding="utf-8")
    (folder / "data.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder / "classifier.keras").touch()
    seal_begun(folder)
    (folder / "run.toml").write_text(sealed.replace(seed=7).to_toml(), encoding="utf-8")
    monkeypatch.setattr(module, "read_facts", lambda _path: {"provenance": {"config": recorded}})
    (said,) = altered(folder)
    return said.partition(" What was changed: ")[2].partition(" Restore")[0]


def recorded(config):
    return json.loads(json.dumps(config.to_dict()))


def test_the_settings_that_somebody_has_changed_are_told(tmp_path, monkeypatch):
    config = Config().replace(epochs=20)
    said = told(tmp_path, monkeypatch, recorded(config), config)
    assert said == "seed (0 before, 7 now)."


def test_what_a_time_budget_has_planned_anew_was_changed_by_nobody(tmp_path, monkeypatch):
    before = recorded(Config().replace(epochs=20))
    assert told(tmp_path, monkeypatch, before, Config().replace(epochs=9), budget=60.0) == ""


def test_what_fine_tunes_a_head_that_was_saved_before_was_changed_by_nobody(tmp_path, monkeypatch):
    frozen = Config().replace(backbone="efficientnet_lite0")
    fine_tuned = frozen.replace(unfreeze="all", batch_size=16)
    assert told(tmp_path, monkeypatch, recorded(frozen), fine_tuned) == ""


@pytest.mark.parametrize(
    "before", [None, [], "text", {}, {"transfer": {"unfreeze": None}, "training": 3}]
)
def test_an_odd_record_of_a_classifier_tells_nothing(tmp_path, monkeypatch, before):
    assert told(tmp_path, monkeypatch, before, Config()) == ""
