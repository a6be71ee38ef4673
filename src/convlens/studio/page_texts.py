"""Page texts: what the page of the studio says; it gets all of them in both languages.

A text of a number of things has two keys, NAME_one and NAME_many.
"""

from convlens.language import N_
from convlens.studio.image_texts import IMAGE_TEXTS
from convlens.studio.microscope_texts import MICROSCOPE_TEXTS
from convlens.studio.scores_texts import SCORES_TEXTS
from convlens.studio.ship_texts import SHIP_TEXTS
from convlens.studio.train_texts import TRAIN_TEXTS
from convlens.studio.try_texts import TRY_TEXTS

# What all rooms say.
SHELL_TEXTS: dict[str, str] = {
    "skip": N_("Skip to the content"),
    "rooms": N_("Rooms"),
    "room_images": N_("Images"),
    "room_train": N_("Train"),
    "room_ship": N_("Ship"),
    "room_microscope": N_("Microscope"),
    "room_scores": N_("Scores"),
    "room_try": N_("Try"),
    "loading_room": N_("This room is being loaded."),
    "no_room": N_("This room could not be loaded: {problem}"),
    "runs_gone": N_("Not in the workspace any more: {names}"),
    "undo": N_("Undo"),
    "redo": N_("Redo"),
    "undo_what": N_("Undo: {what}"),
    "redo_what": N_("Redo: {what}"),
    "theme_auto": N_("Theme: as the system has it"),
    "theme_light": N_("Theme: light"),
    "theme_dark": N_("Theme: dark"),
    "large_type": N_("Large type, for a projector"),
    "all_safe": N_("All images are saved"),
    "unsafe_one": N_("{n} image is not saved yet"),
    "unsafe_many": N_("{n} images are not saved yet"),
    "gone": N_(
        "The studio does not answer. What you see may be out of date; start it again with "
        "convlens studio, and this page goes on."
    ),
    "gone_unsafe_one": N_("{n} image is not saved yet; leave this page open, and it will be."),
    "gone_unsafe_many": N_("{n} images are not saved yet; leave this page open, and they will be."),
    "cannot_save": N_("New images cannot be saved at present: {problem}"),
    "locked": N_(
        "This page has no token of the studio: open the address that the terminal shows, which "
        "ends in it."
    ),
    "not_done_gone": N_("This was not done, since the studio does not answer."),
    "loading_workspace": N_("The images are being loaded."),
    "close": N_("Close"),
    "cancel": N_("Cancel"),
    "add": N_("Add"),
    "name_missing": N_("A class needs a name."),
    "try_again": N_("Try again"),
    "stop": N_("Stop"),
    "percent": N_("{n} %"),
}

TEXTS: dict[str, str] = (
    SHELL_TEXTS
    | IMAGE_TEXTS
    | TRAIN_TEXTS
    | SCORES_TEXTS
    | TRY_TEXTS
    | MICROSCOPE_TEXTS
    | SHIP_TEXTS
)
