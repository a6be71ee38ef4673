"""What the tests of crashes share: the recorder."""

from collections.abc import Iterator

import pytest

from tests.crashes.recorder import Recorder, reason_to_skip


@pytest.fixture(scope="session")
def recorder(tmp_path_factory) -> Iterator[Recorder]:
    """Return the recorder, whose server is started once."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    found = Recorder(tmp_path_factory.mktemp("recorder"))
    yield found
    found.close()
