"""The maps of every method with JAX and with PyTorch."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.backends
CODE = """
from convlens import backend
backend.start({engine!r})
from convlens.maps.explainer import Explainer
from tests.maps.networks import marked, red_finder
for hidden in (False, True):
    explainer = Explainer(red_finder(hidden=hidden))
    found = explainer.explain(marked(), methods=explainer.methods)
    assert all(one.map.values.any() for one in found.maps)
    assert all(check.passed for one in found.maps for check in one.checks[:1])
    if not hidden:
        assert found.maps[0].map.method == "exact"
        largest = max(explainer.randomise("exact", marked()[None]).correlations)
        assert largest < 1
"""


@pytest.mark.parametrize("engine", ["jax", "torch"])
def test_every_method_works(engine):
    environment = {**os.environ, "KERAS_BACKEND": engine}
    code = CODE.format(engine=engine)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
