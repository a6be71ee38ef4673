"""The note on the small stem."""

import pytest

from convlens.training.network import choose_network
from tests.training.networks import CONFIG, DATA, chosen, own


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "side", "said"),
    [
        (
            "resnet18",
            32,
            "resnet18 shrinks 32 x 32 to 1 x 1; --stem small keeps 4 x 4, "
            "at 16 times the multiply-adds",
        ),
        (
            "resnet18",
            8,
            "resnet18 shrinks 8 x 8 to 1 x 1, and no less with --stem small; "
            "a larger --size leaves more",
        ),
        (
            "inception_v3",
            32,
            "inception_v3 shrinks 75 x 75 to 1 x 1; --stem small keeps 2 x 2 of 32 x 32, at ",
        ),
        ("resnet18", 64, None),
        ("resnet20", 8, None),  # made for small images: there is no other stem
        ("googlenet_auxiliary", 65, None),
    ],
)
def test_what_the_small_stem_would_keep(name, side, said):
    origin, prepared, config, model = chosen(name, side)
    notes = origin.notes(prepared, config, model)
    assert len(notes) == (said is not None)
    assert all(note.startswith(said) for note in notes)


def test_no_word_of_the_stem_for_a_small_stem_or_a_model_of_ones_own():
    origin, prepared, config, model = chosen("resnet18", 16, stem="small")
    assert origin.least_side is None
    assert origin.notes(prepared, config, model) == []
    mine = choose_network(CONFIG, own())
    prepared = mine.prepare(DATA, CONFIG, None)
    assert mine.notes(prepared, CONFIG, mine.assemble(prepared, CONFIG)) == []
