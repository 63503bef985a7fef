"""``twin serve metrics``: a run as a Prometheus target.

The engine runs in the session's thread and knows nothing of scrapes: one takes the newest frame, turns it into text
in a thread of its own, and every scrape of the same frame gets the same bytes. The HTTP server understands what a
scraper sends and nothing more: GET or HEAD, two paths, a short head, one answer per connection.
"""

from __future__ import annotations

import asyncio
import gzip
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass

from twin.errors import InputError
from twin.export.meter import EnergyMeter
from twin.export.prometheus import CONTENT_TYPE, EXTRA_COLUMNS, Exposition
from twin.runtime.session import Session
from twin.scenario.run import Run
from twin.serve.hosts import Hosts, is_loopback

#: the engine gets the interpreter back after this long; with Python's 5 ms a scrape would delay ticks
SWITCH_INTERVAL_S = 0.0005
FRAME_S = 1.0
CONNECTIONS_MAX = 32
HEAD_LIMIT, HEAD_TIMEOUT_S, SEND_TIMEOUT_S = 8192, 5.0, 30.0
SLICE = 1 << 16
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
            431: "Request Header Fields Too Large", 503: "Service Unavailable"}


@dataclass(frozen=True)
class Answer:
    """Status, type and body of an answer, and its encoding when it has one."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    encoding: str = ""


class MetricsServer:
    """Serves the metrics of one session.

    Args:
        session: started and closed by the caller.
        exposition: turns its frames into text.
        hosts: names that requests may carry; None for any.
    """

    def __init__(self, session: Session, exposition: Exposition, hosts: Hosts | None) -> None:
        self._session, self._exposition, self._hosts = session, exposition, hosts
        self._lock = asyncio.Lock()
        self._version, self._plain, self._packed = -1, b"", b""
        self._open = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        self._open += 1
        try:
            if self._open > 2 * CONNECTIONS_MAX:
                writer.transport.abort()
                return
            async with asyncio.timeout(HEAD_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
            busy = self._open > CONNECTIONS_MAX
            answer, head_only = (Answer(503, b"too many connections\n"), False) if busy else await self.answer(head)
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await _send(writer, answer, head_only)
        except asyncio.LimitOverrunError:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await _send(writer, Answer(431, b"the request is too long\n"), False)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            writer.transport.abort()
        finally:
            self._open -= 1
            writer.close()

    async def answer(self, head: bytes) -> tuple[Answer, bool]:
        """Return the answer to a request's head, and whether only its head is asked for."""
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return Answer(400, b"this is not HTTP/1\n"), False
        method, target, _ = words
        fields: dict[str, str] = {}
        for line in lines[1:-2]:
            name, colon, value = line.partition(":")
            if not colon or name.strip() != name or (name.lower() in fields and name.lower() == "host"):
                return Answer(400, b"a header is malformed\n"), False
            fields[name.lower()] = value.strip()
        if self._hosts is not None and not self._hosts.allows(fields.get("host")):
            return Answer(403, b"this server does not answer to that name; see --allow-host\n"), False
        if method not in ("GET", "HEAD"):
            return Answer(405, b"only GET and HEAD\n"), False
        path = target.partition("?")[0]
        if path == "/metrics":
            return await self._metrics("gzip" in fields.get("accept-encoding", "")), method == "HEAD"
        if path == "/healthz":
            well = self._session.error is None
            return Answer(200 if well else 503, b"ok\n" if well else b"the engine stopped\n"), method == "HEAD"
        return Answer(404, b"there are /metrics and /healthz\n"), method == "HEAD"

    async def _metrics(self, packed: bool) -> Answer:
        async with self._lock:
            frame = self._session.frame()
            if frame.version != self._version:
                self._plain = await asyncio.to_thread(self._exposition.render, frame)
                self._version, self._packed = frame.version, b""
            if packed and not self._packed:
                self._packed = await asyncio.to_thread(gzip.compress, self._plain, 1)
            return (Answer(200, self._packed, CONTENT_TYPE, "gzip") if packed
                    else Answer(200, self._plain, CONTENT_TYPE))


async def _send(writer: asyncio.StreamWriter, answer: Answer, head_only: bool) -> None:
    head = [f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}", f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.body)}", "Connection: close", "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff"]
    if answer.encoding:
        head.append(f"Content-Encoding: {answer.encoding}")
    if answer.status == 405:
        head.append("Allow: GET, HEAD")
    writer.write(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
    if not head_only:
        view = memoryview(answer.body)
        for at in range(0, len(view), SLICE):  # a slow reader holds one slice, not the whole text
            writer.write(view[at:at + SLICE])
            await writer.drain()
    await writer.drain()


def make(run: Run, *, speed: float, max_gpus: int) -> tuple[Session, Exposition]:
    """Return a session with meters, not started, and what turns its frames into text."""
    meter = EnergyMeter(run.sim.state.chip.gpu_power_w)
    run.sim.watches.append(meter)
    session = Session(run, speed=speed, read_only=True, frame_s=FRAME_S, columns=EXTRA_COLUMNS, endless=True)
    session.timeline.budget_bytes = 0  # nobody goes back in time here: the first keyframe and the newest are enough
    return session, Exposition(session.site, run.source, meter, max_gpus=max_gpus)


async def serve(run: Run, *, host: str, port: int, speed: float, max_gpus: int, allowed: tuple[str, ...]) -> None:
    """Serve until SIGINT or SIGTERM, or until the engine stops.

    Raises:
        InputError: the address cannot be listened on.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    session, exposition = make(run, speed=speed, max_gpus=max_gpus)
    hosts = Hosts(host, allowed) if is_loopback(host) or allowed else None
    server = MetricsServer(session, exposition, hosts)
    try:
        listener = await asyncio.start_server(server.handle, host, port, limit=HEAD_LIMIT, backlog=CONNECTIONS_MAX)
    except OSError as error:
        raise InputError(f"cannot listen: {error.strerror}", where=f"{host}:{port}") from error
    session.start()
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    try:
        bound = listener.sockets[0].getsockname()
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        print(f"metrics of {session.title} on http://{shown}:{bound[1]}/metrics", file=sys.stderr, flush=True)
        while not ended.is_set() and session.error is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await ended.wait()
    finally:
        listener.close()
        session.close()
    if session.error is not None:
        raise session.error
