"""Page: the files that make an exported folder a web page, which classifies images offline."""

import importlib.util
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from convlens.backend import versions
from convlens.charts.html import each_language, render_page
from convlens.errors import ConfigError
from convlens.export.target import RUNTIME
from convlens.export.web.words import WORDS
from convlens.image_file import opened
from convlens.language import _, listed
from convlens.vendor import package_folder, package_version

HERE = Path(__file__).parent
RUNTIME_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
# Golden examples that browsers decode in different ways; the page refuses such images.
UNREADABLE = ("cmyk.jpg",)
# What every browser decodes, as Pillow names it.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP")
MOST_NAMES = 40  # classes that the page lists; the bars show all of them


def write_page(folder: Path, name: str, class_names: Sequence[str]) -> None:
    """Write the page, its scripts and the runtime of networks into an exported folder.

    Args:
        folder: The folder, which has the network.
        name: The title of the page.
        class_names: The names of the classes.
    """
    for script in sorted(HERE.glob("*.mjs")):
        shutil.copyfile(script, folder / script.name)
    runtime = package_folder(RUNTIME)
    for file in RUNTIME_FILES:
        shutil.copyfile(runtime / file, folder / file)
    shutil.copyfile(runtime / "LICENSE", folder / "LICENSE-onnxruntime-web.txt")
    # The notices of what is linked into the runtime come from Python's package, which has them.
    spec = importlib.util.find_spec("onnxruntime")
    if spec is not None and spec.origin is not None:
        notices = Path(spec.origin).with_name("ThirdPartyNotices.txt")
        if notices.exists():
            shutil.copyfile(notices, folder / "NOTICES-onnxruntime-web.txt")
    words = {tag: {key: str(_(text)) for key, text in WORDS.items()} for tag in each_language()}
    more = ["…"] if len(class_names) > MOST_NAMES else []
    values = {
        "name": name,
        "names": listed([*class_names[:MOST_NAMES], *more]),
        "version": versions()["convlens"],
        "engine": package_version(RUNTIME),
        "words": json.dumps(words, ensure_ascii=False).replace("</", "<\\/"),
    }
    page = render_page("convlens.export.web", "index.html", values)
    (folder / "index.html").write_text(page, encoding="utf-8")


def check_examples(examples: Sequence[Path]) -> None:
    """Check that a page can read the examples of a user.

    Raises:
        ConfigError: If browsers do not decode an example, or in different ways.
        ImageError: If an example cannot be opened.
    """
    for path in examples:
        with opened(path) as (image, _file):
            found = (image.format, image.mode)
        if found[0] not in FORMATS or found[1] == "CMYK":
            raise ConfigError(
                _(
                    "{path}: an example of a web page must be a JPEG in RGB or grey, PNG, WebP, "
                    "GIF or BMP file; found {format} in {mode}."
                ).format(path=path, format=found[0], mode=found[1])
            )
