"""The public names: a name that is added, renamed or removed has to be entered here on purpose."""

import subprocess
import sys

import pytest

import convlens
from convlens import errors

NAMES = [
    "Classifier",
    "Config",
    "ConvlensError",
    "Dataset",
    "Lesson",
    "Prediction",
    "Run",
    "arithmetic",
    "audit_data",
    "augment",
    "backend",
    "backprop",
    "compare_pairs",
    "config",
    "create_model",
    "get_filter",
    "get_image",
    "list_models",
    "load_data",
    "load_weights",
    "metrics",
    "model_info",
    "plots",
    "published",
    "search",
    "set_language",
    "sizes",
    "stacks",
    "train",
    "views",
]
MODULES = {
    "arithmetic": "ACTIVATIONS Activation BatchNormalization Cell Convolution Dense Dropout LOSSES "
    "Loss PoolCell Pooling SeparableConvolution Softmax activate add batch_normalize concatenate "
    "convolve dense depthwise_convolve dropout flatten global_average loss pool "
    "separable_convolve softmax",
    "augment": "augment flip_is_safe mix resolve",
    "backend": "ENGINES PRECISIONS choose engine gradients has_fast_bfloat16 jit_compile "
    "resolve_precision start sync threads traced versions",
    "backprop": "Backward Chain Example Forward LECTURE_EXAMPLE LECTURE_NETWORK Layer Network Step "
    "Training make_network run_backward run_forward take_step train",
    "config": "AUGMENT_PRESETS AugmentConfig Config DataConfig LEARNING_RATES ModelConfig "
    "TrainingConfig TransferConfig all_settings",
    "metrics": "RESAMPLES accuracy calibration_bins class_scores confusion_matrix "
    "expected_calibration_error log_loss macro_scores top_k_accuracy wilson",
    "plots": "show_block show_calibration show_confusion show_flatten show_growth show_history "
    "show_images show_lines show_metrics show_neurons show_path show_pointwise "
    "show_published show_regularization show_scores show_sheet show_tradeoff show_trials "
    "show_vgg",
    "published": "PUBLISHED Published",
    "sizes": "Border Count FieldStep Side batchnorm_params conv_params dense_params "
    "depthwise_params lay_windows pair receptive_field separable_params",
    "stacks": "LayerSize LayerText STACKS measure read_layers",
    "views": "convolution_page draw_explanations draw_page network_page pooling_page "
    "recognition_page sizes_page",
}
ERRORS = (
    "AuditError BackendError ClassifierError ClusterError ConfigError ConvlensError DataError "
    "ExportError ImageError Interrupted ModelError RunError StorageError TrainingError"
)


def test_the_names_of_convlens():
    assert convlens.__all__ == dir(convlens) == NAMES
    for name in NAMES:
        assert getattr(convlens, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = convlens.nothing


@pytest.mark.parametrize(("name", "names"), MODULES.items())
def test_the_names_of_a_public_module(name, names):
    module = getattr(convlens, name)
    assert sorted(module.__all__) == names.split()
    for public in module.__all__:
        assert getattr(module, public) is not None


def test_the_names_of_errors():
    assert sorted(errors.__all__) == ERRORS.split()


@pytest.mark.parametrize(
    "name",
    [
        "plots",
        pytest.param("views", marks=pytest.mark.slow),
        "Classifier",
        pytest.param("load_data", marks=pytest.mark.slow),
        "arithmetic",
    ],
)
def test_a_name_is_there_in_a_process_of_its_own(name):
    code = f"import convlens; print(convlens.{name}.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(name)
    assert done.stderr == ""


def test_importing_convlens_imports_no_engine():
    code = (
        "import sys, convlens; print(sorted({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
