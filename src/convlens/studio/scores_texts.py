"""Scores texts: what the room of the scores says."""

from convlens.language import N_

SCORES_TEXTS: dict[str, str] = {
    "scores_loading": N_("The scores are being loaded."),
    "scores_nothing": N_("There is no training yet."),
    "scores_nothing_how": N_(
        "What a training has reached stands here, with each of its mistakes. Trainings of the "
        "command line are shown, too, if they lie in the folder runs of the workspace."
    ),
    "scores_all": N_("All versions"),
    "scores_versions": N_("Versions"),
    "scores_choose": N_("Choose one, or put several side by side."),
    "scores_compare": N_("Side by side"),
    "scores_seconds": N_("{n} s"),
    "scores_minutes": N_("{n} min"),
    "scores_tested_one": N_("{n} image ({seen})"),
    "scores_tested_many": N_("{n} images ({seen})"),
    "scores_corrections_one": N_("{n} correction"),
    "scores_corrections_many": N_("{n} corrections"),
    "scores_report": N_("Open the report"),
    "scores_mistakes_one": N_("{n} mistake"),
    "scores_mistakes_many": N_("{n} mistakes"),
    "scores_train": N_("Train again"),
    "scores_train_changed": N_("Train again with these corrections"),
    "scores_state_training": N_("It is being trained; its scores come at the end."),
    "scores_state_resumable": N_("It was stopped. At a terminal, it goes on with this command:"),
    "scores_state_not_begun": N_(
        "It was ended before anything was trained. Remove its folder, and start again."
    ),
    "scores_state_damaged": N_("Use a copy of this run, or train it again."),
    "scores_state_finished": N_(
        "No images were set aside to score it on. With a test share, it has scores."
    ),
    "scores_accuracy": N_("Accuracy"),
    "scores_interval": N_("95 % interval"),
    "scores_list_changed": N_(
        "The list of corrections says something else now than in this training."
    ),
    "scores_elsewhere": N_(
        "This was trained on images of another place, {path}; they cannot be shown here."
    ),
    "scores_no_images": N_(
        "This score is a mean of several trainings, each with a report of its own in its folder."
    ),
    "scores_networks": N_("Networks of this comparison"),
    "scores_network": N_("Network"),
    "scores_validation": N_("Validation"),
    "scores_test": N_("Test"),
    "scores_matrix": N_("Confusion matrix"),
    "scores_matrix_how": N_(
        "Blue is right, orange is wrong, and stronger is a larger share of the true class. A click "
        "or Enter opens the images of a cell; the arrow keys go from cell to cell."
    ),
    "scores_matrix_look": N_(
        "Blue is right, orange is wrong, and stronger is a larger share of the true class."
    ),
    "scores_true": N_("true class"),
    "scores_predicted": N_("predicted class"),
    "scores_cell_right": N_("{label}, predicted as {predicted}: {n} images right, {share} of them"),
    "scores_cell_wrong_one": N_(
        "{label}, predicted as {predicted}: {n} image is wrong, {share} of all {label}"
    ),
    "scores_cell_wrong_many": N_(
        "{label}, predicted as {predicted}: {n} images are wrong, {share} of all {label}"
    ),
    "scores_classes": N_("Classes"),
    "scores_class": N_("class"),
    "scores_images": N_("images"),
    "scores_predicted_as": N_("predicted as it"),
    "scores_recall": N_("Recall"),
    "scores_recall_is": N_("Share of the images of the class that are found."),
    "scores_precision": N_("Precision"),
    "scores_precision_is": N_("Share of the images predicted as the class that belong to it."),
    "scores_f1": N_("F1"),
    "scores_f1_is": N_("Harmonic mean of precision and recall."),
    "scores_differ_one": N_("{n} prediction differs from the report, since it was computed again."),
    "scores_differ_many": N_(
        "{n} predictions differ from the report, since they were computed again."
    ),
    "scores_predicting": N_("The test images of {name} are being predicted."),
    "scores_predict_why": N_(
        "An earlier convlens made {name}; it does not say what is predicted for each test image. "
        "The images of the cells, and a comparison, need that."
    ),
    "scores_predict": N_("Predict the test images"),
    "scores_all_scores": N_("All scores"),
    "scores_recorded": N_("Images, list and settings"),
    "scores_list": N_("list of corrections"),
    "scores_no_list": N_("none"),
    "scores_settings": N_("Settings"),
    "scores_calibration": N_("Calibration"),
    "scores_calibration_said": N_("Accuracy of predictions by their confidence"),
    "scores_calibration_how": N_(
        "On the dashed line, predictions are correct as often as their confidence says. Large dots "
        "stand for many images."
    ),
    "scores_confidence": N_("confidence"),
    "scores_bin": N_("confidence {confidence}: {value} correct, {n} images"),
    "scores_images_of_cell": N_("Images of this cell"),
    "scores_worst_first": N_("Mistakes of {name}, the most confident first"),
    "scores_cell_title": N_("{label}, predicted as {predicted}"),
    "scores_more": N_("Show more ({n} left)"),
    "scores_gone_one": N_("{n} is not in the workspace any more"),
    "scores_gone_many": N_("{n} are not in the workspace any more"),
    "scores_is_gone": N_("not in the workspace any more"),
    "scores_select": N_(
        "Select images to change their class or to leave them out; Enter opens one among all "
        "images."
    ),
    "scores_true_is": N_("true: {name}"),
    "scores_predicted_is": N_("predicted: {name}, {share}"),
    "scores_now": N_("now: {name}"),
    "scores_is_class": N_("It is {name}"),
    "scores_only_mistakes": N_(
        "Labels that are wrong where the network agrees with them are not among the mistakes. If "
        "only mistakes are corrected, the next score is too high; the data check looks at all "
        "images."
    ),
    "scores_open_image": N_("Show among all images"),
    "scores_side_by_side": N_("Side by side"),
    "scores_one_more": N_("Choose another version, to stand beside {name}."),
    "scores_none_common": N_(
        "These versions were tested on different images, so that they cannot be compared. Train "
        "them on the same images with the same list, and they have the same test images."
    ),
    "scores_right": N_("{name} right"),
    "scores_wrong": N_("{name} wrong"),
    "scores_pair_both": N_("Both are right: {first} and {second}"),
    "scores_pair_first": N_("Only {first} is right, not {second}"),
    "scores_pair_second": N_("Only {second} is right, not {first}"),
    "scores_pair_neither": N_("Both are wrong: {first} and {second}"),
    "scores_difference": N_("Accuracy of {second} minus accuracy of {first}"),
    "scores_points": N_("{n} percentage points"),
    "scores_better": N_("{name} better"),
    "scores_common_one": N_("Accuracy on {n} common test image:"),
    "scores_common_many": N_("Accuracy on {n} common test images:"),
    "scores_fingerprint": N_("fingerprint"),
    "scores_began": N_("began"),
    "scores_time": N_("time of training"),
    "scores_leave_out": N_("Leave out {name}"),
}
