"""Server: a process that has imported the engine, and forks once for each job.

It is started with the recorder preloaded. Each line of its input is a job as JSON; the answer is a
line with the exit code. A job is a function of `tests.crashes.jobs` with its arguments. TensorFlow
survives a fork as long as it has not computed anything, so no job runs in the server itself.
"""

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from typing import Any

from convlens.errors import ConvlensError

POLL = 0.002  # seconds


def main() -> None:
    """Carry out the jobs."""
    from convlens import backend

    backend.start()
    from tests.crashes import jobs

    jobs.prepare()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        print(_carry_out(job), file=answers, flush=True)


def _carry_out(job: dict[str, Any]) -> int:
    """Return the exit code of a job; that of a killed one is the negative number of the signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _begin(job)
            code = _run(job["name"], job["arguments"])
        finally:
            os._exit(code)
    if job["kill_after"] is not None:
        end = time.monotonic() + job["kill_after"]
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(POLL)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _begin(job: dict[str, Any]) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, file in ((0, null), (1, output), (2, output)):
        os.dup2(file, number)
    os.environ.update(job["environment"])
    ctypes.CDLL(None).recorder_start()


def _run(name: str, arguments: list[str]) -> int:
    """Return the exit code of a function; an expected error is printed as one line."""
    from tests.crashes import jobs

    try:
        getattr(jobs, name)(*arguments)
    except ConvlensError as error:
        print(error)
        code = error.exit_code
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    except BaseException:
        traceback.print_exc()
        code = 1
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    main()
