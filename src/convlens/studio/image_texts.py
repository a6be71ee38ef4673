"""Image texts: what the page says in the room of the images."""

from convlens.language import N_

_BEGIN = {
    "begin_title": N_("Show what you want to tell apart."),
    "begin_text": N_(
        "A classifier learns from examples: give each class its images, look through them here, "
        "and everything stays on this computer."
    ),
    "begin_note": N_(
        "The images are ordinary files in a folder for each class, so that every other program, "
        "and convlens at the terminal, can use them too."
    ),
    "way_webcam": N_("With the webcam"),
    "way_webcam_text": N_("Hold a button, and each moment becomes an image."),
    "way_files": N_("From your files"),
    "way_files_text": N_(
        "Drop folders, images or a zip anywhere on this page. The names of the folders become the "
        "classes; your own files are only read."
    ),
    "way_draw": N_("By drawing"),
    "way_draw_text": N_("Digits, letters or signs, with the mouse, a finger or a pen."),
    "first_class": N_("Name of the first class"),
    "open_webcam": N_("Open the webcam"),
    "open_board": N_("Open the board"),
    "choose_folder": N_("Choose a folder"),
    "choose_files": N_("Choose files or a zip"),
    "add_images": N_("Add images"),
    "drop_here": N_(
        "Files dropped on a class go to it; folders and zips dropped elsewhere bring their own "
        "classes."
    ),
    "drop_hint": N_("Drop on a class, or here: the names of folders become classes."),
    "no_files": N_("There were no files in what was dropped."),
    "may_not_add": N_("These images were opened, and are never changed; nothing can be added."),
    "never_changed": N_("These files are never changed."),
    "file_gone": N_("The file cannot be read any more."),
    "file_large": N_("The file is larger than {most}, which is the most that is taken."),
    "which_class_one": N_("Which class does {n} image belong to?"),
    "which_class_many": N_("Which class do {n} images belong to?"),
}

_CLASSES = {
    "classes": N_("Image classes"),
    "class": N_("Class"),
    "new_class": N_("New class"),
    "name_hint": N_("for example: cat"),
    "did_add_class": N_("There is a new class, {name}."),
    "show_only": N_("Show only {name}"),
    "webcam_for": N_("Webcam for {name}"),
    "draw_for": N_("Draw for {name}"),
    "files_for": N_("Files for {name}"),
    "more_for": N_("More for {name}"),
    "rename": N_("Rename"),
    "rename_class": N_("New name of {name}"),
    "remove_class": N_("Remove the class"),
    "remove_class_title": N_("Remove the class {name}?"),
    "remove_class_text_one": N_("{n} image goes to the trash of this workspace. It can be undone."),
    "remove_class_text_many": N_("{n} images go to the trash of this workspace. It can be undone."),
    "remove_class_button_one": N_("Remove it with {n} image"),
    "remove_class_button_many": N_("Remove it with {n} images"),
    "did_remove_class": N_("The class {name} was removed."),
    "refused_one": N_("{n} file was not taken"),
    "refused_many": N_("{n} files were not taken"),
    "stuck_one": N_("{n} image is not saved. Choose a class for it:"),
    "stuck_many": N_("{n} images are not saved. Choose a class for them:"),
    "discard_one": N_("Discard {n} image"),
    "discard_many": N_("Discard {n} images"),
    "in_trash_one": N_("{n} image in the trash"),
    "in_trash_many": N_("{n} images in the trash"),
    "empty_trash": N_("Empty the trash"),
    "empty_trash_title": N_("Empty the trash?"),
    "empty_trash_text_one": N_("{n} image is deleted for good. This cannot be undone."),
    "empty_trash_text_many": N_("{n} images are deleted for good. This cannot be undone."),
    "delete_for_good": N_("Delete for good"),
    "did_empty_trash_one": N_("{n} image was deleted."),
    "did_empty_trash_many": N_("{n} images were deleted."),
}

_NEW_IMAGES = {
    "into_class": N_("New images go to"),
    "webcam": N_("Webcam"),
    "draw": N_("Board"),
    "preview": N_("What the camera sees, mirrored; the files are not mirrored"),
    "hold": N_("Hold to record {name}"),
    "hold_keys": N_("mouse, finger or space key"),
    "recording": N_("recording"),
    "rate": N_("Images per second"),
    "camera": N_("Camera"),
    "camera_any": N_("the usual one"),
    "camera_opening": N_("The camera is being opened; the browser may ask whether it may."),
    "camera_denied": N_(
        "The browser does not let this page use the camera. Allow it at the left of the address, "
        "and load the page again."
    ),
    "camera_missing": N_("No camera was found."),
    "camera_busy": N_("The camera is in use by another program."),
    "camera_ended": N_("The camera was unplugged or turned off."),
    "camera_failed": N_(
        "The camera cannot be opened. Plug it in again, or close other programs that use it."
    ),
    "camera_insecure": N_(
        "This page came over http, where browsers give no camera. For a live one, start the studio "
        "with --https; the room Ship has the command."
    ),
    "camera_instead": N_("Photos can be taken with the camera of the system, one at a time:"),
    "take_photo": N_("Take a photo"),
    "too_many_unsafe": N_(
        "Recording has stopped, since too many images wait for the studio to save them."
    ),
    "did_record_one": N_("{n} image of {name} was recorded."),
    "did_record_many": N_("{n} images of {name} were recorded."),
    "saved_one": N_("{n} image saved"),
    "saved_many": N_("{n} images saved"),
    "board": N_("Board for {name}"),
    "board_keys": N_(
        "At the keyboard: arrows move the pen, space puts it down or up, Enter adds the drawing, "
        "Ctrl-Z takes back a stroke."
    ),
    "add_drawing": N_("Add to {name}"),
    "undo_stroke": N_("Undo stroke"),
    "clear": N_("Clear"),
    "pen": N_("Pen"),
    "paper": N_("Colours"),
    "white_on_black": N_("white on black"),
    "black_on_white": N_("black on white"),
    "draw_first": N_("There is nothing on the board yet."),
    "did_draw": N_("The drawing goes to {name}."),
}

_IMPORT = {
    "import_title": N_("Import images"),
    "one_import": N_("One import at a time: finish the one that is open."),
    "import_sending": N_("{sent} of {files} files were copied."),
    "import_looking": N_("The files are being looked at."),
    "import_finishing": N_("The images are being imported."),
    "import_take_one": N_("Import {n} image"),
    "import_take_many": N_("Import {n} images"),
    "import_already_one": N_("{n} image was there already."),
    "import_already_many": N_("{n} images were there already."),
    "import_left_out_one": N_("{n} file is neither an image nor a table, and stays out."),
    "import_left_out_many": N_("{n} files are neither images nor tables, and stay out."),
    "import_hidden_one": N_(
        "{n} image is hidden or of the system by its name or folder, and stays out: {names}"
    ),
    "import_hidden_many": N_(
        "{n} images are hidden or of the system by their names or folders, and stay out: {names}"
    ),
    "import_nothing": N_("None of these files is an image that can be read."),
    "import_other_class": N_("Put all into one class"),
    "import_one_class": N_("All of these images can go to one class:"),
    "did_import_one": N_("{n} image was imported."),
    "did_import_many": N_("{n} images were imported."),
    "drop_import": N_("Do not import them"),
    "left_import_one": N_("An import of {n} file ({size}) is not finished."),
    "left_import_many": N_("An import of {n} files ({size}) is not finished."),
    "go_on": N_("Go on"),
    "classes_n_one": N_("{n} class"),
    "classes_n_many": N_("{n} classes"),
}

_GRID = {
    "images_one": N_("{n} image"),
    "images_many": N_("{n} images"),
    "shown_of_one": N_("{shown} of {n} image"),
    "shown_of_many": N_("{shown} of {n} images"),
    "selected_one": N_("{n} image selected"),
    "selected_many": N_("{n} images selected"),
    "selection": N_("Selected images"),
    "clear_selection": N_("Select nothing"),
    "class_is": N_("class {name}"),
    "was_class": N_("in the folder of {name}"),
    "is_excluded": N_("left out"),
    "cannot_be_read": N_("cannot be read"),
    "grid_keys": N_(
        "Arrows move, shift selects more, numbers give a class, x leaves out, Enter shows details."
    ),
    "nothing_found": N_("No image passes these filters."),
    "filters": N_("Filters"),
    "clear_filters": N_("Show all"),
    "search": N_("Search names"),
    "all_classes": N_("all classes"),
    "show": N_("Show"),
    "show_all": N_("all ({n})"),
    "show_used": N_("used ({n})"),
    "show_excluded": N_("left out ({n})"),
    "show_relabelled": N_("relabelled ({n})"),
    "order": N_("Order"),
    "order_name": N_("by name"),
    "order_newest": N_("newest first"),
    "order_oldest": N_("oldest first"),
    "order_shuffled": N_("in random order"),
    "cells": N_("Size in the grid"),
    "cells_small": N_("small images"),
    "cells_medium": N_("medium images"),
    "cells_large": N_("large images"),
    "keys": N_("Keys"),
    "key_arrows": N_("arrows"),
    "does_arrows": N_("go to another image; with page up and down, home and end, further"),
    "key_shift": N_("shift + arrow"),
    "does_shift": N_("select all images on the way; likewise shift and a click"),
    "key_space": N_("space"),
    "does_space": N_("select one more image, or not; likewise Ctrl and a click"),
    "key_all": N_("Ctrl + A"),
    "does_all": N_("select all images that are shown"),
    "key_numbers": N_("1 to 9"),
    "does_numbers": N_("give the selected images to the class of this number"),
    "key_exclude": N_("x or Delete"),
    "does_exclude": N_("leave the selected images out of the training"),
    "key_restore": N_("r"),
    "does_restore": N_("take that back: as the folder says"),
    "key_enter": N_("Enter"),
    "does_enter": N_("show the details of an image"),
    "key_undo": N_("Ctrl + Z"),
    "does_undo": N_("undo; with shift, redo"),
    "parts": N_("Parts of the room"),
    "pane_classes": N_("Image classes"),
    "pane_images": N_("Images"),
    "pane_check": N_("Check"),
}

_DETAILS = {
    "details": N_("Details"),
    "select_one": N_("Select an image to see it large, or several to change them together."),
    "details_of": N_("Details of {name}"),
    "change_class": N_("Change the class to"),
    "exclude": N_("Leave out"),
    "restore": N_("As the folder says"),
    "remove": N_("To the trash"),
    "exclude_name": N_("Leave out {name}"),
    "restore_name": N_("Take {name} back"),
    "size": N_("Size"),
    "format": N_("Format"),
    "split": N_("Split"),
    "path": N_("File"),
    "in_list": N_("In the list"),
    "note": N_("Note in the list"),
    "did_relabel_one": N_("{n} image is now {name}."),
    "did_relabel_many": N_("{n} images are now {name}."),
    "did_exclude_one": N_("{n} image is left out."),
    "did_exclude_many": N_("{n} images are left out."),
    "did_restore_one": N_("{n} image is as the folder says."),
    "did_restore_many": N_("{n} images are as the folder says."),
    "did_remove_one": N_("{n} image is in the trash."),
    "did_remove_many": N_("{n} images are in the trash."),
}

_CHECK = {
    "check": N_("Data check"),
    "check_about": N_(
        "Finds copies, images with two labels, unreadable files and much more, before they spoil "
        "a score."
    ),
    "check_begin": N_("Check the images"),
    "check_again": N_("Check again"),
    "check_running": N_("The images are being checked."),
    "check_stale": N_("Images or labels have changed since this check."),
    "check_nothing": N_("Nothing was found."),
    "done_of": N_("{done} of {all}"),
    "left_out_one": N_("{n} check was left out"),
    "left_out_many": N_("{n} checks were left out"),
    "level_error": N_("Error"),
    "level_warning": N_("Warning"),
    "level_note": N_("Note"),
    "apply": N_("Apply"),
    "applied": N_("Applied"),
    "apply_all_one": N_("Apply the proposal"),
    "apply_all_many": N_("Apply all {n} proposals"),
    "did_apply_one": N_("{n} image was changed as proposed."),
    "did_apply_many": N_("{n} images were changed as proposed."),
    "as_grid": N_("As a grid"),
    "all_images": N_("All images"),
    "more_findings": N_("Show more ({shown} of {all})"),
    "more_images_one": N_("and {n} more image"),
    "more_images_many": N_("and {n} more images"),
    "proposed_exclude": N_("Leave out {name}"),
    "proposed_relabel": N_("Change {name} to {label}"),
    "proposed_group": N_("Keep {name} with its group, {label}"),
    "proposed_look": N_("Look at {name}"),
    "choose_label": N_("All are {label}"),
    "difference": N_("Difference"),
    "no_difference": N_("These two cannot be laid over each other."),
    "image_gone": N_("This image is no longer there."),
}

_COMMAND = {
    "go_to_train": N_("Go to the training"),
    "train_with": N_("Train at the terminal"),
    "copy": N_("Copy"),
    "copied": N_("The command was copied."),
    "copy_failed": N_("The browser did not let the page copy; select the command by hand."),
}

IMAGE_TEXTS: dict[str, str] = (
    _BEGIN | _CLASSES | _NEW_IMAGES | _IMPORT | _GRID | _DETAILS | _CHECK | _COMMAND
)
