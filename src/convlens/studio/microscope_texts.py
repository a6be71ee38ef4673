"""Microscope texts: what the page says in the room of the microscope."""

from convlens.language import N_

_ROOM = {
    "micro_parts": N_("Parts of the microscope"),
    "micro_network": N_("A network by hand"),
    "micro_valley": N_("A valley"),
    "micro_image": N_("An image"),
    "micro_time": N_("Time machine"),
}

_NETWORK = {
    "network_title": N_("A network of six neurons"),
    "network_about": N_(
        "Two inputs, two hidden neurons and two outputs, all sigmoid, with one bias for each "
        "layer. Choose a weight to see how the error depends on it. A dashed line is a negative "
        "weight, a thick one is large."
    ),
    "network_drawing": N_("The network with its weights, values and targets"),
    "target": N_("target"),
    "one_step": N_("One step"),
    "many_steps": N_("{n} steps"),
    "from_start": N_("From the start"),
    "learning_rate": N_("Learning rate"),
    "move_biases": N_("Move the biases, too"),
    "error_title": N_("The error"),
    "error_curve": N_("The error over the steps, on a logarithmic scale"),
    "after_steps_one": N_("after {n} step"),
    "after_steps_many": N_("after {n} steps"),
    "steps_axis": N_("{n} steps"),
    "chain_title": N_("The chain rule for {name}"),
    "choose_weight": N_("Weight"),
    "factor_output": N_("the value of {name}"),
    "factor_input": N_("the input {name}"),
    "update_title": N_("The next step: weight − learning rate × gradient"),
    "update_down": N_("A smaller {name} makes the error smaller, so it falls."),
    "update_up": N_("A larger {name} makes the error smaller, so it rises."),
    "update_none": N_("{name} does not change the error, so it stays."),
}

_VALLEY = {
    "valley_title": N_("Down a narrow valley"),
    "valley_about": N_(
        "The loss (x² + {steepness} y²) / 2 is {steepness} times as steep across the valley as "
        "along it. Go down step by step, drag the step size, and see the way change. A click sets "
        "the start."
    ),
    "valley_drawing": N_("The valley from above, with the way down"),
    "valley_start": N_("Start"),
    "valley_at": N_("x = {x}, y = {y}"),
    "ten_steps": N_("10 steps"),
    "one_back": N_("One step back"),
    "step_size": N_("Step size"),
    "step_limit": N_("limit {n}"),
    "momentum": N_("Momentum"),
    "steepness": N_("How narrow the valley is"),
    "loss_title": N_("The loss"),
    "loss_curve": N_("The loss over the steps, on a logarithmic scale"),
    "next_step": N_("The next step"),
    "next_lost": N_("The way has left the valley; the numbers only grow."),
    "verdict_straight": N_(
        "Each step keeps {along} of x and {across} of y: the way never crosses the valley, and "
        "goes slowly along it."
    ),
    "verdict_at_once": N_(
        "The step is 1/{steepness}, so that y is 0 after one step; each step keeps {along} of x."
    ),
    "verdict_oscillates": N_(
        "Each step multiplies y by {across}: the way jumps from side to side and yet comes nearer, "
        "since {size} is below the limit {limit} = 2/{steepness}."
    ),
    "verdict_edge": N_(
        "This is the limit 2/{steepness} = {limit}: the way jumps from side to side forever."
    ),
    "verdict_diverges": N_(
        "{size} is above the limit {limit} = 2 (1 + {momentum})/{steepness}: the jumps across the "
        "valley become longer, and the loss grows."
    ),
    "verdict_momentum": N_(
        "Each step adds {momentum} of the last one: along the valley the steps add up, across it "
        "they cancel out. The limit of the step size is 2 (1 + {momentum})/{steepness} = {limit}."
    ),
}

_IMAGE = {
    "subject": N_("Run and image"),
    "micro_run": N_("Run"),
    "micro_picture": N_("Image"),
    "choose_picture": N_("Choose an image"),
    "drop_picture": N_("Or drop one here, or take one of the workspace:"),
    "take_shot": N_("Take an image"),
    "take_drawing": N_("Look at it"),
    "shot_board": N_("Board for an image under the microscope"),
    "shot_board_keys": N_(
        "With the keyboard: arrows move the pen, Space puts it down or lifts it, Enter takes the "
        "drawing."
    ),
    "own_pictures": N_("Images of the workspace"),
    "micro_no_run": N_(
        "There is no trained network yet. Train one, in the room for it or with convlens train, "
        "and it can be looked into here."
    ),
    "micro_no_picture": N_("Choose an image, and see what the network computes for it."),
    "micro_working": N_("The network is at work:"),
    "stage_starting": N_("it is being loaded"),
    "stage_opening": N_("the image is being computed"),
    "stage_maps": N_("the maps of the classes"),
    "stage_writing": N_("the page is being written"),
    "stage_states": N_("the states of the training"),
    "image_title": N_("Every number of the network"),
    "image_about": N_(
        "Any layer, filter and cell with its sum: the page that convlens open --html writes."
    ),
}

_TIME = {
    "time_title": N_("The way to a class"),
    "time_about": N_(
        "What the network said of this image at the start, after its first steps and after its "
        "epochs. The training must have kept its states: in the room Train, their number is among "
        "the further settings; at the terminal it is convlens train … --snapshots 20."
    ),
    "states_shown": N_("{n} of {all} states are shown"),
    "play": N_("Play"),
    "pause": N_("Pause"),
    "moment": N_("State of the training"),
    "moment_start": N_("The start"),
    "moment_step": N_("After step {n}"),
    "moment_epoch": N_("After epoch {n}"),
    "moment_best": N_("the best epoch, which became the classifier"),
    "fact_steps": N_("step {n}"),
    "fact_rate": N_("learning rate {n}"),
    "fact_loss": N_("training loss {n}"),
    "fact_accuracy": N_("validation accuracy {n} %"),
    "shares_title": N_("The probabilities of the classes"),
    "shares_drawing": N_("The probabilities of the classes over the states, as areas"),
    "layer_title": N_("A layer at this state"),
    "choose_layer": N_("Layer"),
    "layer_maps": N_("Maps of the image"),
    "layer_values": N_("Values for the image"),
    "layer_filters": N_("Filters"),
    "layer_filter": N_("Filter"),
    "layer_unit": N_("Filter or unit"),
    "input_channel": N_("Input channel"),
    "show_difference": N_("Difference to the state before"),
    "first_of": N_("the first {n} of {all}"),
    "every_nth": N_("1 of {n} rows and columns is shown"),
    "weight_title": N_("One weight on its way"),
    "weight_largest": N_("the weight on which the loss depends most"),
    "weight_bias": N_("the bias"),
    "weight_typed": N_("a weight of your choice"),
    "weight_typed_hint": N_("Row, column, input channel; or input"),
    "weight_place": N_("unit {unit}, weight {place}"),
    "weight_line": N_("The weight over the states"),
    "weight_loss_line": N_("The loss of this image over the states"),
    "loss_short": N_("Loss"),
    "weight_chain": N_("Chain rule: how the loss of this image changes with it"),
    "weight_update": N_("Update"),
    "term_at": N_("position"),
    "term_slope": N_("slope"),
    "term_input": N_("input"),
    "term_others": N_("the other {n} positions"),
    "update_batch": N_("The next step, by {name}; the gradient of its batch is {n}."),
    "update_agrees": N_("The training has kept the same weight: {n}."),
    "update_differs": N_("The training has kept another weight: {n}."),
    "update_between": N_("What all steps up to the next state add; it is: {name}."),
    "update_last": N_("This is the last state."),
}

MICROSCOPE_TEXTS: dict[str, str] = _ROOM | _NETWORK | _VALLEY | _IMAGE | _TIME
