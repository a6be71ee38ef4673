"""Shipping: all that a workspace has to leave the studio with."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens.export.target import Target
from convlens.language import _
from convlens.studio.https import missing_https
from convlens.studio.opening import Places
from convlens.studio.problem import GONE, Problem
from convlens.studio.shipping.downloads import Downloads
from convlens.studio.shipping.exporting import Exporting, formats
from convlens.studio.shipping.exports import ExportList
from convlens.studio.shipping.phone import Phone
from convlens.studio.shipping.qr import drawn
from convlens.studio.shipping.serving import Serving
from convlens.text import printable


@dataclass(frozen=True)
class Reach:
    """Where the studio can be reached.

    Attributes:
        url: Its address, as other computers have it if they can reach it.
        is_local: Whether only this computer can.
        fingerprint: That of its certificate; nothing if the address is one of http.
    """

    url: str = ""
    is_local: bool = True
    fingerprint: str = ""


class Shipping:
    """The exports of a workspace, and how they are shown to others.

    Attributes:
        places: Where everything lies.
        exports: The exported folders.
        exporting: The export that is under way.
        serving: The server of one of them.
        phone: The page of one of them.
        downloads: The archives that a browser is about to save.
        reach: Where the studio can be reached.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self.exports = ExportList(places.exports)
        self.exporting = Exporting(places)
        self.serving = Serving(places)
        self.phone = Phone(places)
        self.downloads = Downloads()
        self.reach = Reach()

    @property
    def told(self) -> int:
        """A number that rises with each piece of progress."""
        return self.exporting.told + self.serving.told + self.phone.told

    def status(self) -> dict[str, Any]:
        """Return all that a page shows."""
        return {
            "formats": formats(self.places),
            "exporting": self.exporting.status(),
            "exports": self.exports.rows(),
            "serving": self.serving.status(),
            "phone": self.phone.status(),
            "camera": self._camera(),
            "folder": printable(self.places.root),
        }

    def _camera(self) -> dict[str, Any]:
        """Return how a phone becomes a camera of this workspace."""
        root = os.fspath(self.places.root)
        words = ["convlens", "studio", root, "--host", "0.0.0.0", "--https"]
        return {
            "is_local": self.reach.is_local,
            "is_https": bool(self.reach.fingerprint),
            "fingerprint": self.reach.fingerprint,
            "missing": missing_https(),
            "command": printable(shlex.join(words)),
        }

    def invitation(self, token: str) -> dict[str, str]:
        """Return the address that opens the studio on another computer, also as a picture.

        Raises:
            Problem: If no other computer can reach it.
        """
        if self.reach.is_local:
            raise Problem(_("only this computer can reach the studio."), GONE)
        address = f"{self.reach.url}/#token={token}"
        return {"address": address, "qr": drawn(address)}

    def command(self, run: Path, target: Target) -> str:
        """Return what exports a run at a terminal."""
        out = self.places.exports / target.folder_name(run.name)
        words = ["convlens", "export", os.fspath(run), "--to", target.to]
        if target.precision != "float32":
            words += ["--precision", target.precision]
        words += ["--any-size"] * target.any_size + ["--accept-loss"] * target.accept_loss
        return printable(shlex.join([*words, "--out", os.fspath(out)]))

    def remove(self, name: object) -> None:
        """Delete an export.

        Raises:
            Problem: If there is none of this name, or if it is shown or served now.
        """
        folder = self.exports.find(name)
        if self.serving.serves(folder.name) or self.phone.shows(folder.name):
            raise Problem(_("{name} is in use; stop it first.").format(name=folder.name), GONE)
        self.exports.remove(name)

    def close(self) -> None:
        """End all that goes on."""
        self.exporting.stop()
        self.serving.stop()
        self.phone.stop()
