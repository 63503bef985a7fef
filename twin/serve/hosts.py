"""Which ``Host`` a request may name: what stands between a server on loopback and a web page that rebinds its DNS name.

A browser can be led to send requests to 127.0.0.1 under a foreign name. Such a request carries that name in its
``Host`` header, so a server that answers only to names of its own gives nothing away.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """Tell whether a server bound to ``host`` can be reached from its own machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """Return the name in a ``Host`` header, without port and brackets, in lower case; empty when it is none.

    >>> host_of("LocalHost:8000"), host_of("[::1]:80"), host_of("a@b:1")
    ('localhost', '::1', '')
    """
    text = header.strip().lower()
    if text.startswith("["):
        name, closed, rest = text[1:].partition("]")
        return name if closed and (not rest or (rest[1:].isdigit() and rest[0] == ":")) else ""
    name, colon, port = text.partition(":")
    if colon and not port.isdigit():
        return ""
    return name if name and all(c.isalnum() or c in "-._" for c in name) else ""


class Hosts:
    """The names that a server answers to.

    Args:
        bound: address that it listens on.
        extra: names that were allowed explicitly, as a reverse proxy's; ``*`` allows all.
    """

    def __init__(self, bound: str, extra: Collection[str] = ()) -> None:
        self.any = "*" in extra
        self._names = {bound.lower(), *LOOPBACK, *(host_of(name) or name.lower() for name in extra)}

    def allows(self, header: str | None) -> bool:
        """Tell whether a request with this ``Host`` header is meant for us."""
        return self.any or (header is not None and host_of(header) in self._names)
