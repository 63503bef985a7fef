"""Visitors over SSH, the long tests: twenty at a time, a reader that sleeps, five hundred who come and go."""

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("asyncssh")
pytest.importorskip("pyte")
if shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
    pytest.skip("openssh-client is not installed", allow_module_level=True)

from benchmarks.bench_ssh import come_and_go
from tests.e2e.ssh_rig import Client, Server, pump, pump_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path, "demo", "--speed", "10", "--max-sessions", "24")
    yield one
    for client in [*Client.everyone]:
        client.close()
    assert one.close() == 0, one.text()
    assert "Traceback" not in one.text(), one.text()


def clock(client: Client) -> str:
    found = re.search(r"\d\d:\d\d:\d\d", client.row(0))
    assert found, client.screen()
    return found[0]


def test_twenty_visitors_fit(server: Server) -> None:
    people = [Client(server, size=(120, 40), env={"COLORTERM": "truecolor"}) for _ in range(20)]
    for one in people:
        one.up()
    for i, one in enumerate(people):
        one.keys("1234567"[i % 7])
    pump_for(3)
    before, since = sum(c.count for c in people), [clock(c) for c in people]
    pump_for(10)
    assert sum(c.count for c in people) - before < 10e6
    assert server.rss_mb() < 160
    assert all(clock(c) != was for c, was in zip(people, since, strict=True))
    assert [one.leave() for one in people] == [0] * 20


def test_the_house_is_full(server: Server) -> None:
    people: list[Client] = []
    for there in range(8, 25, 8):  # fewer at a time than may be logging in
        people += [Client(server, watch=False) for _ in range(8)]
        deadline = time.monotonic() + 120
        while server.text().count(") came") < there:
            assert time.monotonic() < deadline, server.text()
            pump(0.1)
    late = Client(server)
    assert late.ended() == 75
    assert b"full" in late.raw
    assert all(one.open for one in people)


def test_a_client_that_sleeps_for_a_minute(server: Server) -> None:
    sleeper, other = Client(server, size=(120, 40)).up(), Client(server, "operator", server.alice, size=(120, 40)).up()
    pump_for(5)
    os.kill(sleeper.process.pid, signal.SIGSTOP)
    before, since = server.rss_mb(), clock(sleeper)
    pump_for(60)
    assert server.rss_mb() - before < 4
    os.kill(sleeper.process.pid, signal.SIGCONT)
    sleeper.wait(lambda s: clock(sleeper) != since, "it does not go on")
    other.keys(" ")
    for one in (sleeper, other):
        one.wait(lambda s: "paused" in s.splitlines()[0], "no pause")
        one.keys("2")
        one.wait(lambda s: "cold aisle" in s and "energy bill" not in s, "no floor")
    pump_for(2)
    assert sleeper.screen().splitlines()[3:30] == other.screen().splitlines()[3:30]
    assert sleeper.leave() == 0


def test_five_hundred_come_and_go(tmp_path: Path) -> None:
    # At the default pace: the past of a factory grows with what it lives through, visitors or not, up to its budget.
    server = Server(tmp_path, "demo")
    try:
        sizes = come_and_go(server, 500)
    finally:
        code = server.close()
    assert code == 0, server.text()
    assert "Traceback" not in server.text(), server.text()
    assert server.text().count(") left") >= 500
    assert sizes["rss_after_mb"] - sizes["rss_before_mb"] < 5, sizes
