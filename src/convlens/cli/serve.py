"""`convlens serve`: answer requests of other programs with an exported folder or a run."""

import importlib.util
import math
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from convlens import run_access
from convlens.errors import BackendError, ConfigError, Interrupted
from convlens.files import and_more, storage_errors
from convlens.language import N_, _, listed, ngettext
from convlens.screen import Screen

if TYPE_CHECKING:
    import socket

    from convlens.serve.limits import Limits
    from convlens.serve.model import Served

NEEDS = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


def serve(  # noqa: PLR0913 - options of the command
    classifier: Annotated[str, Parameter(help=N_("run, .keras file or exported folder"))],
    /,
    *,
    host: Annotated[str, Parameter(help=N_("address to listen at"))] = "127.0.0.1",
    port: Annotated[int, Parameter(help=N_("port to listen at; 0 chooses a free one"))] = 8000,
    token_file: Annotated[
        Path | None, Parameter(help=N_("file with the token that requests must present"))
    ] = None,
    max_megabytes: Annotated[float, Parameter(help=N_("largest body of a request"))] = 32,
    max_queue: Annotated[int, Parameter(help=N_("most images that wait at a time"))] = 128,
    threads: Annotated[
        int | None, Parameter(help=N_("threads that decode and compute [all processors]"))
    ] = None,
    allow_anyone: Annotated[
        bool, Parameter(negative=(), help=N_("listen beyond this computer without a token"))
    ] = False,
) -> None:
    """Serve a classifier over HTTP: POST /predict, and the Open Inference Protocol."""
    threads = os.cpu_count() or 1 if threads is None else threads
    _check(max_megabytes, max_queue, threads)
    from convlens.serve.app import create_app
    from convlens.serve.limits import Limits
    from convlens.serve.model import open_served
    from convlens.serve.server import (
        bind,
        create_server,
        ending_at_sigterm,
        is_local,
        listen,
        run,
    )
    from convlens.serve.token import read_token

    token = None if token_file is None else read_token(token_file)
    limits = Limits.of(max_megabytes, max_queue, token)
    screen = Screen()
    with ExitStack() as stack:
        bound = stack.enter_context(bind(host, port))
        if not (is_local(bound) or token or allow_anyone):
            raise _reached_by_others(host)
        stack.enter_context(ending_at_sigterm())
        served = open_served(stack.enter_context(_exported(classifier, screen)), threads)
        server = create_server(create_app(served, limits))
        listen(bound)
        _show(served, limits, bound, screen)
        if not is_local(bound) and token is None:
            screen.note(_("anyone who reaches this address can use the server."))
        run(server, bound)
    if server.force_exit:
        said = _("stopped at once.")
    else:
        said = _("stopped; what was accepted has been answered.")
    if server.stopped_by == signal.SIGINT:
        raise Interrupted(said)
    screen.say(said)


def _reached_by_others(host: str) -> ConfigError:
    return ConfigError(
        _(
            "at {host} other computers can reach the server: give a --token-file, or "
            "--allow-anyone if everybody may use it."
        ).format(host=host)
    )


def _check(max_megabytes: float, max_queue: int, threads: int) -> None:
    """Raise an error if a package is missing, or if a number is not allowed."""
    missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise BackendError(
            _(
                "serving needs {packages}, which is not installed: pip install 'convlens[serve]'."
            ).format(packages=listed(missing))
        )
    least: dict[str, Any] = {
        "--max-megabytes": max_megabytes,
        "--max-queue": max_queue,
        "--threads": threads,
    }
    for flag, value in least.items():
        if not 0 < value < math.inf:
            raise ConfigError(
                _("{flag} must be a number greater than 0; found {value:g}.").format(
                    flag=flag, value=value
                )
            )


@contextmanager
def _exported(name: str, screen: Screen) -> Iterator[Path]:
    """Yield an exported folder; that of a run is made for the time of the server."""
    from convlens.export.folder import is_exported
    from convlens.serve.exporting import export_apart

    if is_exported(Path(name)):
        yield Path(name)
        return
    if not Path(name).is_file():
        run_access.find(name)  # a wrong name is told before anything is exported
    with storage_errors(tempfile.gettempdir(), _("the exported folder")):
        place = tempfile.TemporaryDirectory(prefix="convlens-", ignore_cleanup_errors=True)
    with place:
        folder = Path(place.name) / "exported"
        screen.say(
            _("exporting {name} first; this takes some ten seconds").format(name=name), "dim"
        )
        start = time.monotonic()
        export_apart(name, folder)
        screen.fact(
            _("exported"),
            _("in {seconds:.0f} s; convlens export writes a folder that is served at once").format(
                seconds=time.monotonic() - start
            ),
        )
        yield folder


def _show(served: "Served", limits: "Limits", bound: "socket.socket", screen: Screen) -> None:
    """Print what is served, and how to try it."""
    from convlens.serve.server import url_for_others, url_of

    names = served.predictor.class_names
    url = url_of(bound)
    others = url_for_others(bound)
    addresses = [(_("address"), url)]
    if others is not None:
        addresses.append((_("other computers"), others))
    screen.facts(
        [
            (
                _("serving"),
                _("{name}, which knows {number} classes: {names}").format(
                    name=served.name, number=len(names), names=and_more(names, 8)
                ),
            ),
            *addresses,
            (
                _("engine"),
                ngettext(
                    "{engine}; {threads} thread decodes and computes",
                    "{engine}; {threads} threads decode and compute",
                    served.threads,
                ).format(engine=served.engine_name, threads=served.threads),
            ),
            (
                _("examples"),
                _("{number}; a probability differs by {largest:.1e} at most").format(
                    number=served.examples, largest=served.largest
                ),
            ),
            (
                _("limits"),
                ngettext(
                    "{megabytes:g} MB for a request; {images} image waits at most",
                    "{megabytes:g} MB for a request; {images} images wait at most",
                    limits.max_queue,
                ).format(megabytes=limits.max_bytes / 1e6, images=limits.max_queue),
            ),
            (_("pages"), _("{url}/docs describes the requests").format(url=url)),
            (_("try"), _how_to_try(url, limits)),
            (_("stop"), "Ctrl-C"),
        ]
    )


def _how_to_try(url: str, limits: "Limits") -> str:
    template = "curl -F image=@photo.jpg {url}/predict"  # not translated: a command
    if limits.token is not None:
        # not translated: as above
        template = 'curl -H "Authorization: Bearer TOKEN" -F image=@photo.jpg {url}/predict'
    return template.format(url=url)
