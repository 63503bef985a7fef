"""What the SSH server keeps of sessions that have ended, counted in this process with real connections."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("asyncssh")
pytest.importorskip("pyte")

import asyncssh
from textual.message_pump import MessagePump
from textual.timer import Timer

from tests.serve.serve_rig import until
from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.serve import hygiene
from twin.serve.app import ServedApp
from twin.serve.driver import SshDriver
from twin.serve.keys import OperatorKeys, host_key
from twin.serve.limits import Limits
from twin.serve.people import Visitor
from twin.serve.ssh import Door, Host, TerminalSession
from twin.serve.worlds import SharedWorld

#: what belongs to one visitor
OF_A_VISITOR = (TerminalSession, Door, ServedApp, SshDriver, Visitor, asyncssh.SSHServerConnection, MessagePump, Timer)
#: where every object that stays is counted; containers are not: a cancelled timer of asyncio keeps its context a while
COUNTED = ("twin.", "asyncssh.", "asyncio.sslproto", "asyncio.selector_events", "textual.css", "textual.binding")
WAVE = 6


async def come_and_go(port: int) -> None:
    """Log in, look at another view and at the help, leave by a key."""
    async with asyncssh.connect("127.0.0.1", port, username="guest", known_hosts=None, client_keys=None, config=None,
                                agent_path=None) as conn:
        process = await conn.create_process(term_type="xterm-256color", term_size=(120, 40), encoding=None)
        seen = b""
        while b"PUE" not in seen:
            seen += await process.stdout.read(65536)
        process.stdin.write(b"27q")
        while await process.stdout.read(65536):
            pass
        assert (await process.wait()).exit_status == 0


async def test_sessions_leave_no_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each visitor's own objects none is left, and what else is left does not grow with the visitors."""
    for name in ("redirect_stdout", "redirect_stderr"):
        monkeypatch.setattr(f"textual.app.{name}", hygiene.nullcontext)
    # Paused: the past of a factory that runs takes memory of its own, whoever looks at it.
    world = SharedWorld(Session(open_run("small"), endless=True, paused=True), 120.0)
    host = Host(world, Limits(frames_per_s=20.0, connects_per_min=0), OperatorKeys(None), anonymous=True)
    port = await host.open("127.0.0.1", 0, host_key(tmp_path / "key")[0])

    gc.collect()
    others = {id(o): o for o in gc.get_objects() if isinstance(o, OF_A_VISITOR)}  # of tests before this one; held here

    def own() -> list[str]:
        host.collector.collect()
        gc.collect()
        return [type(o).__qualname__ for o in gc.get_objects() if isinstance(o, OF_A_VISITOR) and id(o) not in others]

    def left() -> Counter[str]:
        return Counter(f"{type(o).__module__}.{type(o).__qualname__}" for o in gc.get_objects()
                       if str(type(o).__module__).startswith(COUNTED))

    async def wave() -> Counter[str]:
        for _ in range(WAVE):
            await come_and_go(port)
        await until(lambda: not own(), "something of a visitor stays")
        return left()

    try:
        await wave()  # fills the caches that every visitor uses
        first = await wave()
        second = await wave()
    finally:
        await host.close()
    grown = {kind: second[kind] - first[kind] for kind in second if second[kind] - first[kind] >= WAVE}
    assert second
    assert not grown, grown
    assert not [t for t in asyncio.all_tasks() if t is not asyncio.current_task() and not t.done()]
