"""The hook of the build: JavaScript packages are fetched, and texts are compiled for the wheel."""

import runpy
import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("locale/zh_Hant_TW/LC_MESSAGES")


class ConvlensHook(BuildHookInterface):
    """Fetch the JavaScript packages, and compile convlens.po for a wheel.

    The packages are written into the source tree, where git ignores them; nothing else is.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Prepare a build; an editable installation reads the catalogue as it is."""
        self._fetch()
        if self.target_name != "wheel" or version == "editable":
            return
        source = Path(self.root) / "src" / "convlens" / FOLDER / "convlens.po"
        with source.open("rb") as file:
            catalogue = read_po(file, locale="zh_Hant_TW")
        self._folder = tempfile.TemporaryDirectory()
        compiled = Path(self._folder.name) / "convlens.mo"
        with compiled.open("wb") as file:
            write_mo(file, catalogue)
        build_data["force_include"][str(compiled)] = str("convlens" / FOLDER / "convlens.mo")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the compiled catalogue when the wheel is written."""
        if self.target_name == "wheel" and version != "editable":
            self._folder.cleanup()

    def _fetch(self) -> None:
        """Fetch the JavaScript packages; without them, the build goes on with a warning."""
        vendor = runpy.run_path(str(Path(self.root) / "tools" / "vendor.py"))
        try:
            vendor["fetch"](Path(self.root))
        except vendor["VendorError"] as error:
            self.app.display_warning(
                f"{error}. Web pages of classifiers and the page of the server's interface will "
                "not work."
            )
