"""Export: write a classifier into a folder that works without convlens, and prove that it does.

The folder appears under its name only when everything in it is written and the proof holds. Until
then it lies beside, under a hidden name, see `hidden`.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from convlens.backend import versions
from convlens.classifier.classifier import Classifier
from convlens.errors import ConfigError, ExportError
from convlens.export import standalone
from convlens.export.any_size import prove_any_size
from convlens.export.card import render_card, scores_of
from convlens.export.convert import OPSET, convert
from convlens.export.cost import MOST, LossError
from convlens.export.folder import FORMAT, digest, digests, engine_version
from convlens.export.golden import write_examples
from convlens.export.parting import find_parting_layer, find_unconvertible_layer
from convlens.export.proof import Proof, Rows, prove, run_exported, tolerance
from convlens.export.quantise import SEED, quantise
from convlens.export.samples import Samples, given_samples
from convlens.export.target import FORMATS, Target, check_target
from convlens.export.web.page import UNREADABLE, check_examples, write_page
from convlens.files import storage_errors
from convlens.hidden import give_name, hidden_folder
from convlens.language import _, sentences
from convlens.preprocess import ImageArray, open_image, prepare
from convlens.text import ESCAPE, printable


def export_classifier(  # noqa: PLR0913 - all but three have defaults
    path: Path,
    target: Target,
    out: Path,
    *,
    samples: Samples | None = None,
    examples: Sequence[Path] = (),
    report: dict[str, Any] | None = None,
    stage: Callable[[str], object] | None = None,
) -> Proof:
    """Write the classifier of a file into a new folder and return the proof.

    Args:
        path: The classifier file.
        target: The format and how it is written.
        out: The folder, which must not exist.
        samples: The images for the proof, and those that calibrate int8.
        examples: Image files to be the golden examples instead of generated ones.
        report: The content of the run's report.json, for the card.
        stage: A function that is called with "converting" and "comparing" as these begin.

    Raises:
        ConfigError: If the format or its precision is unknown, if the folder exists, or if int8 has
            no training images.
        BackendError: If a package that the format needs is missing.
        ImageError: If an example cannot be read.
        ExportError: If the network cannot be converted, or the proof does not hold.
        StorageError: If the folder cannot be written.
    """
    check_target(target, out)
    classifier = Classifier.load(path)
    samples = samples or given_samples(classifier)
    if target.precision == "int8" and not len(samples.training):
        raise ConfigError(
            _(
                "int8 is calibrated on training images, which a classifier file does not have; "
                "export its run, or give training images in Python."
            )
        )
    with storage_errors(out, _("the exported folder")), hidden_folder(out) as hidden:
        with tempfile.TemporaryDirectory() as place:
            _tell(stage, "converting")
            plain = _write_network(path, classifier, target, samples.training, hidden, place)
            pixels = _write_examples(hidden, classifier, target.to, examples)
            facts = _write_facts(hidden, path, classifier, target, report or {})
            _tell(stage, "comparing")
            found = run_exported(hidden, samples.images, plain)
        proof = prove(hidden, classifier, pixels, samples, found, path.stat().st_size)
        proof = replace(proof, accepted=target.accept_loss)
        _require(proof, classifier, target.to, pixels)
        if target.any_size:
            proof = replace(proof, any_size=prove_any_size(hidden, classifier))
        if target.precision != "float32":
            _record(hidden, facts, found["rows"], samples)
        known = {"convlens_json": digest(hidden / "convlens.json")}
        _write_json(hidden / "proof.json", proof.to_dict() | known)
        card = render_card(facts, report or {}, proof)
        (hidden / "README.md").write_text(card, encoding="utf-8")
        give_name(hidden, out)
    return proof


def _tell(stage: Callable[[str], object] | None, name: str) -> None:
    if stage is not None:
        stage(name)


def _write_network(
    path: Path,
    classifier: Classifier,
    target: Target,
    training: ImageArray,
    folder: Path,
    place: str,
) -> Path | None:
    """Write the network into the folder, and one in float32 into a temporary place beside it.

    Returns:
        The file of the network in float32; None if that is what the folder has.
    """
    if target.precision == "float32":
        _convert(path, classifier, target, folder)
        return None
    _convert(path, classifier, target._replace(precision="float32"), Path(place))
    plain = Path(place) / FORMATS[target.to].file
    if target.to == "litert":
        _convert(path, classifier, target, folder)
    else:
        quantise(plain, target, folder, training)
    return plain


def _convert(path: Path, classifier: Classifier, target: Target, folder: Path) -> None:
    """Convert the network, or raise ExportError with the layer that cannot be converted."""
    try:
        convert(path, target, folder)
    except ExportError as error:
        layer = find_unconvertible_layer(classifier, target.to)
        if layer is None:
            raise
        raise ExportError(
            sentences(
                error.args[0],
                _("The layer that stops it is {layer}.").format(layer=layer),
            )
        ) from error


def _write_examples(
    folder: Path, classifier: Classifier, to: str, examples: Sequence[Path]
) -> ImageArray:
    """Write the golden examples and their probabilities, and return them as the network takes them.

    Returns:
        (m, height, width, channels) uint8.
    """
    (folder / "examples").mkdir()
    if examples:
        if to == "web":
            check_examples(examples)
        golden = _copy(examples, folder)
    else:
        left_out = UNREADABLE if to == "web" else ()
        golden = write_examples(folder / "examples", classifier.preprocessing.unit, left_out)
    pixels = np.stack([prepare(file, classifier.preprocessing) for file in golden])
    rows = classifier.probabilities(pixels).astype(float).tolist()
    recorded = {file.name: row for file, row in zip(golden, rows, strict=True)}
    _write_json(folder / "examples.json", recorded)
    return pixels


def _write_facts(
    folder: Path, path: Path, classifier: Classifier, target: Target, report: dict[str, Any]
) -> dict[str, Any]:
    """Write predict.py and convlens.json, and return the content of the latter."""
    kept = {"examples", "examples.json"}
    network_files = sorted(
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and not kept.intersection(file.relative_to(folder).parts)
    )
    shutil.copyfile(standalone.__file__, folder / "predict.py")
    name = printable(report.get("title") or path.stem)
    if target.to == "web":
        write_page(folder, name, classifier.class_names)
    engine = FORMATS[target.to].engine
    facts = {
        "format_version": FORMAT,
        "name": name,
        "format": target.to,
        "precision": target.precision,
        "any_size": target.any_size,
        "model": FORMATS[target.to].file,
        "network_files": network_files,
        "engine": engine,
        "engine_version": engine_version(engine),
        "opset": OPSET if target.to in ("onnx", "web") else None,
        "convlens": versions()["convlens"],
        "class_names": list(classifier.class_names),
        "preprocessing": classifier.preprocessing.to_dict(),
        "temperature": classifier.temperature,
        "threshold": classifier.threshold,
        "tolerance": tolerance(classifier, target.precision),
        "calibration": None,
        "scores": scores_of(report),
        "provenance": classifier.provenance,
        "digests": digests(folder),
    }
    _write_json(folder / "convlens.json", facts)
    return facts


def _record(folder: Path, facts: dict[str, Any], rows: Rows, samples: Samples) -> None:
    """Record the probabilities of the exported network itself, and what calibrated it.

    A lower precision gives other probabilities than the classifier, so that only these can tell
    whether the network still computes what it computed.
    """
    names = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    recorded = dict(zip(names, rows.astype(float).tolist(), strict=False))
    _write_json(folder / "examples.json", recorded)
    facts["digests"]["examples.json"] = digest(folder / "examples.json")
    if facts["precision"] == "int8":
        facts["calibration"] = {"training_images": len(samples.training), "seed": SEED}
    _write_json(folder / "convlens.json", facts)


def _require(proof: Proof, classifier: Classifier, to: str, examples: ImageArray) -> None:
    """Raise ExportError, with the layer where the values part, if the proof does not hold."""
    if proof.holds:
        return
    if proof.pixels > 0:
        raise ExportError(
            _(
                "predict.py must read the examples as convlens does; a pixel differs by {levels} "
                "of 255. Nothing was exported."
            ).format(levels=proof.pixels)
        )
    if proof.cost is not None and proof.cost.too_much:
        raise LossError(
            _(
                "{precision} must not cost more than {most:.0f} point of the accuracy; it falls "
                "from {before:.1f} % to {after:.1f} % on {n:,} images: {cost}. "
                "--accept-loss exports it all the same. Nothing was exported."
            ).format(
                precision=proof.precision,
                most=100 * MOST,
                before=100 * proof.cost.before,
                after=100 * proof.cost.after,
                n=proof.cost.n,
                cost=proof.cost,
            )
        )
    raise ExportError(
        _(
            "the exported network must give the probabilities of the classifier within "
            "{allowed:.1g} and the same classes; the largest difference is {largest:.2g}, and "
            "{changed} of {n} classes changed. The values part at the layer {layer}. Nothing was "
            "exported."
        ).format(
            allowed=proof.allowed,
            largest=proof.largest,
            changed=proof.changed,
            n=proof.examples + proof.images,
            layer=find_parting_layer(classifier, to, examples),
        )
    )


def _copy(examples: Sequence[Path], folder: Path) -> list[Path]:
    """Copy the images of a user into the folder, with numbers that keep their names apart."""
    copies = []
    for number, file in enumerate(examples):
        copy = folder / "examples" / f"{number:02d}-{printable(file.name)}"
        open_image(file)  # says what is wrong with it, under its own name
        shutil.copyfile(file, copy)
        copies.append(copy)
    return copies


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8", errors=ESCAPE)
