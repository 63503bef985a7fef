"""How much one visitor, one address and all of them together may use."""

from __future__ import annotations

import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

#: addresses that are remembered by the connect rate limit
ADDRESSES_MAX = 4096
#: refusals that the log tells of: at once, and then per second
REFUSALS_TOLD = (20, 0.2)


@dataclass(frozen=True)
class Limits:
    """What the server grants.

    Attributes:
        sessions: visitors at a time; per_address: connections of one address at a time.
        logins: connections that have not logged in yet, at a time.
        connects_per_min: new connections a minute from one address, after a burst of as many; 0 for no limit.
        idle_s, total_s: longest time without a key, longest stay; 0 for no limit.
        lease_idle_s: time without a key after which an operator no longer holds the controls.
        login_s: time to log in, and then to ask for a terminal.
        width, height: largest terminal; larger ones get a picture of this size.
        input_burst_b, input_b_s: bytes of input taken at once, and then per second.
        share: part of the loop's time that one flood of keys may take.
        backlog_b, backlog_max_b: output waiting for a reader above which frames are left out, and above which output
            is dropped and drawn afresh later.
        frames_per_s: frames a second of each visitor.
    """

    sessions: int = 20
    per_address: int = 20
    logins: int = 16
    connects_per_min: int = 60
    idle_s: float = 1800.0
    total_s: float = 8 * 3600.0
    lease_idle_s: float = 120.0
    login_s: float = 20.0
    width: int = 300
    height: int = 100
    input_burst_b: int = 8192
    input_b_s: int = 4096
    share: float = 0.2
    backlog_b: int = 32 * 1024
    backlog_max_b: int = 512 * 1024
    frames_per_s: float = 4.0


class Bucket:
    """A token bucket.

    Args:
        burst: tokens in it at first and at most.
        per_s: tokens that flow in per second.
        clock: seconds, monotonic.

    >>> now = [0.0]
    >>> bucket = Bucket(2, 1.0, lambda: now[0])
    >>> bucket.take(1), bucket.take(1), bucket.take(1)
    (True, True, False)
    >>> now[0] = 1.0
    >>> bucket.take(1)
    True
    """

    __slots__ = ("_at", "_clock", "_has", "burst", "per_s")

    def __init__(self, burst: float, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.burst, self.per_s, self._clock = burst, per_s, clock
        self._has, self._at = burst, clock()

    def has(self) -> float:
        """Return how many tokens there are."""
        now = self._clock()
        self._has = min(self.burst, self._has + (now - self._at) * self.per_s)
        self._at = now
        return self._has

    def take(self, count: float) -> bool:
        """Take tokens and tell whether they were there; none are taken when they are not."""
        if self.has() < count:
            return False
        self._has -= count
        return True


def neighbourhood(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that an IPv6 address lies in.

    >>> neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1"), neighbourhood("::ffff:192.0.2.7")
    (True, '192.0.2.7')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class Gate:
    """Decides whether a new connection is let in at all, before any cryptography is done for it.

    Args:
        limits: what is granted.
        clock: seconds, monotonic.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._open: Counter[str] = Counter()
        self._rates: OrderedDict[str, Bucket] = OrderedDict()
        self.logging_in = 0
        self._words = Bucket(*REFUSALS_TOLD, clock)
        self._untold = 0

    def tell(self, why: str) -> str:
        """Return what the log says of a refusal: empty when there are too many, which are counted for the next line.

        Whoever is refused costs nothing to try again, so one line for each would let anybody fill the disk.
        """
        if not self._words.take(1):
            self._untold += 1
            return ""
        untold, self._untold = self._untold, 0
        return f"{why} ({untold} more were refused before)" if untold else why

    def enter(self, address: str) -> str:
        """Count a new connection; returns why it is refused, or an empty string."""
        key, limits = neighbourhood(address), self._limits
        if limits.connects_per_min:
            bucket = self._rates.pop(key, None) or Bucket(limits.connects_per_min, limits.connects_per_min / 60,
                                                          self._clock)
            self._rates[key] = bucket
            while len(self._rates) > ADDRESSES_MAX:
                self._rates.popitem(last=False)
            if not bucket.take(1):
                return "too many connections in a short time from this address"
        if self._open[key] >= limits.per_address:
            return "too many connections from this address"
        if self.logging_in >= limits.logins or sum(self._open.values()) >= limits.sessions + limits.logins:
            return "too many connections"
        self._open[key] += 1
        self.logging_in += 1
        return ""

    def logged_in(self) -> None:
        """Note that a connection has logged in."""
        self.logging_in -= 1

    def leave(self, address: str) -> None:
        """Forget a connection that was let in."""
        key = neighbourhood(address)
        self._open[key] -= 1
        if self._open[key] <= 0:
            del self._open[key]
