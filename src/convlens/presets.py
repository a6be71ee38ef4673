"""Presets: first values of settings, and the names that a setting may have."""

from typing import Any

# A good first value for each optimizer. Keras' own default for adadelta, 0.001, hardly moves.
LEARNING_RATES = {
    "sgd": 0.05,
    "momentum": 0.02,
    "adam": 1e-3,
    "adamw": 2e-3,
    "rmsprop": 1e-3,
    "adagrad": 1e-2,
    "adadelta": 1.0,
    "muon": 0.1,
}
SCHEDULES = ("constant", "cosine", "linear", "one_cycle")

FAST = "fast"
# Each recipe sets settings of any section that are not given.
RECIPES: dict[str, dict[str, Any]] = {
    "standard": {},
    FAST: {
        "model": "fast_cnn",
        "augment": "shift",
        "epochs": 10,
        "batch_size": 128,
        "optimizer": "muon",
        "schedule": "linear",
        "label_smoothing": 0.2,
    },
}

# Each preset sets fields of AugmentConfig. The data decide about flips.
AUGMENT_PRESETS: dict[str, dict[str, Any]] = {
    "none": {},
    "shift": {"shift": 0.07},
    "light": {"shift": 0.1, "zoom": 0.1, "rotate": 5.0},
    "strong": {
        "shift": 0.1,
        "zoom": 0.25,
        "rotate": 10.0,
        "shear": 5.0,
        "erase": 0.25,
        "randaugment": 1,
    },
}

ACTIVATIONS = ("relu", "leaky_relu", "elu", "selu", "silu", "gelu", "tanh", "sigmoid")
INITIALIZERS = (
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_normal",
    "random_normal",
    "random_uniform",
)
