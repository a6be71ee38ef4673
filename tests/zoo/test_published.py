from convlens.zoo.published import KERAS, ONE_CROP, PUBLISHED, VGG, WHOLE
from convlens.zoo.registry import list_models, model_info

# The table of keras.io/api/applications as printed.
KERAS_TABLE = {
    "xception": 79.0, "vgg16": 71.3, "vgg19": 71.3, "resnet50": 74.9, "resnet101": 76.4,
    "resnet152": 76.6, "inception_v3": 77.9, "inception_resnet_v2": 80.3, "densenet121": 75.0,
    "densenet169": 76.2, "densenet201": 77.3, "efficientnet_v2_b0": 78.7, "convnext_tiny": 81.3,
}  # fmt: skip
# Top-1 errors at a scale of 256, from table 3 of arXiv:1409.1556 as printed.
VGG_ERRORS = {"vgg11_lrn": 29.7, "vgg16_1x1": 28.1}


def test_the_figures_are_those_of_their_sources():
    assert {
        name: round(100 * one.top_1, 1) for name, one in PUBLISHED.items() if one.source == KERAS
    } == KERAS_TABLE
    found = {
        name: round(100 - 100 * one.top_1, 1)
        for name, one in PUBLISHED.items()
        if one.source == VGG
    }
    assert found == VGG_ERRORS


def test_every_row_is_a_network_of_the_zoo_for_a_thousand_classes_with_a_source():
    assert set(PUBLISHED) <= set(list_models())
    for name, one in PUBLISHED.items():
        assert model_info(name).num_classes == 1000
        assert 0.5 < one.top_1 < 0.85
        assert one.evaluated in (ONE_CROP, WHOLE)
        assert any(word in one.source for word in (".com/", ".io/", "arXiv:", "torchvision"))
