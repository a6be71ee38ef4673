"""Vendor: fetch the JavaScript packages whose files are part of convlens, as its build does.

    python tools/vendor.py

pyproject.toml names the packages, with their versions, the digests of their archives and the files
that are used. npm fetches them; their scripts are not run. Files that are there are kept.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDER = Path("src/convlens/vendor")
SECONDS = 600  # that npm may take for a package


class VendorError(Exception):
    """A package cannot be fetched."""


def main() -> int:
    """Fetch what is missing, and return the exit code."""
    try:
        fetch(ROOT)
    except VendorError as error:
        print(error, file=sys.stderr)
        return 1
    print("the files of all JavaScript packages are there")
    return 0


def fetch(root: Path) -> None:
    """Fetch the packages that pyproject.toml names, unless they are there.

    Args:
        root: The folder of pyproject.toml.

    Raises:
        VendorError: If a package is missing and cannot be fetched.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    for package in project["tool"]["convlens"]["vendor"]:
        folder = root / FOLDER / package["name"]
        if not _is_there(folder, package):
            _unpack(_pack(package), package, folder)


def _is_there(folder: Path, package: dict[str, Any]) -> bool:
    names = [PurePosixPath(file).name for file in package["files"]]
    if not all((folder / name).is_file() for name in names):
        return False
    facts = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    return bool(facts["version"] == package["version"])


def _pack(package: dict[str, Any]) -> bytes:
    """Return the archive of a package, which is the one that pyproject.toml expects."""
    name = "{name}@{version}".format(**package)
    npm = shutil.which("npm")
    if npm is None:
        raise VendorError(f"{name} cannot be fetched: npm is missing; install Node.js")
    with tempfile.TemporaryDirectory() as place:
        command = [npm, "pack", name, "--ignore-scripts", "--fetch-retries=1"]
        try:
            done = subprocess.run(
                command, cwd=place, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise VendorError(f"{name} cannot be fetched: npm took {SECONDS} seconds") from error
        archives = list(Path(place).glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            reason = done.stderr.strip().partition("\n")[0] or "npm wrote no archive"
            raise VendorError(f"{name} cannot be fetched: {reason}")
        content = archives[0].read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != package["integrity"]:
        raise VendorError(
            f"{name}: the archive must have the digest {package['integrity']}; npm gave {found}"
        )
    return content


def _unpack(content: bytes, package: dict[str, Any], folder: Path) -> None:
    """Write the files of a package that are used into a folder, package.json as the last."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            for name in sorted(package["files"], key="package.json".__eq__):
                member = archive.extractfile(f"package/{name}")
                if member is None:
                    raise VendorError(f"{package['name']}: {name} must be a file")
                (folder / PurePosixPath(name).name).write_bytes(member.read())


if __name__ == "__main__":
    sys.exit(main())
