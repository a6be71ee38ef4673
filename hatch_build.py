"""The hook of the build that puts the catalogue of texts into the wheel in compiled form."""

import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("locale/zh_Hant_TW/LC_MESSAGES")


class CatalogueHook(BuildHookInterface):
    """Compile convlens.po for a wheel. Nothing is written into the source tree."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the catalogue; an editable installation reads it as it is."""
        if version == "editable":
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
        if version != "editable":
            self._folder.cleanup()
