"""Words: the texts that the scripts of the page put together.

The page holds them in every language.
"""

from convlens.language import N_

WORDS = {
    "loading": N_("The network is being loaded."),
    "is_file": N_(
        "A browser does not load a network from a file. Start a server in this folder; nothing "
        "leaves this computer. Type in a terminal:"
    ),
    "no_script": N_(
        "The scripts of this page could not be loaded. All files of the folder must be there, and "
        "the server must send files that end in .mjs as text/javascript."
    ),
    "no_network": N_(
        "The network of this page could not be loaded ({reason}). All files of the folder must be "
        "there, as they were exported."
    ),
    "checking": N_("The network is being checked: {equal} of {count} examples."),
    "checked": N_(
        "Checked in this browser: {equal} of {count} examples have the recorded probabilities; the "
        "largest difference is {largest}."
    ),
    "differs": N_(
        "This page does not classify images in this browser: only {equal} of {count} examples have "
        "the recorded probabilities; the largest difference is {largest}, of {allowed} allowed. "
        "Either a file of the folder was changed, or this browser computes or decodes otherwise: "
        "try another one, and export the classifier again if that does not help."
    ),
    "decodes": N_(
        "Checked in this browser: {equal} of {count} examples have the recorded probabilities. The "
        "browser decodes the others in its own way; a probability differs by up to {largest}."
    ),
    "none": N_("none of these"),
    "nearest": N_("The nearest class is {label}, below the threshold of {threshold}."),
    "time": N_("{milliseconds} ms"),
    "more": N_("further classes: {count}"),
    "waiting": N_("waiting …"),
    "photo": N_("photo"),
    "alt": N_("the image {name}"),
    "unreadable": N_("{name}: this browser cannot read the file as an image."),
    "cmyk": N_("{name}: a JPEG in CMYK looks different in each browser; convert it to RGB first."),
    "large": N_("{name}: an image may have 100 million pixels at most."),
    "deep": N_(
        "{name}: the network has not learned from images of 16 bits; convert it to 8 bits first."
    ),
    "no_camera": N_("The camera cannot be used ({reason}). A photo or a file can be chosen."),
}
