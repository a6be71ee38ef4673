import pytest

from convlens.cluster.nodes import Node, first_difference, on_each_node, own_facts
from convlens.errors import ClusterError


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


@pytest.mark.parametrize("gone", ["", "b", "ab"])
def test_only_a_node_that_is_lost_meanwhile_is_left_out(gone, monkeypatch):
    ray = pytest.importorskip("ray")
    nodes = [Node(56 * name, f"node-{name}", 1) for name in "ab"]

    class Asked:
        """A function that nodes carry out."""

        def options(self, scheduling_strategy):
            self.node = scheduling_strategy.node_id
            return self

        def remote(self, *_arguments):
            return self.node

    def get(node):
        if node[0] in (gone or "b"):
            raise ray.exceptions.TaskUnschedulableError("no such node")
        return "an answer"

    monkeypatch.setattr(ray, "remote", lambda **_options: lambda _function: Asked())
    monkeypatch.setattr(ray, "wait", lambda asked, **_options: (asked, []))
    monkeypatch.setattr(ray, "get", get)
    facts = [{"NodeID": node.identity, "Alive": node.identity[0] not in gone} for node in nodes]
    monkeypatch.setattr(ray, "nodes", lambda: facts)
    if gone == "b":
        assert on_each_node(nodes, own_facts) == {nodes[0]: "an answer"}
        return
    said = "all nodes of the cluster were lost" if gone else "node node-b cannot run convlens"
    with pytest.raises(ClusterError, match=said):
        on_each_node(nodes, own_facts)
