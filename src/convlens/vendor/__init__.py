"""Vendor: files of JavaScript packages, which the build of convlens fetches with npm.

The packages and their versions are named in pyproject.toml, and `tools/vendor.py` fetches them.
"""

import json
from pathlib import Path

from convlens.errors import BackendError
from convlens.language import _

FOLDER = Path(__file__).parent


def package_folder(name: str) -> Path:
    """Return the folder with the files of a JavaScript package.

    Args:
        name: The name of the package, such as "onnxruntime-web".

    Raises:
        BackendError: If npm was missing when convlens was installed.
    """
    folder = FOLDER / name
    if not (folder / "package.json").is_file():
        raise BackendError(
            _(
                "the files of the JavaScript package {package} must be in {folder}; npm fetches "
                "them when convlens is installed. Install Node.js, which has npm, then convlens "
                "again: pip install --force-reinstall --no-deps convlens."
            ).format(package=name, folder=folder)
        )
    return folder


def package_version(name: str) -> str:
    """Return the version of a JavaScript package; see `package_folder`."""
    facts = json.loads((package_folder(name) / "package.json").read_text(encoding="utf-8"))
    return str(facts["version"])
