"""The commands of `convlens`: where each is found, and its help.

A command is imported when it is used. Its module imports what is heavy in the functions that need
it, so that every `--help` answers at once.
"""

from cyclopts import App

COMMANDS = {
    "data": (
        "convlens.cli.data:data",
        "Show what is in a data source: format, classes, images and a sheet of examples.",
    ),
    "train": (
        "convlens.cli.train:train",
        "Train a classifier on labelled images, score it on images it has not seen, and report.",
    ),
    "evaluate": (
        "convlens.cli.predict:evaluate",
        "Score the classifier of a run, with 95 % intervals and the numbers of images.",
    ),
    "predict": (
        "convlens.cli.predict:predict",
        "Predict the classes of images: files, folders, globs, or - for the standard input.\n\n"
        "The classifier is a run or a .keras file. A network that was trained on ImageNet predicts "
        "one\nof 1,000 classes for any photograph: convlens predict --model efficientnet_lite0 "
        "IMAGE...",
    ),
    "compare": (
        "convlens.cli.studies:compare",
        "Train networks for the same time, rank them, and say which differences are significant.",
    ),
    "search": (
        "convlens.cli.studies:search",
        "Try other settings of the network and its training, and say which are best and how "
        "surely.",
    ),
    "models": (
        "convlens.cli.models:models",
        "List the networks: year, input, size, cost, smallest images and trained weights.",
    ),
    "cache": (
        "convlens.cli.cache:cache",
        "List the decoded images and features that are kept for later runs, or remove the oldest.",
    ),
    "demo": (
        "convlens.cli.demo:demo",
        "Train on 5,000 images of handwritten digits, predict a few, and print what to type next.",
    ),
    "summary": (
        "convlens.cli.summary:summary",
        "Show the layers of a network: outputs, parameters, multiply-adds and receptive fields.",
    ),
    "show": (
        "convlens.cli.show:show",
        "Show every number in the arithmetic of a layer, a loss or a small network.",
    ),
    "lesson": (
        "convlens.cli.lesson:lesson",
        "List the lessons of the five lectures, run one on your images, or write its notebook.",
    ),
    "open": (
        "convlens.cli.open:open_network",
        "Show what a trained network computes for an image: a layer, a value, a gradient.\n\n"
        "RUN is a run or a .keras file, and IMAGE is an image of any size. A network that was "
        "trained on ImageNet needs no run: convlens open --model efficientnet_lite0 IMAGE\n\n"
        "All layers are listed and drawn. With --layer, the feature maps of one layer are drawn; "
        "with --filter, one value is opened: the patch, the kernel, the products and their sum.",
    ),
}

app = App(
    name="convlens",
    help="From a folder of labelled images to a classifier one can trust, explain and ship, on the "
    "computer at hand.",
    help_epilogue="Every command takes --debug, which shows where an error comes from.",
    version_flags=["--version"],
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `main` handles Ctrl-C
)

for _name, (_function, _help) in COMMANDS.items():
    app.command(_function, name=_name, help=_help)
