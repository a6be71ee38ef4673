"""Question: what a cluster is asked about images. The process that asks decides all of it."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from convlens import backend
from convlens.classifier.prediction import Predictor
from convlens.cluster.folder import Folder
from convlens.cluster.nodes import own_facts
from convlens.cluster.shards import SHARDS
from convlens.errors import ClusterError
from convlens.export.folder import Exported
from convlens.language import _
from convlens.precision import resolve_precision
from convlens.preprocess import Preprocessing

QUESTION = "question.json"
KERAS = "keras"
OPENVINO = "openvino"


@dataclass(frozen=True)
class Question:
    """What is asked about each image.

    Attributes:
        files: The content of the classifier's file, or of the files of an exported folder, by name.
        identity: What tells two classifiers apart.
        engine: KERAS or OPENVINO; an exported folder has its own.
        precision: "float32" or "bfloat16".
        preprocessing: How an image is brought to the input of the network, with its unit.
    """

    files: Mapping[str, bytes]
    identity: str
    engine: str
    precision: str
    preprocessing: Preprocessing

    def facts(self) -> dict[str, str]:
        """Return all that the answers depend on besides the images."""
        decoding = json.dumps(asdict(self.preprocessing), sort_keys=True)
        asked = {"classifier": self.identity, "engine": self.engine, "precision": self.precision}
        return asked | {"preprocessing": decoding} | own_facts()

    def predictor(self) -> Predictor:
        """Return what answers, in this process, with the one thread that Ray gives to it."""
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            for name, content in self.files.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            opened = self.open(folder)
        return replace(opened, preprocessing=self.preprocessing)  # type: ignore[type-var]

    def open(self, folder: Path) -> Predictor:
        """Return what answers, from the folder with its files."""
        if len(self.files) > 1:
            from convlens.export.folder import open_network

            return open_network(folder)
        backend.start(threads=1)
        from convlens.classifier.classifier import Classifier
        from convlens.classifier.compiled import compile_classifier

        path = folder / next(iter(self.files))
        if self.engine == OPENVINO:
            return compile_classifier(Classifier.load(path), self.precision)
        return Classifier.load(path, precision=self.precision)


def question_of(predictor: Predictor, engine: str, precision: str) -> Question:
    """Return the question what a predictor says of images.

    Args:
        predictor: A classifier in float32, or the network of an exported folder.
        engine: KERAS or OPENVINO.
        precision: "float32", "bfloat16", or "auto" for the faster one on this processor.
    """
    precision = resolve_precision(precision)
    facts = f"{predictor.class_names} {predictor.threshold}"
    if isinstance(predictor, Exported):
        folder = predictor.network.folder
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        digest = hashlib.sha256(facts.encode())
        for name, content in files.items():
            digest.update(name.encode() + content)
        identity = digest.hexdigest()
        return Question(files, identity, engine, precision, predictor.preprocessing)
    from convlens.classifier.classifier import Classifier
    from convlens.transfer.features import features_key

    assert isinstance(predictor, Classifier)
    identity = features_key(predictor.model, predictor.preprocessing, facts)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "classifier.keras"
        predictor.save(path)
        files = {path.name: path.read_bytes()}
    return Question(files, identity, engine, precision, predictor.preprocessing)


def claim(folder: Folder, question: Question) -> None:
    """Make a folder of answers to this question, or check that it is one.

    Raises:
        ClusterError: If the folder has the answers to another question, or to one that is missing.
        StorageError: If the folder cannot be written.
    """
    facts = question.facts()
    if not folder.exists(QUESTION):
        if folder.names(SHARDS):
            raise ClusterError(
                _(
                    "{folder} must have the question to which its answers belong; {file} is "
                    "missing. Name another folder with --answers."
                ).format(folder=folder.address, file=QUESTION)
            )
        folder.write(QUESTION, json.dumps(facts, indent=1), _("the question"))
        return
    with folder.open(QUESTION) as file:
        found = json.load(file)
    name = next((name for name in facts | found if facts.get(name) != found.get(name)), None)
    if name is not None:
        before = found.get(name, "-")
        raise ClusterError(
            _(
                "{folder} has answers to another question: {name} was {found} and is {own}. Name "
                "another folder with --answers."
            ).format(folder=folder.address, name=name, found=before, own=facts.get(name, "-"))
        )
