"""The certificate is for the names that it says, whatever happens while it is written."""

import ssl

import pytest

from convlens.errors import ConfigError
from convlens.studio import https
from convlens.studio.https import certificate_for


def names_of(certificate):
    """Return the names for which a certificate is good, as a client reads them."""
    found = ssl._ssl._test_decode_cert(str(certificate.file))
    return {name for _kind, name in found["subjectAltName"]}


def test_a_certificate_stays_and_keeps_its_former_names(tmp_path):
    home = certificate_for(tmp_path, ["localhost", "10.0.0.1"])
    assert names_of(home) == {"localhost", "10.0.0.1"}
    both = certificate_for(tmp_path, ["localhost", "10.0.0.2"])
    assert names_of(both) == {"localhost", "10.0.0.1", "10.0.0.2"}
    for address in ("10.0.0.1", "10.0.0.2"):  # nothing new to warn of in either network
        assert certificate_for(tmp_path, ["localhost", address]) == both


def test_a_laptop_in_many_networks_has_a_certificate_of_some_names(tmp_path, monkeypatch):
    monkeypatch.setattr(https, "MOST_NAMES", 3)
    for number in range(6):
        found = certificate_for(tmp_path, ["localhost", f"10.0.0.{number}"])
        assert {"localhost", f"10.0.0.{number}"} <= names_of(found)
        assert len(names_of(found)) <= 3


@pytest.mark.parametrize("until", [1, 2, 3])
def test_a_kill_between_its_files_leaves_no_wrong_certificate(tmp_path, monkeypatch, until):
    certificate_for(tmp_path, ["10.0.0.1"])
    real = https.write_atomically
    written = []

    def write(*given):
        written.append(given)
        if len(written) == until:
            raise KeyboardInterrupt
        real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(https, "write_atomically", write)
        with pytest.raises(KeyboardInterrupt):
            certificate_for(tmp_path, ["10.0.0.2"])
    assert "10.0.0.1" in names_of(certificate_for(tmp_path, ["10.0.0.1"]))


def test_a_name_that_no_certificate_takes_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="give --host an address such as"):
        certificate_for(tmp_path, ["my_host"])
    assert list(tmp_path.iterdir()) == []
