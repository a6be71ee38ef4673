"""Addresses at which a server listens."""

import socket

import pytest

from convlens.errors import ConfigError
from convlens.serve import server
from convlens.serve.server import bind, is_local, listen, url_for_others, url_of


def test_a_free_port_is_chosen():
    with bind("127.0.0.1", 0) as bound:
        listen(bound)
        port = bound.getsockname()[1]
        assert url_of(bound) == f"http://127.0.0.1:{port}"
        assert is_local(bound)


@pytest.mark.parametrize(
    ("host", "local"), [("localhost", True), ("127.0.0.2", True), ("0.0.0.0", False)]
)
def test_only_this_computer_reaches_loopback(host, local):
    with bind(host, 0) as bound:
        assert is_local(bound) is local


def test_an_address_of_ipv6():
    try:
        bound = bind("::1", 0)
    except ConfigError:
        pytest.skip("this computer has no IPv6")
    with bound:
        assert is_local(bound)
        assert url_of(bound).startswith("http://[::1]:")
        assert url_for_others(bound) is None
    with bind("::", 0) as bound:
        assert url_of(bound).startswith("http://[::1]:")


def test_all_addresses_are_told_as_one_that_can_be_opened(monkeypatch):
    with bind("0.0.0.0", 0) as bound:
        listen(bound)
        port = bound.getsockname()[1]
        assert url_of(bound) == f"http://127.0.0.1:{port}"
        # The system sends to this address from itself, whatever its network is.
        monkeypatch.setattr(server, "OUTSIDE", {"0.0.0.0": "127.0.0.2"})
        others = url_for_others(bound)
        assert others in (f"http://127.0.0.1:{port}", f"http://127.0.0.2:{port}")
        socket.create_connection((others.split("/")[2].split(":")[0], port), 5).close()
        # As without a network, the system has no address to send from.
        monkeypatch.setattr(server, "OUTSIDE", {"0.0.0.0": "255.255.255.255"})
        assert url_for_others(bound) is None


def test_a_port_in_use_is_named():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1, port {port}; Address already in use"):
            bind("127.0.0.1", port)


def test_a_port_that_another_took_in_the_meantime_is_named():
    with bind("127.0.0.1", 0) as bound, bind("127.0.0.1", bound.getsockname()[1]) as other:
        listen(other)
        with pytest.raises(ConfigError, match="Address already in use"):
            listen(bound)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", 65536, "from 0 to 65535; found 65536"),
        ("127.0.0.1", -1, "from 0 to 65535; found -1"),
        ("", 0, "must be an address of this computer; found ''"),
        ("no such host", 0, "must be an address of this computer; found 'no such host'"),
        ("a" * 70 + ".example", 0, "must be an address of this computer"),
        ("192.0.2.1", 0, "Cannot assign requested address"),
    ],
)
def test_other_addresses_are_refused(host, port, message):
    with pytest.raises(ConfigError, match=message):
        bind(host, port)
