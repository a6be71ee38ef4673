"""The commands of `convlens`: where each is found, and its help."""

from convlens.language import N_

HELP = N_(
    "From a folder of labelled images to a classifier one can trust, explain and ship, on the "
    "computer at hand."
)
COMMANDS = {  # where each is, and its help; see `convlens.cli.overview`
    "data": (
        "convlens.cli.data:data",
        N_("Show what is in a data source: format, classes, images and a sheet of examples."),
    ),
    "audit": (
        "convlens.cli.audit:audit",
        N_("Say what is wrong with images, or which labels the classifier of a run doubts.")
        + "\n\n"
        + N_(
            "Of a run, the labels that its classifier doubts are listed, the share of wrong labels "
            "is estimated, and it is said where the classifier is worse."
        ),
    ),
    "train": (
        "convlens.cli.train:train",
        N_(
            "Train a classifier on labelled images, score it on images it has not seen, and report."
        ),
    ),
    "evaluate": (
        "convlens.cli.evaluate:evaluate",
        N_("Score the classifier of a run, with 95 % intervals and the numbers of images."),
    ),
    "predict": (
        "convlens.cli.predict:predict",
        N_("Predict the classes of images: files, folders, globs, or - for the standard input.")
        + "\n\n"
        + N_(
            "The classifier is a run, a .keras file or an exported folder. A network that was "
            "trained on ImageNet predicts one of 1,000 classes for any photograph: convlens "
            "predict --model efficientnet_lite0 IMAGE..."
        ),
    ),
    "export": (
        "convlens.cli.export:export",
        N_(
            "Write a classifier into a folder that works without convlens, with a proof that it "
            "does."
        )
        + "\n\n"
        + N_(
            "The folder holds the network, its classes and preprocessing, examples with their "
            "probabilities, a model card, and predict.py, which needs only numpy, Pillow and the "
            "engine."
        ),
    ),
    "verify": (
        "convlens.cli.export:verify",
        N_("Check that an exported folder is whole and still gives the recorded probabilities."),
    ),
    "serve": (
        "convlens.cli.serve:serve",
        N_("Serve a classifier over HTTP: POST /predict, and the Open Inference Protocol."),
    ),
    "studio": (
        "convlens.cli.studio:studio",
        N_("Open the studio in the browser: from images to a classifier, without a cloud.")
        + "\n\n"
        + N_(
            "FOLDER is a workspace, which is made if it is new, or images in any layout that "
            "`convlens train` knows, which are never changed. Everything that the page makes is an "
            "ordinary folder, list or run."
        ),
    ),
    "compare": (
        "convlens.cli.compare:compare",
        N_(
            "Train networks for the same time, rank them, and say which differences are "
            "significant."
        ),
    ),
    "search": (
        "convlens.cli.search:search",
        N_(
            "Try other settings of the network and its training, and say which are best and how "
            "surely."
        ),
    ),
    "models": (
        "convlens.cli.models:models",
        N_("List the networks: year, input, size, cost, smallest images and trained weights."),
    ),
    "cache": (
        "convlens.cli.cache:cache",
        N_(
            "List the decoded images, features and maps that are kept for later runs, or remove "
            "the oldest."
        ),
    ),
    "run": (
        "convlens.cli.runs:runs",
        N_("List runs, show what can be resumed, check that files are whole, or remove a run."),
    ),
    "demo": (
        "convlens.cli.demo:demo",
        N_(
            "Train on 5,000 images of handwritten digits, predict a few, and print what to type "
            "next."
        ),
    ),
    "summary": (
        "convlens.cli.summary:summary",
        N_("Show the layers of a network: outputs, parameters, multiply-adds and receptive fields.")
        + "\n\n"
        + N_("NAME is one of `convlens models`, a run, or a classifier's .keras file."),
    ),
    "show": (
        "convlens.cli.show:show",
        N_("Show every number in the arithmetic of a layer, a loss or a small network."),
    ),
    "lesson": (
        "convlens.cli.lesson:lesson",
        N_("List the lessons, run one on your images, or write its notebook."),
    ),
    "explain": (
        "convlens.cli.explain:explain",
        N_("Say why a network gave its answer for images, with maps that carry their evidence.")
        + "\n\n"
        + N_(
            "Each map is checked before it is shown: whether it adds up to the logit, whether the "
            "logit falls further without the places it names than without others, and whether it "
            "changes with the weights. A map that fails is not shown."
        )
        + "\n\n"
        + N_("convlens explain RUN --check says which methods may be trusted on the network."),
    ),
    "open": (
        "convlens.cli.open:open_network",
        N_("Show what a trained network computes for an image: a layer, a value, a gradient.")
        + "\n\n"
        + N_(
            "RUN is a run or a .keras file, and IMAGE is an image of any size. A network that was "
            "trained on ImageNet needs no run: convlens open --model efficientnet_lite0 IMAGE"
        )
        + "\n\n"
        + N_(
            "All layers are listed and drawn. With --layer, the feature maps of one layer are "
            "drawn; with --filter, one value is opened: the patch, the kernel, the products and "
            "their sum."
        ),
    ),
}
