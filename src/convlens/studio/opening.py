"""Opening: the workspace of a folder, which is made if it is missing.

    FOLDER/images/CLASS/...     the images, as `convlens train` takes them
    FOLDER/corrections.csv      which images are left out or have another label
    FOLDER/runs/                trainings
    FOLDER/exports/             exported folders
    FOLDER/.studio/             what only the studio needs

Images that lie elsewhere are opened as they are. Their workspace is a folder NAME-studio in the
current folder, and nothing is ever written where the images are.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from convlens.data.dataset import Dataset
from convlens.errors import ConfigError, RunError
from convlens.files import expanded, numbered, storage_errors, write_atomically
from convlens.folders import make_folder, remove_temporaries
from convlens.language import _
from convlens.lock import tried

DEFAULT = "studio"
HIDDEN = ".studio"
FORMAT = 1
PRIVATE = 0o600


@dataclass(frozen=True)
class Places:
    """Where everything of a workspace lies.

    Attributes:
        root: The workspace.
        source: The data source that is opened, or None if the images are in the workspace.
        former: The folders at which the workspace has been opened before, or from which it was
            copied. Its earlier runs name their images by these.
    """

    root: Path
    source: str | None = None
    former: tuple[str, ...] = ()

    @property
    def images(self) -> Path:
        """The folder with a folder for each class."""
        return self.root / "images"

    @property
    def list(self) -> Path:
        """The list of corrections."""
        return self.root / "corrections.csv"

    @property
    def runs(self) -> Path:
        """The folder of the trainings."""
        return self.root / "runs"

    @property
    def exports(self) -> Path:
        """The folder of the exports."""
        return self.root / "exports"

    @property
    def hidden(self) -> Path:
        """The folder with what only the studio needs."""
        return self.root / HIDDEN

    @property
    def trash(self) -> Path:
        """The folder of what was removed and can come back."""
        return self.hidden / "trash"

    @property
    def imports(self) -> Path:
        """The folder of images that came with folders or archives and have no class yet."""
        return self.hidden / "imports"


def open_places(folder: str | None) -> Places:
    """Return the workspace that a user means; it is made if it is missing.

    Args:
        folder: A workspace, an empty or a new folder, a data source, or None for `./studio`.

    Raises:
        DataError: If there is a run or something else at this path.
        StorageError: If the workspace cannot be written.
    """
    root = expanded(folder or DEFAULT).absolute()
    if _facts(root) is not None:
        return _opened(root)
    if folder is not None and not _is_new(root):
        return _beside_images(folder, root)
    if folder is None and not _is_new(root):
        raise ConfigError(
            _(
                "{folder}: this folder is no workspace of the studio; name another one, as in "
                "convlens studio my-images."
            ).format(folder=root)
        )
    return _made(Places(root))


def _is_new(root: Path) -> bool:
    """Return whether a folder is not there yet, or is empty."""
    if not root.exists():
        # A name such as mnist5k stands for a known data set.
        return not root.is_symlink() and root.parent.is_dir() and not _is_known(root.name)
    return root.is_dir() and not any(root.iterdir())


def _is_known(name: str) -> bool:
    from convlens.data.formats.named import NAMES

    return name.lower().replace("-", "_") in NAMES


def _facts(root: Path) -> dict[str, object] | None:
    """Return what a workspace says of itself, or None if a folder is none."""
    with suppress(OSError, ValueError):
        content = json.loads((root / HIDDEN / "studio.json").read_text(encoding="utf-8"))
        if isinstance(content, dict) and isinstance(content.get("format"), int):
            return content
    return None


def _opened(root: Path) -> Places:
    facts = _facts(root) or {}
    if facts["format"] != FORMAT:
        raise ConfigError(
            _("{folder}: a later convlens has made this workspace; install it to open it.").format(
                folder=root
            )
        )
    source = facts.get("source")
    roots = facts.get("roots", [])
    roots = [one for one in roots if isinstance(one, str)] if isinstance(roots, list) else []
    here = str(root.absolute())
    places = _made(Places(root, source if isinstance(source, str) else None, tuple(roots)))
    if here not in roots:  # it was moved, or it is a copy
        _write_facts(places, [*roots, here])
    return places


def _beside_images(folder: str, root: Path) -> Places:
    """Return the workspace of images that lie elsewhere.

    Raises:
        DataError: If `train` does not know what lies there.
    """
    from convlens.data.sources import load_to_check

    dataset: Dataset = load_to_check(folder)
    source = dataset.path
    around = Path.cwd()
    if root.exists() and around.resolve().is_relative_to(root.resolve()):
        around = root.resolve().parent  # nothing is written among the images
    safe = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in dataset.name)
    place = next(
        one
        for one in numbered(around / f"{safe}-studio")
        if _is_new(one) or (_facts(one) or {}).get("source") == source
    )
    return _opened(place) if _facts(place) else _made(Places(place, source))


def _made(places: Places) -> Places:
    """Return a workspace of which all folders are there."""
    with storage_errors(places.root, _("the workspace")):
        for folder in (places.runs, places.hidden, places.trash, places.imports):
            make_folder(folder)
        places.hidden.chmod(0o700)
        if places.source is None:
            make_folder(places.images)
    if _facts(places.root) is None:
        _write_facts(places, [str(places.root.absolute())])
    return places


def _write_facts(places: Places, roots: list[str]) -> None:
    facts = {"format": FORMAT, "source": places.source, "roots": roots}
    write_atomically(places.hidden / "studio.json", json.dumps(facts), _("the workspace"))


def token_of(places: Places) -> str:
    """Return the token of a workspace; it stays, so that a page goes on after a restart."""
    path = places.hidden / "token"
    with suppress(OSError, UnicodeDecodeError):
        found = path.read_text(encoding="ascii").strip()
        if len(found) >= 40 and found.isalnum():
            return found
    token = secrets.token_hex(24)
    write_privately(path, token, _("the token"))
    return token


def write_privately(path: Path, content: str, what: str) -> None:
    """Write a file that only the user can read, also while it is written.

    Args:
        path: The file.
        content: Its content, in ASCII.
        what: What it is, for the message.

    Raises:
        StorageError: If it cannot be written.
    """

    def write(temporary: Path) -> None:
        temporary.touch(PRIVATE)
        temporary.write_text(content, encoding="ascii")

    write_atomically(path, write, what)


@contextmanager
def held(places: Places) -> Iterator[Path]:
    """Hold a workspace for the block; yield the file into which its address is written.

    Raises:
        RunError: If another studio has opened it.
        StorageError: If it cannot be written.
    """
    address = places.hidden / "address"
    with ExitStack() as stack:
        with storage_errors(places.root, _("the workspace")):
            is_free = stack.enter_context(tried(places.hidden / "lock"))
        if not is_free:
            raise RunError(_already_open(places, address))
        remove_temporaries(places.hidden)
        if places.source is None:
            remove_temporaries(places.images)
        try:
            yield address
        finally:
            address.unlink(missing_ok=True)


def _already_open(places: Places, address: Path) -> str:
    with suppress(OSError):
        url = address.read_text(encoding="utf-8")
        return _(
            "{folder}: the studio has this workspace open already, at {url}; open that page, or "
            "stop the other studio with Ctrl-C."
        ).format(folder=places.root, url=url)
    return _(
        "{folder}: the studio has this workspace open already; stop the other studio with Ctrl-C."
    ).format(folder=places.root)
