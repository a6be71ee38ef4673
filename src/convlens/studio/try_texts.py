"""Try texts: what the page says in the room in which a classifier is tried."""

from convlens.language import N_

TRY_TEXTS: dict[str, str] = {
    "try_no_run": N_("There is no classifier yet."),
    "try_no_run_text": N_(
        "Train one on the images of this workspace; as soon as it is there, it answers here."
    ),
    "try_go_train": N_("Go to the training"),
    "try_run": N_("Classifier of the run"),
    "try_source": N_("What it looks at"),
    "try_webcam": N_("Webcam"),
    "try_file": N_("Image file"),
    "try_board": N_("Board"),
    "try_freeze": N_("Freeze"),
    "try_go_on": N_("Go on"),
    "try_freeze_key": N_("space key"),
    "try_frozen": N_("The picture is frozen."),
    "try_loading": N_("The classifier is being loaded; that takes some seconds."),
    "try_drop": N_("Drop an image here, paste one with Ctrl-V, or choose a file."),
    "try_choose": N_("Choose an image"),
    "try_no_preview": N_("The browser cannot show this file; the classifier can read it."),
    "try_drawing": N_("Board for a drawing that is recognised"),
    "try_board_keys": N_(
        "At the keyboard: arrows move the pen, space puts it down or up, Escape clears the board, "
        "Ctrl-Z takes back a stroke."
    ),
    "try_draw_first": N_("Draw something; the answer follows each stroke."),
    "try_camera_off": N_("The webcam is off."),
    "try_camera_start": N_("Start the webcam"),
    "try_camera_first": N_("The answer appears as soon as the camera is on."),
    "try_answer": N_("Answer"),
    "try_none": N_("None of these"),
    "try_why_none": N_(
        "The most probable class is {label} with {percent}, which is below the threshold of "
        "{threshold}."
    ),
    "try_now_says": N_("{label}, {percent}"),
    "try_threshold": N_("The threshold is {threshold}."),
    "try_pace": N_("{rate} answers a second, {milliseconds} ms each"),
    "try_took": N_("{milliseconds} ms"),
    "try_seen_as": N_("seen at {width} × {height} pixels"),
    "try_top": N_("the {n} most probable of {total} classes"),
    "try_other_classes": N_(
        "This run was trained with other classes than the workspace has now: {changes}."
    ),
    "try_is_missing": N_("{names} unknown to it"),
    "try_is_gone": N_("{names} not there any more"),
    "try_newer": N_("The run has a newer classifier than the one that answers."),
    "try_reload": N_("Load it"),
    "try_reloaded": N_("The classifier has changed; the new one answers now."),
    "try_run_gone": N_(
        "The run {name} is not in the workspace any more; choose another one above."
    ),
    "try_here": N_("Try {name} here"),
    "try_why": N_("Why?"),
    "try_near": N_("Nearest training images"),
    "try_still_first": N_("These buttons freeze the picture."),
    "try_why_waits": N_("The map is computed and checked."),
    "try_near_waits": N_("The training images are compared."),
    "try_progress": N_("{stage}: {done} of {total}"),
    "try_explain": N_("Class to explain"),
    "try_predicted": N_("the predicted one"),
    "try_against": N_("against"),
    "try_no_other": N_("no other"),
    "try_scale": N_("Blue speaks for the class and orange against it, in logits."),
    "try_difference": N_("The map of the difference is the one map minus the other."),
    "try_checks": N_("Checks of the map"),
    "try_passed": N_("passed"),
    "try_not_passed": N_("failed"),
    "try_decides": N_("What decides"),
    "try_seconds": N_("{seconds} s"),
    "try_as_seen": N_("The image is shown as the network takes it, not mirrored."),
    "try_near_text": N_(
        "By the cosine of the features from which the network decides; 1 is the same direction."
    ),
    "try_compared_one": N_("{n} image was compared."),
    "try_compared_many": N_("{n} images were compared."),
    "try_changed": N_(
        "The images have changed since the training; all that are there now were compared."
    ),
    "try_doubt": N_("the audit suggests {label}"),
    "try_open_image": N_("Open {name} among the images"),
    "try_add": N_("Add this image to a class"),
    "try_add_text": N_(
        "An image that is answered wrongly is worth most: give it to its class, and train again."
    ),
    "try_added": N_("The image goes to {name}."),
}
