"""`convlens studio`: a page in the browser of this computer, over ordinary folders."""

import importlib.util
import os
import shlex
import signal
import sys
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convlens.errors import BackendError, ConfigError, Interrupted
from convlens.files import write_atomically
from convlens.language import N_, _, listed, ngettext, sentences
from convlens.screen import Screen

if TYPE_CHECKING:
    import socket

    from convlens.serve.server import Server
    from convlens.studio.studio import Studio

NEEDS = ("starlette", "uvicorn")
PORT = 8765
WINDOWS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")  # variables, one of which leads to a window


def studio(
    folder: Annotated[
        str | None,
        Parameter(help=N_("workspace, its zip, new folder or images of yours [./studio]")),
    ] = None,
    /,
    *,
    port: Annotated[int, Parameter(help=N_("port to listen at; 0 chooses a free one"))] = PORT,
    host: Annotated[
        str, Parameter(help=N_("address to listen at; others let other computers in"))
    ] = "127.0.0.1",
    https: Annotated[
        bool,
        Parameter(negative=(), help=N_("encrypt with a certificate that is made here, for phones")),
    ] = False,
    no_browser: Annotated[
        bool, Parameter(negative=(), help=N_("only print the address of the page"))
    ] = False,
) -> None:
    """Open the studio in the browser: from images to a classifier, without a cloud."""
    _require_packages()
    from convlens.serve.server import bind, ending_at_sigterm, run
    from convlens.studio.opening import held, open_places, token_of
    from convlens.studio.pages import require_packages
    from convlens.studio.studio import Studio

    require_packages()
    _require_https(https)
    screen = Screen()
    with ExitStack() as stack:
        stack.enter_context(ending_at_sigterm())
        places = open_places(_unpacked(folder, screen))
        address_file = stack.enter_context(held(places))
        bound = stack.enter_context(bind(host, port))
        opened = Studio(places)
        server = _listening(opened, bound, host, https=https)
        url = opened.shipping.reach.url
        write_atomically(address_file, url, _("the workspace"))
        address = f"{url}/#token={token_of(places)}"
        _show(opened, bound, address, screen)
        if not no_browser:
            stack.enter_context(_shown_in_browser(places.root / "open.html", address, screen))
        run(server, bound)
    said = sentences(
        _("stopped; everything is in {folder}.").format(folder=places.root), _goes_on(opened)
    )
    if server.stopped_by == signal.SIGINT:
        raise Interrupted(said)
    screen.say(said)


def _listening(opened: "Studio", bound: "socket.socket", host: str, *, https: bool) -> "Server":
    """Return the server of a studio, whose clients can connect."""
    from convlens.serve.server import create_server, is_local, listen
    from convlens.studio.app import create_app
    from convlens.studio.guard import Access
    from convlens.studio.https import certificate_for
    from convlens.studio.opening import token_of
    from convlens.studio.shipping.shipping import Reach

    places = opened.workspace.places
    names = _names(host, bound)
    certificate = certificate_for(places.hidden / "https", _bare(names)) if https else None
    scheme = "http" if certificate is None else "https"
    access = Access.of(token_of(places), names, bound.getsockname()[1], scheme)
    server = create_server(
        create_app(opened, access), None if certificate is None else certificate.file
    )
    server.when_told_to_stop = opened.ended.set
    listen(bound)
    fingerprint = "" if certificate is None else certificate.fingerprint
    opened.shipping.reach = Reach(_url(bound, scheme), is_local(bound), fingerprint)
    return server


def _goes_on(opened: "Studio") -> str:
    """Return that a training goes on and how it is stopped, or nothing."""
    running = opened.queue.running
    if running is None or running.stopping:
        return ""
    return _(
        "The training {run} goes on, and the next convlens studio finds it; to stop it: kill -INT "
        "{pid}"
    ).format(run=running.run, pid=running.pid)


def _require_packages() -> None:
    missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise BackendError(
            _(
                "the studio needs {packages}, which is not installed: pip install "
                "'convlens[studio]'."
            ).format(packages=listed(missing))
        )


def _names(host: str, bound: "socket.socket") -> list[str]:
    """Return the names under which browsers know the studio."""
    from convlens.serve.server import url_for_others, url_of

    urls = [url_of(bound), url_for_others(bound) or ""]
    bound_to = [url.removeprefix("http://").rpartition(":")[0] for url in urls if url]
    return ["127.0.0.1", "localhost", "[::1]", *bound_to, host]


def _bare(names: list[str]) -> list[str]:
    """Return names of hosts as a certificate has them; an address of all of them is none."""
    bare = [name.strip("[]").partition("%")[0] for name in names]
    return [name for name in bare if name not in ("0.0.0.0", "::")]


def _url(bound: "socket.socket", scheme: str) -> str:
    """Return the address of the page, as another computer finds it if it can."""
    from convlens.serve.server import url_for_others, url_of

    url = url_for_others(bound) or url_of(bound)
    return url.replace("http:", f"{scheme}:", 1)


def _require_https(https: bool) -> None:
    """Raise BackendError if HTTPS is asked for and the package is missing that it needs."""
    from convlens.studio.https import missing_https

    if https and (missing := missing_https()):
        raise BackendError(missing)


def _unpacked(folder: str | None, screen: Screen) -> str | None:
    """Return what is opened; a workspace that was saved as a zip is unpacked first, beside it.

    Raises:
        ConfigError: If it was unpacked before: what was done in it since is not in the archive; or
            if there is no such archive.
    """
    from convlens.files import expanded
    from convlens.studio.shipping.unpack import holds_workspace, stem_of, unpack_workspace

    if folder is None or not folder.lower().endswith(".zip"):
        return folder
    archive = expanded(folder).absolute()
    if not os.path.lexists(archive):
        raise ConfigError(
            _(
                "{archive}: there is no such archive. The name of a new workspace, which is a "
                "folder, does not end in .zip."
            ).format(archive=folder)
        )
    if not holds_workspace(archive):
        return folder
    before = archive.with_name(stem_of(archive.name))
    if os.path.lexists(before):
        raise ConfigError(
            _(
                "{archive}: {folder} is there already. If this archive was unpacked there before, "
                "open the folder: {command}. Otherwise rename one of the two."
            ).format(
                archive=folder,
                folder=before,
                command=shlex.join(["convlens", "studio", str(before)]),
            )
        )
    found = unpack_workspace(archive, archive.parent, archive.name)
    screen.fact(_("unpacked"), str(found))
    return str(found)


def _show(opened: "Studio", bound: "socket.socket", address: str, screen: Screen) -> None:
    """Print what is open, and where."""
    from convlens.serve.server import is_local

    workspace = opened.workspace
    classes = len(workspace.listing.class_names)
    images = ngettext(
        "{images:,} in {classes} class", "{images:,} in {classes} classes", classes
    ).format(images=len(workspace.listing.items), classes=classes)
    facts = [(_("workspace"), str(workspace.places.root)), (_("images"), images)]
    if workspace.places.source is not None:
        never = _("{source}, which is never changed").format(source=workspace.places.source)
        facts.append((_("source"), never))
    facts.append((_("address"), address))
    fingerprint = opened.shipping.reach.fingerprint
    if fingerprint:
        facts.append((_("certificate"), "SHA-256 " + fingerprint))
    screen.facts([*facts, (_("stop"), "Ctrl-C")])
    if fingerprint:
        screen.note(
            _(
                "the certificate was made on this computer, so that browsers warn once; go on if "
                "they show the digits above."
            )
        )
    if is_local(bound):
        return
    if fingerprint:
        screen.note(
            _("whoever has this address can use the studio; use it only in a network you trust.")
        )
        return
    screen.note(
        _(
            "whoever has this address can use the studio, and it is sent without encryption; "
            "use it only in a network that you trust."
        )
    )


@contextmanager
def _shown_in_browser(file: Path, address: str, screen: Screen) -> Iterator[None]:
    """Open the page in a browser.

    The browser is given a file that leads to the page, since other users of the computer see the
    words of a command, and the token would be among them.
    """
    # not translated: nobody reads it
    page = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={}">'

    def write(temporary: Path) -> None:
        temporary.touch(0o600)
        temporary.write_text(page.format(escape(address)), encoding="utf-8")

    write_atomically(file, write, _("the workspace"))
    try:
        opening = threading.Thread(target=_open_browser, args=(file.as_uri(), screen), daemon=True)
        opening.start()
        yield
    finally:
        file.unlink(missing_ok=True)


def _open_browser(url: str, screen: Screen) -> None:
    """Open a browser, which some commands of browsers wait for until it is closed.

    Without windows only browsers of the terminal would be found, which cannot show the page.
    """
    has_windows = sys.platform in ("darwin", "win32") or any(map(os.environ.get, WINDOWS))
    is_open = False
    with suppress(webbrowser.Error):
        is_open = has_windows and webbrowser.open(url)
    if not is_open:
        screen.note(_("no browser could be opened; open the address yourself."))
