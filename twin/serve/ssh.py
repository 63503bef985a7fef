"""The SSH server: logs people in, gives each a screen, and lets nothing else through.

Per connection one session, per session one terminal. Commands, SFTP, SCP, forwarding of ports, sockets, agents and X11
are refused; of a client's environment only COLORTERM and NO_COLOR are looked at.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import asyncssh

from twin.errors import TwinError
from twin.serve.app import Governor, ServedApp, message_of_the_day
from twin.serve.driver import SshDriver
from twin.serve.hygiene import Collector, depth_of, plain_terminal, wishes_of
from twin.serve.keys import OperatorKeys
from twin.serve.limits import Gate, Limits
from twin.serve.people import Role, Visitor, safe_name
from twin.tui.base import INTERNAL

if TYPE_CHECKING:
    from twin.serve.worlds import World, Worlds
    from twin.tui.theme import Depth

LOG = logging.getLogger("twin.serve")

#: exit status of a session: needs a terminal, try again later (the server is full, closes, or time is up)
NO_TERMINAL, LATER = 64, 75
#: user name that always asks for a key
OPERATOR = "operator"
#: keys that one connection may try
KEYS_TRIED_MAX = 12
#: bytes that a client may have on the way, and that the kernel keeps for a reader: small, so that lag shows at once
WINDOW_B, SEND_BUFFER_B = 32 * 1024, 64 * 1024
#: longest time that an app may take to come up or to go away, s
PATIENCE_S = 15.0
#: after a session the client closes the connection itself; one that does not is closed after this time, s
CLOSE_S = 5.0
#: before a session is ended for want of a key, its visitor is warned, s
WARN_S = 60.0


@dataclass(eq=False)
class Host:
    """The server: its worlds, its limits and its sessions.

    Attributes:
        worlds: gives each visitor a factory.
        limits: what is granted.
        keys: who may act.
        anonymous: let people without a key look.
        sessions: those that have a terminal now.
    """

    worlds: Worlds
    limits: Limits
    keys: OperatorKeys
    anonymous: bool = False
    sessions: set[TerminalSession] = field(default_factory=set)
    served: int = 0

    def __post_init__(self) -> None:
        self.gate = Gate(self.limits)
        self.governor = Governor()
        self.collector = Collector()
        self.admission = asyncio.Lock()
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, host: str, port: int, key: asyncssh.SSHKey) -> int:
        """Begin to listen; returns the port."""
        self._acceptor = await asyncssh.create_server(
            partial(Door, self), host, port, server_host_keys=[key], encoding=None, line_editor=False,
            allow_scp=False, sftp_factory=None, agent_forwarding=False, x11_forwarding=False,
            password_auth=False, kbdint_auth=False, host_based_auth=False, gss_host=None, public_key_auth=True,
            login_timeout=self.limits.login_s, keepalive_interval=30, keepalive_count_max=3, compression_algs=None,
            window=WINDOW_B, server_version="twin", reuse_address=True, backlog=64)
        self._tasks = [asyncio.create_task(self.governor.watch()), asyncio.create_task(self._sweep())]
        return int(self._acceptor.get_port())

    async def close(self, why: str = "the server closes; good-bye") -> None:
        """End every session, stop listening, stop the factories."""
        if self._acceptor is not None:
            self._acceptor.close()
        for session in [*self.sessions]:
            session.end(why)
        for _ in range(100):
            if not self.sessions:
                break
            await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()
        await self.worlds.close()

    async def _sweep(self) -> None:
        """Once a second: end what lasted too long, renew leases, clean up."""
        while True:
            await asyncio.sleep(1.0)
            self._check_all()
            self.collector.collect()

    def _check_all(self) -> None:
        """End what lasted too long; a method of its own, so that the task holds no session while it sleeps."""
        for session in [*self.sessions]:
            session.check_time()


class Door(asyncssh.SSHServer):
    """One connection: who it is, and what it may ask for.

    The role is decided once. Whoever was let in without a key is a viewer for good.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._conn: asyncssh.SSHServerConnection | None = None
        self.address, self.name = "", ""
        self.role: Role = "viewer"
        self._let_in = self._logged_in = self._opened = False
        self._anonymous = False
        self._key_name: str | None = None
        self._tried = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Let a connection in or hang up before any cryptography is done for it."""
        self._conn = conn
        peer = conn.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        refused = self._host.gate.enter(self.address)
        if refused:
            told = self._host.gate.tell(refused)
            if told:
                LOG.warning("%s: %s", self.address, told)
            conn.abort()
            return
        self._let_in = True
        sock = conn.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_B)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._timer is not None:
            self._timer.cancel()
        if self._let_in:
            self._let_in = False
            if not self._logged_in:
                self._host.gate.logged_in()
            self._host.gate.leave(self.address)
        self._conn = None

    def begin_auth(self, username: str) -> bool:
        """Tell whether a key is needed: always for the operator, and for everybody where nobody may just look."""
        self.name, self._key_name = safe_name(username), None
        self._anonymous = self._host.anonymous and username != OPERATOR
        return not self._anonymous

    def public_key_auth_supported(self) -> bool:
        """Keys are the only way to log in."""
        return not self._anonymous

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Tell whether a key is an operator's."""
        self._tried += 1
        if self._tried > KEYS_TRIED_MAX and self._conn is not None:
            self._conn.abort()
            return False
        self._key_name = None if self._anonymous else self._host.keys.name_of(key, self.address)
        return self._key_name is not None

    def auth_completed(self) -> None:
        """Fix the role."""
        if self._logged_in or not self._let_in:
            return
        self._logged_in = True
        self._host.gate.logged_in()
        if not self._anonymous and self._key_name is not None:
            self.role = "operator"
            self.name = self._key_name if self._key_name != OPERATOR else self.name
        LOG.info("%s logged in as %s from %s", self.name, self.role, self.address)
        self._timer = asyncio.get_running_loop().call_later(self._host.limits.login_s, self._nothing_asked)

    def session_requested(self) -> Any:
        """Open one session for each connection, no more."""
        if self._opened or not self._logged_in or self._conn is None:
            return False
        self._opened = True
        return TerminalSession(self._host, self, self._conn)

    def _nothing_asked(self) -> None:
        if self._conn is not None and not self._opened:
            self._conn.close()

    def arrived(self) -> None:
        """Note that the session began."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close_soon(self) -> None:
        """Close the connection when the client does not do so itself; nothing is kept once it has."""
        if self._conn is not None:
            self._timer = asyncio.get_running_loop().call_later(CLOSE_S, self._conn.close)


class TerminalSession(asyncssh.SSHServerSession[bytes]):
    """One session: a channel, an app, a driver between them."""

    def __init__(self, host: Host, door: Door, conn: asyncssh.SSHServerConnection) -> None:
        self._host, self._door = host, door
        self._conn: asyncssh.SSHServerConnection | None = conn
        self._chan: asyncssh.SSHServerChannel[bytes] | None = None
        self._term, self._size = "", (80, 24)
        self._app: ServedApp | None = None
        self._driver: SshDriver | None = None
        self._visitor: Visitor | None = None
        self._task: asyncio.Task[None] | None = None
        self._gone = self._warned = False
        self._last_word = ""

    # ---- what asyncssh asks ----------------------------------------------------------------------------

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Keep the channel, and give it a while to ask for a terminal."""
        self._chan = chan
        self._timer = asyncio.get_running_loop().call_later(self._host.limits.login_s, self._nothing_asked)

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: Any) -> bool:
        """Note the kind and size of the terminal."""
        self._term, self._size = term_type[:64] or "dumb", self._clamp(term_size[0], term_size[1])
        return True

    def shell_requested(self) -> bool:
        """Open the screen."""
        return True

    def exec_requested(self, command: str) -> bool:
        """No command is run."""
        LOG.info("refused %s a command", self._door.name)
        return False

    def subsystem_requested(self, subsystem: str) -> bool:
        """There is no SFTP."""
        LOG.info("refused %s a subsystem", self._door.name)
        return False

    def session_started(self) -> None:
        """Start the screen, in a context of its own: nothing of another app is inherited."""
        self._timer.cancel()
        self._door.arrived()
        self._task = asyncio.get_running_loop().create_task(self._main(), context=contextvars.Context())

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Tell the screen."""
        self._size = self._clamp(width, height)
        if self._driver is not None:
            self._driver.resize(*self._size)

    def data_received(self, data: bytes, datatype: Any) -> None:
        """Give keys to the driver."""
        if self._driver is not None:
            self._driver.take(data)

    def eof_received(self) -> bool:
        """Leave when the terminal is gone."""
        self._leave()
        return True

    def break_received(self, msec: int) -> bool:
        """Nothing to break."""
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave."""
        self._gone = True
        self._timer.cancel()
        self._leave()

    # ---- what the driver asks --------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send bytes to the client."""
        if self._chan is not None and not self._gone and not self._chan.is_closing():
            self._chan.write(data)

    def backlog(self) -> int:
        """Return how many bytes were sent and not yet taken by the client's side of the network."""
        if self._chan is None or self._gone:
            return 0
        transport = getattr(self._conn, "_transport", None)
        waiting = transport.get_write_buffer_size() if transport is not None else 0
        return int(self._chan.get_write_buffer_size()) + int(waiting)

    def hold(self, on: bool) -> None:
        """Stop taking input, or go on."""
        if self._chan is not None and not self._gone:
            if on:
                self._chan.pause_reading()
            else:
                self._chan.resume_reading()

    def pressed(self) -> None:
        """Note that the visitor is there."""
        self._warned = False
        if self._visitor is not None and self._app is not None:
            self._app.world.roster.touch(self._visitor)

    # ---- life ------------------------------------------------------------------------------------------

    async def _main(self) -> None:
        status = INTERNAL
        self._host.sessions.add(self)
        try:
            if not self._term:
                self._last_word = "twin shows a live screen: it needs a terminal (ssh -t)"
                status = NO_TERMINAL
            elif len(self._host.sessions) > self._host.limits.sessions:
                self._last_word, status = "the house is full; try again later", LATER
            else:
                status = await self._serve()
        except TwinError as error:
            self._last_word, status = str(error), LATER
        except Exception:
            LOG.exception("the session of %s failed", self._door.name)
            self._last_word = "an error of the server ended this session"
        finally:
            self._host.sessions.discard(self)
            self._hang_up(status)

    async def _serve(self) -> int:
        """Show the screen until it is left; returns the exit status."""
        host, door = self._host, self._door
        async with host.admission:  # bringing an app up takes the loop a while: one at a time
            if self._gone:
                return LATER
            world, visitor = await host.worlds.enter(door.name, door.role, door.address)
            self._visitor = visitor
            host.served += 1
            LOG.info("%s (%d) came", visitor.name, visitor.number)
            try:
                running = self._open_screen(world, visitor)
                assert self._app is not None
                up = asyncio.ensure_future(self._app.up.wait())
                await asyncio.wait({running, up}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
                up.cancel()
            except BaseException:
                await host.worlds.leave(world, visitor)
                raise
        try:
            if self._gone or self._last_word:
                self._leave()
            await running
            crashed, status = self._app.crashed, self._app.return_code or 0
        finally:
            await host.worlds.leave(world, visitor)
            self._release()
        if crashed is not None:
            self._last_word = "an error of the server ended this session"
        LOG.info("%s (%d) left", visitor.name, visitor.number)
        return status

    def _open_screen(self, world: World, visitor: Visitor) -> asyncio.Task[Any]:
        env = self._chan.get_environment_bytes() if self._chan is not None else {}
        depth = cast("Depth", depth_of(self._term, wishes_of([*env.items()])))
        self.send(message_of_the_day(world, visitor).encode())
        self._app = ServedApp(world, visitor, depth=depth, ascii_only=plain_terminal(self._term),
                              governor=self._host.governor, frames_per_s=self._host.limits.frames_per_s,
                              driver=self._make_driver)
        return asyncio.ensure_future(self._app.run_async(size=self._size))

    def _make_driver(self, app: Any, **options: Any) -> SshDriver:
        self._driver = SshDriver(app, wire=self, limits=self._host.limits, is_up=app.up.is_set, **options)
        if self._gone:
            app.exit(return_code=LATER)
        return self._driver

    def _leave(self) -> None:
        app = self._app
        if app is not None and app.is_running:
            app.exit(return_code=LATER if self._last_word else 0)

    def end(self, why: str) -> None:
        """End the session and say why."""
        self._last_word = printable_line(why)
        self._leave()

    def check_time(self) -> None:
        """End a session in which nobody pressed a key for too long, or that lasted too long."""
        visitor, limits = self._visitor, self._host.limits
        if visitor is None or self._app is None:
            return
        now = self._app.world.roster.clock()
        idle, stay = now - visitor.last_input, now - visitor.since
        if limits.idle_s and idle > limits.idle_s:
            self.end(f"no key for {limits.idle_s / 60:.0f} minutes; good-bye")
        elif limits.total_s and stay > limits.total_s:
            self.end(f"{limits.total_s / 60:.0f} minutes are over; come again")
        elif limits.idle_s > 2 * WARN_S and idle > limits.idle_s - WARN_S and not self._warned:
            self._warned = True
            visitor.notices.append("still here? press a key, or this screen closes in a minute")

    def _release(self) -> None:
        if self._driver is not None:
            self._driver.close()
            self._host.collector.release(self._app, self._driver.parser)
        self._app = self._driver = self._visitor = None

    def _hang_up(self, status: int) -> None:
        chan, self._chan = self._chan, None
        if chan is not None and not self._gone:
            if self._last_word:
                chan.write(f"{self._last_word}\r\n".encode("utf-8", "replace"))
            chan.exit(status)
        self._door.close_soon()
        self._conn = None
        self._task = None

    def _nothing_asked(self) -> None:
        if self._chan is not None:
            self._chan.close()
        if self._conn is not None:
            self._conn.close()

    def _clamp(self, width: int, height: int) -> tuple[int, int]:
        """Return a size that can be drawn; a client that gives none gets 80x24."""
        return min(width or 80, self._host.limits.width), min(height or 24, self._host.limits.height)


def printable_line(text: str) -> str:
    """Return text as one printable line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def serve_forever(make: Callable[[], Host], host: str, port: int, key: asyncssh.SSHKey,
                  opened: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        make: makes the host, inside the event loop.
        host, port: where to listen.
        key: host key.
        opened: told the port when people can come.
    """
    import signal

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(name, stop.set)
        server = make()
        try:
            opened(await server.open(host, port, key))
            await stop.wait()
        finally:
            await server.close()

    asyncio.run(main())


__all__ = ["Door", "Host", "TerminalSession", "serve_forever"]
