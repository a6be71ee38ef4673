"""Files of JavaScript packages: which archive is taken, which files of it, and what is said."""

import base64
import hashlib
import io
import os
import shutil
import stat
import sys
import tarfile
import tomllib
from pathlib import Path, PurePosixPath

import pytest
from tools.vendor import ROOT, VendorError, fetch

from convlens import vendor
from convlens.errors import BackendError

PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["convlens"]
# A program in the place of npm: it gives the archive that lies beside it.
NPM = """#!{python}
import pathlib, shutil, sys
here = pathlib.Path(__file__).parent
(here / "words").write_text(" ".join(sys.argv[1:]))
if not (here / "archive").exists():
    sys.exit("npm error code ENOTFOUND\\nnpm error errno ENOTFOUND")
shutil.copy(here / "archive", "thing-1.0.0.tgz")
"""


def archive(version="1.0.0"):
    """Return the archive of a package as npm makes it."""
    file = io.BytesIO()
    contents = {
        "package.json": f'{{"version": "{version}"}}',
        "dist/thing.js": "thing",
        "dist/thing.js.map": "a file that is not used",
    }
    with tarfile.open(fileobj=file, mode="w:gz") as packed:
        for name, text in contents.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text.encode()))
    return file.getvalue()


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A program of the name npm that gives an archive; its folder."""
    if sys.platform == "win32":
        pytest.skip("a script is not a program on Windows")
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "npm"
    program.write_text(NPM.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "archive").write_bytes(archive())
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return folder


def project(root, content, version="1.0.0"):
    """Write the pyproject.toml of a project that uses the package with this content."""
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    root.mkdir(exist_ok=True)
    (root / "pyproject.toml").write_text(
        f'[[tool.convlens.vendor]]\nname = "thing"\nversion = "{version}"\n'
        f'integrity = "sha512-{digest}"\nfiles = ["package.json", "dist/thing.js"]\n'
    )
    return root


def test_the_named_files_are_fetched_once(npm, tmp_path):
    root = project(tmp_path / "root", archive())
    fetch(root)
    folder = root / "src/convlens/vendor/thing"
    assert {file.name: file.read_text() for file in folder.iterdir()} == {
        "package.json": '{"version": "1.0.0"}',
        "thing.js": "thing",
    }
    assert (npm / "words").read_text().startswith("pack thing@1.0.0 --ignore-scripts")
    (npm / "words").unlink()
    fetch(root)
    assert not (npm / "words").exists()


def test_another_version_replaces_the_files(npm, tmp_path):
    root = project(tmp_path / "root", archive())
    fetch(root)
    newer = archive("1.1.0")
    (npm / "archive").write_bytes(newer)
    fetch(project(root, newer, "1.1.0"))
    assert "1.1.0" in (root / "src/convlens/vendor/thing/package.json").read_text()


def test_another_archive_is_refused(npm, tmp_path):
    root = project(tmp_path / "root", archive())
    (npm / "archive").write_bytes(archive("1.0.1"))
    with pytest.raises(VendorError, match=r"thing@1.0.0: the archive must have the digest sha512-"):
        fetch(root)
    assert not (root / "src").exists()


def test_a_missing_npm_and_a_failing_one_are_named(npm, tmp_path, monkeypatch):
    root = project(tmp_path / "root", archive())
    (npm / "archive").unlink()
    with pytest.raises(VendorError, match=r"fetched: npm error code ENOTFOUND$"):
        fetch(root)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(VendorError, match=r"npm is missing; install Node.js"):
        fetch(root)


def test_an_installation_has_every_file_that_pyproject_names():
    if shutil.which("npm") is None:
        pytest.skip("npm is missing here, and it fetches the files when convlens is installed")
    for package in PACKAGES["vendor"]:
        folder = vendor.package_folder(package["name"])
        for file in package["files"]:
            assert (folder / PurePosixPath(file).name).stat().st_size > 50
        assert vendor.package_version(package["name"]) == package["version"]
        assert (folder / "LICENSE").exists()


def test_a_package_that_was_not_fetched_is_one_clear_line(monkeypatch, tmp_path):
    monkeypatch.setattr(vendor, "FOLDER", Path(tmp_path))
    with pytest.raises(
        BackendError, match=r"package swagger-ui-dist must be in .*Install Node\.js"
    ):
        vendor.package_folder("swagger-ui-dist")
