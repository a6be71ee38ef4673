"""Trainings on several processes, one after the other, on one Ray; each leaves its run in a folder.

    python -m tests.cluster.parallel_jobs quick|slower|lost FOLDER

Ray, JAX and the tests would be in each other's way in one process.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import ray.train

from convlens.cluster.connection import connect
from convlens.cluster.together import train_share
from convlens.errors import ClusterError, Interrupted
from convlens.screen import Screen

EPOCHS = 3
BATCH = 32
LIMIT = 396
# Whole batches, as --workers trains on whole batches only. The validation has 60 images.
LEARNED = 8 * BATCH
FREE = 300.0  # seconds after which all processes must have ended
NODE = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}
LONG = 600.0  # seconds
RAYLETS = "raylets.json"  # the processes of Ray that are nodes besides the head
STOPPED = 2  # the epoch, counted from 1, in which Ctrl-C is pressed


def watched(settings):
    """Train, save the state at each epoch, and leave the weights of each process beside the run."""
    import jax

    from convlens.cluster import share
    from convlens.training import fit

    fit.SAVE_SECONDS = 0.0
    real = share.ShareTrainer.run

    def run(self, copy, **options):
        state = real(self, copy, **options)
        folder = Path(settings["task"].folder)
        named = {str(number): one for number, one in enumerate(self.model.get_weights())}
        name = "process-{}-of-{}.npz"
        processes = range(jax.process_count())
        np.savez(folder / name.format(jax.process_index(), len(processes)), **named)
        while not all((folder / name.format(one, len(processes))).exists() for one in processes):
            time.sleep(0.1)  # the training ends with the first process
        return state

    share.ShareTrainer.run = run
    train_share(settings)


def on_step(function):
    """Call a function with the state after each step of this process."""
    from convlens.training import fit

    real = fit._Checkpoint.on_train_batch_end

    def step(self, batch, logs=None):
        real(self, batch, logs)
        function(self.state)

    fit._Checkpoint.on_train_batch_end = step


def killed(settings):
    """End the second process without warning, once, in the middle of the second epoch."""
    mark = Path(settings["task"].folder) / "killed"

    def kill(state):
        last = ray.train.get_context().get_world_rank() == 1
        if last and (state.epoch, state.step) == (1, 4) and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    on_step(kill)
    watched(settings)


def node_killed(settings):
    """End a node without warning, once, in the middle of the second epoch; it is not the head."""
    folder = Path(settings["task"].folder)
    mark = folder / "killed"
    raylets = json.loads((folder.parent / RAYLETS).read_text())

    def kill(state):
        node = ray.get_runtime_context().get_node_id()
        if node in raylets and (state.epoch, state.step) == (1, 4) and not mark.exists():
            mark.touch()
            os.kill(raylets[node], signal.SIGKILL)
            time.sleep(LONG)  # This process ends with its node, a moment later.

    on_step(kill)
    watched(settings)


def slow(settings):
    """Train slowly enough that Ctrl-C is noticed on the way."""
    on_step(lambda state: time.sleep(0.5))
    watched(settings)


class Impatient(Screen):
    """Presses Ctrl-C when an epoch has ended."""

    def epoch(self, row, *, best):
        if row["epoch"] == STOPPED - 1:
            os.kill(os.getpid(), signal.SIGINT)


class Noting(Screen):
    """Keeps what is shown."""

    def __init__(self):
        super().__init__(quiet=True)
        self.epochs = []
        self.notes = []

    def epoch(self, row, *, best):
        self.epochs.append(row["epoch"])

    def note(self, text):
        self.notes.append(text)


def network():
    """Return a small network with batch normalisation and dropout, each time the same."""
    import keras

    keras.utils.set_random_seed(5)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10),
        ],
        name="small",
    )


def train(digits, config, folder, stage_of=None):
    """Train a new run without its report, which would take most of the time."""
    from convlens import pipeline
    from convlens.run import Run
    from convlens.transfer.origin import choose_origin

    quiet = Screen(quiet=True)
    origin = choose_origin(config, network())
    prepared = pipeline.prepare_images(origin, digits, config, quiet)
    assert len(prepared.splits.train) == LEARNED
    training = pipeline.open_training(prepared, config, origin, quiet, stage_of)
    run = Run.create(folder, "run")
    with run.locked():
        training.setup.describe(run)
        training.run(run)


def settings():
    """Return the settings of a training in one process."""
    from convlens.config import Config

    config = Config().replace(optimizer="momentum", learning_rate=0.01, average_weights=True)
    return config.replace(
        epochs=EPOCHS,
        batch_size=BATCH,
        limit=LIMIT,
        precision="float32",
        backend="jax",
        audit=False,
    )


def train_on(digits, folder, workers, work=watched, screen=None):
    """Train a new run on several processes of the connected cluster."""
    from convlens.cluster.parallel import Parallel, require_room

    screen = screen or Screen(quiet=True)
    each = require_room(workers)

    def stage_of(setup, _screen):
        return Parallel(setup, screen, each=each, work=work)

    train(digits, settings().replace(workers=workers), folder, stage_of)


def quick(digits, folder):
    """Train with and without another process."""
    train(digits, settings(), folder / "plain")
    with connect("local", cpus=2):
        train_on(digits, folder / "two", 2)


def slower(digits, folder):
    """Train on one process of a cluster, and on two that are killed or stopped."""
    from convlens import pipeline
    from convlens.cluster import parallel

    said = {}
    with connect("local", cpus=2):
        train_on(digits, folder / "one", 1)
        noting = Noting()
        train_on(digits, folder / "killed", 2, killed, noting)
        said |= {"epochs": noting.epochs, "notes": noting.notes}
        try:
            train_on(digits, folder / "stopped", 2, slow, Impatient(quiet=True))
        except Interrupted as stop:
            said["stop"] = str(stop)
        soon = time.monotonic() + FREE
        while ray.available_resources().get("CPU") != 2 and time.monotonic() < soon:
            time.sleep(0.2)
        try:
            parallel.require_room(3)
        except ClusterError as error:
            said["room"] = str(error)
    pipeline.train(digits, run=folder / "stopped", resume=True, screen=Screen(quiet=True))
    (folder / "said.json").write_text(json.dumps(said))


def lost(digits, folder):
    """Train on two of three nodes, of which one is killed."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args=NODE)
    added = [nodes.add_node(**NODE) for _number in range(2)]
    raylets = {node.node_id: node.all_processes["raylet"][0].process.pid for node in added}
    (folder / RAYLETS).write_text(json.dumps(raylets))
    noting = Noting()
    with connect(nodes.address):
        train_on(digits, folder / "lost", 2, node_killed, noting)
        alive = sum(node["Alive"] for node in ray.nodes())
    nodes.shutdown()
    facts = {"epochs": noting.epochs, "notes": noting.notes, "alive": alive}
    (folder / "lost.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    from convlens import backend

    backend.start("jax")
    from convlens.data.sources import load_data

    {"quick": quick, "slower": slower, "lost": lost}[sys.argv[1]](
        load_data("digits"), Path(sys.argv[2])
    )
