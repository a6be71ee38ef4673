from convlens.cluster.nodes import first_difference, own_facts


def test_a_computer_does_not_differ_from_itself():
    facts = own_facts()
    assert {"python", "convlens", "code of convlens", "keras", "numpy"} <= facts.keys()
    assert first_difference(facts, own_facts()) == ("", "", "")


def test_a_package_that_is_missing_is_named():
    own = {"keras": "3.15.1", "openvino": "2026.4.1"}
    assert first_difference(own, {"keras": "3.15.1"}) == ("openvino", "2026.4.1", "-")
    assert first_difference({"keras": "3.15.1"}, own) == ("openvino", "-", "2026.4.1")


def test_only_the_features_that_differ_are_named():
    own = {"processor features": "avx2 avx512_bf16 fma"}
    other = {"processor features": "amx_bf16 avx2 fma"}
    assert first_difference(own, other) == ("processor features", "avx512_bf16", "amx_bf16")
