"""The Ray cluster files pass Ray's own check, and start what convlens needs."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy").glob("ray-*.yaml"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def config(request):
    """The content of a cluster file, with Ray's defaults, as `ray up` takes it."""
    yaml = pytest.importorskip("yaml")
    util = pytest.importorskip("ray.autoscaler._private.util")
    return util.prepare_config(yaml.safe_load(request.param.read_text(encoding="utf-8")))


def test_there_are_files_for_two_clouds():
    assert [path.name for path in FILES] == ["ray-aws.yaml", "ray-gcp.yaml"]


def test_ray_accepts_the_file(config):
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import validate_config

    validate_config(config)
    with pytest.raises(ValidationError):
        validate_config(config | {"workers": 3})
    config["available_node_types"]["worker"]["min_workers"] = "two"
    with pytest.raises(ValidationError):
        validate_config(config)


def test_nodes_run_the_release_and_the_ray_of_this_project(config):
    import ray

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (installed,) = (one for one in config["setup_commands"] if "convlens" in one)
    extras, version = re.search(r"convlens\[(.*)\]==([\d.]+)", installed).groups()
    assert version == project["version"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert "cluster" in extras
    assert config["docker"]["image"].startswith("rayproject/ray:")
    assert int(config["docker"]["image"].split(":")[1].split(".")[0]) == int(ray.__version__[0])


def test_workers_are_cheap_and_nothing_is_told_to_others(config):
    head, worker = (config["available_node_types"][name] for name in ("head", "worker"))
    assert head["resources"]["CPU"] == 0
    assert 0 < worker["min_workers"] < worker["max_workers"] == config["max_workers"]
    spot = worker["node_config"]
    assert "spot" in str(spot.get("InstanceMarketOptions")) or "preemptible" in str(spot)
    assert "--env RAY_USAGE_STATS_ENABLED=0" in config["docker"]["run_options"]
    commands = config["head_start_ray_commands"][1], config["worker_start_ray_commands"][1]
    assert all("RAY_USAGE_STATS_ENABLED=0 ray start" in one for one in commands)
    assert "--include-dashboard=false" in commands[0]
