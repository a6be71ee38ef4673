import subprocess
import sys

import pytest

import convlens


@pytest.mark.parametrize("name", ["plots", "Classifier", "load_data", "arithmetic"])
def test_a_name_is_there_in_a_process_of_its_own(name):
    code = f"import convlens; print(convlens.{name}.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(name)
    assert done.stderr == ""


def test_importing_convlens_imports_no_engine():
    code = (
        "import sys, convlens; print(sorted({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "[]\n"
    )


def test_all_names_exist_and_no_other():
    for name in convlens.__all__:
        assert getattr(convlens, name) is not None
    assert sorted(convlens.__all__) == convlens.__all__ == dir(convlens)
    with pytest.raises(AttributeError):
        _ = convlens.nothing
