"""HTTPS: a certificate that this computer makes for itself, so that a phone may use its camera.

Browsers give the camera to pages of https and of their own computer only. The key of the authority
that signs the certificate is thrown away: nobody can sign another one with it, so that whoever
trusts the authority trusts this one certificate.
"""

import hashlib
import importlib.util
import json
import platform
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from convlens.errors import BackendError, ConfigError
from convlens.files import storage_errors, write_atomically
from convlens.language import _

PACKAGE = "trustme"
DAYS = 365  # browsers of phones refuse certificates that last for more than 825
SPARE = 30  # days before its end from which on a new one is made
MOST_NAMES = 20  # of one certificate
PRIVATE = 0o600
BEGIN = "-----BEGIN CERTIFICATE-----"  # not translated: PEM
ENDING = "-----END CERTIFICATE-----"  # not translated: PEM


@dataclass(frozen=True)
class Certificate:
    """A certificate of this computer.

    Attributes:
        file: The certificate with its key, which the user alone can read.
        authority: The certificate of the authority, which a client may be told to trust.
        fingerprint: The SHA-256 of the certificate, as browsers show it.
    """

    file: Path
    authority: Path
    fingerprint: str


def missing_https() -> str:
    """Return the line that says why there is no HTTPS, or nothing."""
    if importlib.util.find_spec(PACKAGE) is not None:
        return ""
    return str(
        _("HTTPS needs {package}, which is not installed: pip install 'convlens[https]'.").format(
            package=PACKAGE
        )
    )


def certificate_for(folder: Path, names: Sequence[str]) -> Certificate:
    """Return a certificate for names and addresses of this computer; the same one, if it fits.

    Args:
        folder: Where it is kept.
        names: Such as "localhost" and "192.168.1.7".

    Raises:
        BackendError: If the package is missing that makes it.
        ConfigError: If a name cannot stand in a certificate.
        StorageError: If it cannot be written.
    """
    if missing := missing_https():
        raise BackendError(missing)
    found = Certificate(folder / "server.pem", folder / "authority.pem", "")
    known = _names_of(folder)
    if not set(names) <= known:
        # With the former ones: a laptop that changes between two networks warns once in each.
        newest = sorted(known - set(names))[: MOST_NAMES - len(names)]
        _make(found, folder, sorted({*names, *newest}))
    content = found.file.read_text(encoding="ascii")
    start = content.index(BEGIN)
    end = content.index(ENDING, start) + len(ENDING)
    der = ssl.PEM_cert_to_DER_cert(content[start:end])
    digest = hashlib.sha256(der).hexdigest().upper()
    return Certificate(found.file, found.authority, ":".join(map("".join, _pairs(digest))))


def _pairs(digits: str) -> list[str]:
    return [digits[place : place + 2] for place in range(0, len(digits), 2)]


def _names_of(folder: Path) -> set[str]:
    """Return the names of the certificate that is kept; none if it is about to end."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads((folder / "names.json").read_text(encoding="utf-8"))
        until = datetime.fromisoformat(said["until"])
        is_there = (folder / "server.pem").is_file() and (folder / "authority.pem").is_file()
        is_new = until - datetime.now(UTC) > timedelta(days=SPARE)
        return {str(name) for name in said["names"]} if is_there and is_new else set()
    return set()


def _make(into: Certificate, folder: Path, names: Sequence[str]) -> None:
    import trustme

    now = datetime.now(UTC)
    until = now + timedelta(days=DAYS)
    owner = "convlens studio"  # not translated: the name of the product
    authority = trustme.CA(
        organization_name=owner, organization_unit_name=platform.node() or owner, path_length=0
    )
    try:
        issued = authority.issue_cert(
            *names,
            common_name=owner,
            not_before=now - timedelta(days=1),  # the clock of a phone may be late
            not_after=until,
        )
    except ValueError as error:  # idna's, which allows fewer names than systems do
        raise ConfigError(
            _(
                "a certificate takes names of hosts with letters, digits and hyphens only "
                "({reason}); give --host an address such as 0.0.0.0."
            ).format(reason=error)
        ) from error

    def write(temporary: Path) -> None:
        temporary.touch(PRIVATE)
        temporary.write_bytes(issued.private_key_and_cert_chain_pem.bytes())

    what = _("the certificate")
    with storage_errors(folder, what):  # a kill between the files leaves one without known names
        (folder / "names.json").unlink(missing_ok=True)
    write_atomically(into.file, write, what)
    write_atomically(into.authority, authority.cert_pem.bytes(), what)
    said = {"names": list(names), "until": until.isoformat(timespec="seconds")}
    write_atomically(folder / "names.json", json.dumps(said), what)
