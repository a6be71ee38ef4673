"""Train texts: what the page says in the room where trainings are chosen and watched."""

from convlens.language import N_

_CHOICES = {
    "train_loading": N_("The trainings are being loaded."),
    "train_how": N_("How should it be trained?"),
    "train_suits": N_("suits these images"),
    "way_budget": N_("A time budget"),
    "way_budget_text": N_("You give the minutes; what fits into them is measured and chosen."),
    "way_head": N_("A trained network, one new layer"),
    "way_head_text": N_(
        "It has learned from a million photographs and stays as it is; only the last layer is new. "
        "A few images and seconds are enough."
    ),
    "way_tune": N_("A trained network that learns on"),
    "way_tune_text": N_("After the new layer, all others adapt to your photographs too."),
    "way_small": N_("A small network from scratch"),
    "way_small_text": N_(
        "It knows nothing yet, and learns from your images alone, in more epochs than the quick "
        "network."
    ),
    "way_fast": N_("A quick network from scratch"),
    "way_fast_text": N_(
        "It knows nothing yet, either, and learns in few epochs: for drawings, and for grey or "
        "small images."
    ),
    "train_minutes": N_("Minutes for everything"),
    "train_own_minutes": N_("minutes"),
    "train_epochs": N_("Epochs, that is, how often it sees all images"),
    "train_number": N_("A number from {least} to {most}, please."),
    "train_further": N_("Further settings"),
    "train_snapshots": N_("States of the network that are kept, 0 for none"),
    "train_snapshots_about": N_(
        "The time machine of the room Microscope shows them one after the other."
    ),
    "train_no_states_budget": N_(
        "With a time budget no states can be kept here: it would have to leave the trained network "
        "out. For the time machine of the room Microscope, choose a way that learns by epochs."
    ),
    "train_no_states_head": N_(
        "Its last layer is computed at once, so there are no states to keep for the time machine "
        "of the room Microscope."
    ),
    "train_snapshots_size_one": N_("{n} state will be kept, in about {size} on the disk."),
    "train_snapshots_size_many": N_("{n} states will be kept, in about {size} on the disk."),
    "train_snapshots_free": N_("The disk has only {free} left; keep fewer, or free some space."),
    "train_start": N_("Start the training"),
    "train_queue": N_("Add to the queue"),
    "train_one_at_a_time": N_("One training goes on at a time; the next starts by itself."),
    "train_no_images": N_("There are no images yet."),
    "train_to_images": N_("To the images"),
}

_PLAN = {
    "plan_title": N_("What will happen"),
    "plan_budget": N_(
        "{images} images of {classes} classes. It ends after {time} at most, with the scores and "
        "the report; the network and its epochs are chosen so that they fit."
    ),
    "plan_budget_short": N_(
        "{images} images of {classes} classes. {time} is not enough for them on this computer; "
        "the training would end without a result."
    ),
    "budget_short": N_(
        "That is too short for these images on this computer: it takes {used} to start and to "
        "measure, and {more} from there to the scores; with a quarter more, since both vary, that "
        "is {least}. Give it more time, or use fewer or smaller images."
    ),
    "budget_take": N_("Give it {minutes} minutes"),
    "budget_failed": N_(
        "{time} was not enough for these images on this computer: it took {used} to start and to "
        "measure, and from there it would have taken {more}; with a quarter more, since both vary, "
        "that is {least}. Give it more time, or use fewer or smaller images."
    ),
    "plan_head": N_(
        "{images} images of {classes} classes. The network turns each into 1,280 numbers once, and "
        "a new layer learns to tell the classes by them."
    ),
    "plan_tune": N_(
        "{images} images of {classes} classes. First a new layer learns, and then the whole "
        "network goes through all images {epochs} times."
    ),
    "plan_small": N_(
        "{images} images of {classes} classes. A new network goes through all of them {epochs} "
        "times."
    ),
    "plan_fast": N_(
        "{images} images of {classes} classes. A new network of computed first layers goes through "
        "all of them {epochs} times."
    ),
    "plan_time": N_("It will take {time}."),
    "plan_measuring": N_("Measuring how long it takes."),
    "plan_stage": N_("Measuring how long it takes: {stage}"),
    "plan_later": N_("How long it takes is measured when no other training is running."),
    "plan_unlike": N_("This network knows photographs: {reason}."),
    "plan_lacking": N_("This network needs a package that is not installed: {command}"),
    "plan_empty": N_("Without images, these classes are not learned: {names}."),
    "plan_few_one": N_("{name} has {n} image only; 20 and more are better."),
    "plan_few_many": N_("{name} has {n} images only; 20 and more are better."),
    "plan_unequal": N_(
        "Some classes have over 5 times as many images as others; rare ones weigh more."
    ),
    "plan_unchecked": N_("The images have not been checked for copies and wrong labels."),
    "plan_stale": N_("The images have changed since they were checked."),
    "plan_doubts_one": N_("The check has {n} finding that matters."),
    "plan_doubts_many": N_("The check has {n} findings that matter."),
    "seconds_one": N_("{n} second"),
    "seconds_many": N_("{n} seconds"),
    "minutes_one": N_("{n} minute"),
    "minutes_many": N_("{n} minutes"),
    "about_seconds_one": N_("about {n} second"),
    "about_seconds_many": N_("about {n} seconds"),
    "about_minutes_one": N_("about {n} minute"),
    "about_minutes_many": N_("about {n} minutes"),
    "about_hours": N_("about {n} hours"),
}

_LIVE = {
    "train_none": N_("Nothing has been trained yet."),
    "train_none_text": N_(
        "Choose how, read what will happen, and start. You may close this page, and even the "
        "studio, meanwhile: a training goes on by itself."
    ),
    "train_starting": N_("starting"),
    "train_progress": N_("done: {progress}"),
    "train_how_far": N_("How far the training is"),
    "train_since": N_("{time} so far"),
    "train_left": N_("{time} left"),
    "train_soon": N_("nearly done"),
    "train_safe": N_("It goes on if this page or the studio is closed."),
    "train_elsewhere": N_("It was begun at a terminal; Ctrl-C there stops it."),
    "train_stop": N_("Stop"),
    "train_stopping": N_("It is stopping"),
    "train_continue": N_("Continue"),
    "train_waits": N_("It waits for its turn."),
    "train_stopped": N_("It was stopped; what it has learned is kept."),
    "train_stopped_early": N_("It was stopped, and nothing of it is on the disk."),
    "train_can_begin": N_("It can be started again from the beginning."),
    "train_flags": N_(
        "What begins with -- are settings of the command below. On this page, another way of "
        "training, fewer epochs, or more or other images may help."
    ),
    "train_vanished": N_("{run} is no longer there: its folder was removed or renamed."),
    "train_killed": N_("It ended before it was done, as if the computer had been switched off."),
    "train_gone": N_("It was finished, but its folder is no longer there."),
    "train_state_gone": N_("its folder is gone"),
    "train_can_go_on": N_("It can be continued where it was."),
    "train_terminal": N_("At the terminal"),
    "train_log": N_("What the training has said"),
    "train_to_scores": N_("To its scores"),
    "train_to_try": N_("Try it"),
    "trainings": N_("Trainings"),
    "train_busy": N_("The next waits for {run}, which somebody trains at a terminal."),
    "queue_about": N_(
        "Those that wait start one after the other, also after the studio was ended."
    ),
    "queue_earlier": N_("Let {run} come earlier"),
    "queue_later": N_("Let {run} come later"),
    "queue_remove": N_("Take {run} out of the list"),
}

_RESULT = {
    "curve_accuracy": N_("Accuracy"),
    "curve_loss": N_("Loss"),
    "curve_train": N_("images it learns from"),
    "curve_val": N_("other images"),
    "curve_epoch": N_("epoch"),
    "curve_best": N_("best epoch: {n}"),
    "curve_table": N_("The numbers of all epochs"),
    "curve_spoken": N_("{line}: {value} after epoch {epoch}."),
    "column_accuracy": N_("accuracy"),
    "column_val_accuracy": N_("accuracy, other images"),
    "column_loss": N_("loss"),
    "column_val_loss": N_("loss, other images"),
    "curve_no_epochs": N_("The last layer is computed at once, so there is no curve."),
    "curve_later": N_("The curves begin with the end of the first epoch."),
    "mistakes": N_("The worst mistakes"),
    "mistakes_of_epoch": N_("The worst mistakes after epoch {epoch}"),
    "mistakes_none": N_("All of the {all} images that were set aside for validation are right."),
    "mistakes_wrong_one": N_(
        "{n} of the {all} images that were set aside for validation is wrong."
    ),
    "mistakes_wrong_many": N_(
        "{n} of the {all} images that were set aside for validation are wrong. A click leads to "
        "the image, where its class can be changed."
    ),
    "mistake_label": N_("but labelled"),
    "mistake_open": N_("Go to this image"),
    "mistake_spoken": N_(
        "{name}: {predicted} with {percent}, but labelled {label}. Go to this image."
    ),
    "result_accuracy": N_("accuracy"),
    "result_none": N_("It is finished. No images were set aside, so there are no scores."),
    "result_seconds": N_("It learned for {time}."),
}

TRAIN_TEXTS: dict[str, str] = _CHOICES | _PLAN | _LIVE | _RESULT
