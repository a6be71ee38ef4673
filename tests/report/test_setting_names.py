"""Every setting has a name in both languages, and the report shows its key beside it."""

from convlens.classifier.runtime import said_arithmetic
from convlens.language import _
from convlens.language_choice import using
from convlens.report.page import _rows
from convlens.report.setting_names import NAMES, said_strength
from convlens.sections import all_settings


def test_every_setting_has_a_chinese_name():
    keys = {item.name.replace("_", " ") for _section, item in all_settings()}
    assert keys - {"precision"} | {"numerical precision"} == {*NAMES}
    with using("zh"):
        assert [name for name in NAMES if _(name) == name] == []


def test_arithmetic_that_a_file_keeps_is_said_in_the_chosen_language():
    with using("zh"):
        assert said_arithmetic("bfloat16 on openvino") == "bfloat16（openvino）"
        assert said_arithmetic("bfloat16（openvino）") == "bfloat16（openvino）"


def test_strength_is_said_in_the_language_of_the_page_whatever_that_of_the_training_was():
    with using("zh"):
        chinese = said_strength(0.1)
        assert said_strength("C = 0.1, of the logistic regression") == chinese
        assert _rows({"strength": 0.1}) == [("strength", chinese)]
    with using("en"):
        assert said_strength(chinese) == "C = 0.1, of the logistic regression"
        assert said_strength("unknown") == "unknown"
