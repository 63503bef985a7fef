"""Which names a server answers to."""

import pytest

from twin.serve.hosts import Hosts, host_of, is_loopback


@pytest.mark.parametrize("header, name", [
    ("localhost:8000", "localhost"), ("LOCALHOST", "localhost"), ("127.0.0.1:1", "127.0.0.1"), ("[::1]:80", "::1"),
    ("[::1]", "::1"), ("a.example", "a.example"), ("", ""), ("a b", ""), ("[::1]x", ""), ("[::1", ""), ("a:b", ""),
    ("user@localhost:80", ""), ("localhost:80@evil", ""),
])
def test_name_in_a_host_header(header, name):
    assert host_of(header) == name


def test_only_own_names_are_answered():
    hosts = Hosts("127.0.0.1", ["demo.example:443"])
    own = ("localhost:8000", "127.0.0.1", "[::1]:8000", "demo.example", "DEMO.example:443")
    assert all(hosts.allows(h) for h in own)
    assert not any(hosts.allows(h) for h in (None, "", "evil.example", "localhost.evil.example", "127.0.0.2"))
    assert Hosts("127.0.0.1", ["*"]).allows("evil.example")


def test_loopback():
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("::")
    assert not is_loopback("demo.example")
