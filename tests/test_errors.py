import re

from convlens import errors


def test_the_tree_in_the_docstring_is_the_tree_in_the_code():
    drawn = dict(re.findall(r"(\w+)\s+(\d+)  ", errors.__doc__))
    classes = {name: getattr(errors, name) for name in errors.__all__}
    assert set(drawn) == set(classes)
    for name, cls in classes.items():
        assert cls.exit_code == int(drawn[name])
        assert issubclass(cls, errors.ConvlensError)
