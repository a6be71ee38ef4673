"""Setting names: what the settings are called in a report, whose keys are those of `run.toml`.

A report shows a key with blanks in place of underscores, and looks it up in the catalogue.
"""

import re

from convlens.language import N_, _

NAMES = (
    N_("size"),
    N_("fit"),
    N_("channels"),
    N_("layout"),
    N_("val"),
    N_("test"),
    N_("limit"),
    N_("pattern"),
    N_("audit"),
    N_("model"),
    N_("stem"),
    N_("filters"),
    N_("convs per block"),
    N_("kernel size"),
    N_("strides"),
    N_("padding"),
    N_("pooling"),
    N_("pool size"),
    N_("pool strides"),
    N_("dense"),
    N_("dropout"),
    N_("activation"),
    N_("initializer"),
    N_("backbone"),
    N_("weights"),
    N_("head"),
    N_("unfreeze"),
    N_("layer decay"),
    N_("gradual"),
    N_("train batch norm"),
    N_("keep maps"),
    N_("augment"),
    N_("flip"),
    N_("shift"),
    N_("zoom"),
    N_("rotate"),
    N_("shear"),
    N_("erase"),
    N_("randaugment"),
    N_("mixup"),
    N_("cutmix"),
    N_("recipe"),
    N_("epochs"),
    N_("steps per epoch"),
    N_("batch size"),
    N_("micro batch"),
    N_("learning rate"),
    N_("optimizer"),
    N_("schedule"),
    N_("warmup epochs"),
    N_("weight decay"),
    N_("label smoothing"),
    N_("average weights"),
    N_("class weights"),
    N_("patience"),
    N_("seed"),
    N_("numerical precision"),  # precision is also a score
    N_("threads"),
    N_("workers"),
    N_("backend"),
    N_("calibration"),
    N_("accept"),
    N_("tensorboard"),
    N_("snapshots"),
)


def said_strength(kept: float | str) -> str:
    """Return the regularisation of a linear head as a text in the chosen language.

    Files that were written before have it as a text in the language of their training.

    >>> said_strength(0.1), said_strength("C = 0.1, of the logistic regression")
    ('C = 0.1, of the logistic regression', 'C = 0.1, of the logistic regression')
    """
    if isinstance(kept, str):
        found = re.search(r"C = ([0-9.e+-]+)", kept)
        if found is None:
            return kept
        kept = float(found[1])
    return _("C = {strength:g}, of the logistic regression").format(strength=kept)
