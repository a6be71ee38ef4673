"""Which searches and comparisons can be continued, by their files."""

from convlens.run import Run
from convlens.run_folder import COMPARISON_FACTS
from convlens.studies.begun import find_comparison


def test_a_comparison_is_found_beside_a_folder_of_images_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    comparison = Run.create("pets", "")
    comparison.write(COMPARISON_FACTS, "{}")
    assert find_comparison("pets") == comparison.folder
