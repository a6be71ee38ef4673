"""The models: networks of the lectures, a configurable one, and the default, behind one registry."""

from convlens.zoo.registry import (
    ModelInfo,
    build,
    create_model,
    list_models,
    model_info,
    register_model,
)

__all__ = ["ModelInfo", "build", "create_model", "list_models", "model_info", "register_model"]
