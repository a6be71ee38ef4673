"""The table of keras.applications: the files of weights are those that Keras downloads."""

import keras
import pytest
from keras.src.utils import file_utils

from convlens.zoo.classics import APPLICATIONS
from convlens.zoo.registry import model_info
from convlens.zoo.weights import URL
from tests.zoo.weight_files import NETWORK, SLOW


@pytest.mark.parametrize("name", [NETWORK, *SLOW])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_files_are_those_of_keras(name, monkeypatch):
    asked = []

    def record(fname, origin, cache_subdir, file_hash):
        asked.append((fname, origin, file_hash))
        assert cache_subdir == "models"
        raise InterruptedError

    monkeypatch.setattr(file_utils, "get_file", record)
    for top in (True, False):
        with pytest.raises(InterruptedError):
            getattr(keras.applications, APPLICATIONS[name].builder)(
                weights="imagenet", include_top=top
            )
    assert asked == [
        (file.name, f"{URL}/{file.path}", file.digest) for file in model_info(name).weights.source
    ]
