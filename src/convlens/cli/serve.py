"""`convlens serve`: answer requests of other programs with an exported folder or a run."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from convlens.errors import Interrupted
from convlens.language import N_, _
from convlens.screen import Screen


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
        int | None, Parameter(help=N_("threads that decode and compute; all processors [2]"))
    ] = None,
    allow_anyone: Annotated[
        bool, Parameter(negative=(), help=N_("listen beyond this computer without a token"))
    ] = False,
) -> None:
    """Serve a classifier over HTTP: POST /predict, and the Open Inference Protocol."""
    from convlens.serve.app import create_app
    from convlens.serve.limits import Limits
    from convlens.serve.model import open_served
    from convlens.serve.server import INTERRUPT, bind, run, url_of

    screen = Screen()
    bound = bind(host, port)
    served = open_served(Path(classifier), threads or os.cpu_count() or 1)
    limits = Limits(int(max_megabytes * 10**6), max_queue)
    app = create_app(served, limits)
    screen.facts([(_("address"), url_of(bound))])
    if run(app, bound) == INTERRUPT:
        raise Interrupted(_("stopped"))
