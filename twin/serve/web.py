"""``twin serve web``: the screen in browsers, a private world for each.

textual-serve gives the terminal of the page, the protocol and the process of each browser. What it lacks for this
purpose is here: everything is served from this server, requests must name it and come from its own page, the number
of worlds and what each may use is bounded, and no process outlives its browser.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager
from textual_serve.server import Server, to_int

from twin.errors import InputError, TwinError, printable
from twin.serve.hosts import Hosts, host_of
from twin.serve.page import CSS, JS, full_page, page, policy
from twin.serve.world import World

#: columns and rows of a terminal: what a browser says is held to these
COLUMNS, ROWS = (20, 300), (8, 100)
MESSAGE_LIMIT = 1 << 16
#: bytes of input taken at once and then per second; beyond that the browser has to wait
INPUT_BURST, INPUT_PER_S = 16_384, 8_192
#: how long a world may take to leave before it is ended, and then killed, s
LEAVE_S, END_S = 3.0, 2.0
HEARTBEAT_S = 15.0
ERROR_LIMIT = 4096
#: what a world's process sees of the server's environment
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONHOME",
                "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")
_STATIC = {"xterm.css": "css/xterm.css", "textual.js": "js/textual.js",
           "RobotoMono.ttf": "fonts/RobotoMono-VariableFont_wght.ttf",
           "RobotoMono-Italic.ttf": "fonts/RobotoMono-Italic-VariableFont_wght.ttf"}
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
            "Server": "twin"}


@dataclass(frozen=True)
class WebLimits:
    """What the server grants: worlds at a time, s without input, s altogether (0 for no limit)."""

    sessions: int = 8
    idle_s: float = 1800.0
    total_s: float = 8 * 3600.0


class WorldService(AppService):
    """The process of one browser.

    Args:
        world: what to run.
        write_bytes, close: to the browser.
    """

    def __init__(self, world: World, *, write_bytes: Callable[[bytes], Awaitable[None]],
                 close: Callable[[], Awaitable[Any]]) -> None:
        async def write_str(_: str) -> None:
            """Nothing is said to the page but what the terminal shows."""

        super().__init__("", write_bytes=write_bytes, write_str=write_str, close=close,
                         download_manager=DownloadManager())
        self._world = world
        self._errors = b""

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        own = {name: value for name, value in super()._build_environment(width, height).items()
               if name.startswith(("TEXTUAL_", "TERM_")) or name in ("COLUMNS", "ROWS")}
        return kept | own | {"TEXTUAL_FPS": "30", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "twin.serve.world", msgspec.json.encode(self._world).decode(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=self._build_environment(width, height), start_new_session=True)
        self._stdin = process.stdin
        return process

    async def run(self) -> None:
        """Hand the screen to the browser until one of them ends."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        errors = asyncio.create_task(self._read_errors())
        try:
            if await process.stdout.readline() == b"__GANGLION__\n":
                while True:
                    kind = await process.stdout.readexactly(1)
                    size = int.from_bytes(await process.stdout.readexactly(4), "big")
                    payload = await process.stdout.readexactly(size)
                    if kind == b"D":
                        await self.remote_write_bytes(payload)
                    elif kind == b"M" and msgspec.json.decode(payload).get("type") == "exit":
                        break
        except (asyncio.IncompleteReadError, ConnectionError, RuntimeError):
            pass  # the process or the browser has gone
        finally:
            with suppress(ConnectionError, RuntimeError):
                await self.remote_close()
            await errors

    async def _read_errors(self) -> None:
        """Keep the end of what the process says about its troubles, and pass it on when it has gone."""
        assert self._process is not None
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(ERROR_LIMIT):
            self._errors = (self._errors + data)[-ERROR_LIMIT:]
        if self._errors:
            lines = self._errors.decode("utf-8", "replace").strip().splitlines()
            print(f"twin: a world ended: {printable(lines[-1]) if lines else ''}", file=sys.stderr, flush=True)

    async def stop(self) -> None:
        """Let the process leave, and see to it that it does."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with suppress(TimeoutError):  # it may have stopped reading
                async with asyncio.timeout(END_S):
                    await self.send_meta({"type": "quit"})
        if process.stdin is not None:
            process.stdin.close()  # at whose end it leaves, too
        for grace_s, act in ((LEAVE_S, process.terminate), (END_S, process.kill)):
            try:
                async with asyncio.timeout(grace_s):
                    await process.wait()
                break
            except TimeoutError:
                with suppress(ProcessLookupError):
                    act()
        await process.wait()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None


class WebServer(Server):
    """Pages, sockets and worlds.

    Args:
        world: what every browser gets.
        title: of the pages.
        host, port: where to listen.
        limits: what is granted.
        hosts: names that requests may carry.
        public_url: address under which browsers reach a reverse proxy before this server, if any.
    """

    def __init__(self, world: World, title: str, host: str, port: int, limits: WebLimits, hosts: Hosts,
                 public_url: str = "") -> None:
        super().__init__("", host=host, port=port, title=title, public_url=public_url or None)
        self.world, self.limits, self.hosts = world, limits, hosts
        self.proxy_url = public_url.rstrip("/")
        self.open = 0
        self._admission = asyncio.Lock()
        self._sockets: set[web.WebSocketResponse] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=0)
        app.add_routes([web.get("/", self.handle_page), web.get("/ws", self.handle_websocket),
                        web.get("/healthz", self._well), web.get("/static/{name}", self._static)])
        app.on_shutdown.append(self.on_shutdown)
        app.on_cleanup.append(self.on_cleanup)
        app.on_response_prepare.append(self._dress)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Answer only to requests that name this server."""
        if not self.hosts.allows(request.headers.get("Host")):
            raise web.HTTPForbidden(text="this server does not answer to that name; see --allow-host\n")
        response: web.StreamResponse = await handler(request)
        return response

    async def _dress(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(_HEADERS)
        host = urlsplit(self.proxy_url).netloc or request.headers.get("Host", "")
        response.headers["Content-Security-Policy"] = policy(host if host_of(host) else "localhost")

    async def _well(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name == "page.css":
            return web.Response(text=CSS, content_type="text/css")
        if name == "page.js":
            return web.Response(text=JS, content_type="text/javascript")
        if name not in _STATIC:
            raise web.HTTPNotFound
        return web.FileResponse(str(files("textual_serve") / "static" / _STATIC[name]))

    async def handle_page(self, request: web.Request) -> web.Response:
        """Serve the page, or say that there is no place."""
        base = urlsplit(self.proxy_url).path.rstrip("/")
        if self.open >= self.limits.sessions:
            return web.Response(text=full_page(self.title, base, self.limits.sessions), status=503,
                                content_type="text/html", headers={"Retry-After": "60"})
        url = self.proxy_url or f"http://{request.headers['Host']}"
        socket = f"ws{url.removeprefix('http')}/ws"
        size = min(40, max(8, to_int(request.query.get("fontsize", ""), 16)))
        return web.Response(text=page(self.title, base, socket, size), content_type="text/html",
                            headers={"Cache-Control": "no-store"})

    def from_own_page(self, request: web.Request) -> bool:
        """Tell whether a socket is asked for by a page of this server."""
        origin = request.headers.get("Origin", "")
        if self.proxy_url:
            parts = urlsplit(self.proxy_url)
            return origin == f"{parts.scheme}://{parts.netloc}"
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc.lower() == request.headers["Host"].lower()

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Give a browser its world until it leaves."""
        if not self.from_own_page(request):
            raise web.HTTPForbidden(text="the socket is for this server's own page\n")
        if self.open >= self.limits.sessions:
            raise web.HTTPServiceUnavailable(text="all places are taken\n")
        self.open += 1
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_LIMIT, compress=False)
        service = WorldService(self.world, write_bytes=socket.send_bytes, close=socket.close)
        try:
            await socket.prepare(request)
            self._sockets.add(socket)
            width, height = (request.query.get(name, "") for name in ("width", "height"))
            async with self._admission:  # building a world takes a second of a core
                await service.start(_held(to_int(width, 80), COLUMNS), _held(to_int(height, 24), ROWS))
            await self._converse(socket, service)
        finally:
            self._sockets.discard(socket)
            leaving = asyncio.create_task(self._leave(service))  # goes on though this handler is cancelled
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            await asyncio.shield(leaving)
        return socket

    async def _leave(self, service: WorldService) -> None:
        """End a world, then give its place away."""
        try:
            await service.stop()
        finally:
            self.open -= 1

    async def _converse(self, socket: web.WebSocketResponse, service: WorldService) -> None:
        """Pass input on until the browser leaves, says nothing for too long, or its time is up."""
        ends = time.monotonic() + self.limits.total_s if self.limits.total_s else float("inf")
        heard, credit, at = time.monotonic(), float(INPUT_BURST), time.monotonic()
        while True:
            idle_ends = heard + self.limits.idle_s if self.limits.idle_s else float("inf")
            left = min(ends, idle_ends) - time.monotonic()
            try:
                message = await socket.receive(timeout=None if left == float("inf") else max(0.0, left))
            except TimeoutError:
                await socket.close(code=WSCloseCode.GOING_AWAY, message=b"idle or out of time")
                return
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return
            if message.type is not WSMsgType.TEXT:
                continue
            kind, data = _envelope(message.data)
            if kind == "stdin":
                heard = time.monotonic()
            credit, at = min(INPUT_BURST, credit + (time.monotonic() - at) * INPUT_PER_S), time.monotonic()
            credit -= len(message.data)
            if credit < 0:  # not reading makes the browser wait
                await asyncio.sleep(-credit / INPUT_PER_S)
            await _pass_on(kind, data, socket, service)

    async def on_shutdown(self, app: web.Application) -> None:
        """Close every socket; each handler then ends its world."""
        for socket in tuple(self._sockets):
            with suppress(ConnectionError, RuntimeError):
                await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server ends")

    async def on_cleanup(self, app: web.Application) -> None:
        """Wait for the worlds that are still leaving."""
        await asyncio.gather(*self._leaving, return_exceptions=True)


def _held(value: int, bounds: tuple[int, int]) -> int:
    return min(max(value, bounds[0]), bounds[1])


def _envelope(text: str) -> tuple[str, Any]:
    """Return kind and content of a message; an empty kind for anything unexpected."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return "", None
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        return "", None
    return message[0], message[1] if len(message) > 1 else None


async def _pass_on(kind: str, data: Any, socket: web.WebSocketResponse, service: WorldService) -> None:
    if kind == "stdin" and isinstance(data, str):
        await service.send_bytes(data.encode("utf-8", "replace"))
    elif kind == "resize" and isinstance(data, dict):
        width, height = data.get("width"), data.get("height")
        if isinstance(width, int) and isinstance(height, int):
            await service.set_terminal_size(_held(width, COLUMNS), _held(height, ROWS))
    elif kind == "ping" and isinstance(data, str) and len(data) < 64:
        await socket.send_json(["pong", data])
    elif kind == "blur":
        await service.blur()
    elif kind == "focus":
        await service.focus()


def title_of(world: World) -> str:
    """Open a world once, in a process of its own, and return its title.

    Raises:
        InputError: it cannot be opened; says what is wrong.
    """
    done = subprocess.run([sys.executable, "-m", "twin.serve.world", "--check", msgspec.json.encode(world).decode()],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        error = InputError if done.returncode == InputError.exit_code else TwinError
        raise error(lines[-1] if lines else f"the world ended with {done.returncode}")
    title: str = msgspec.json.decode(done.stdout)
    return title


async def serve(world: World, *, host: str, port: int, limits: WebLimits, allowed: tuple[str, ...],
                public_url: str = "") -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        InputError: the world cannot be opened or the address cannot be listened on.
    """
    title = await asyncio.to_thread(title_of, world)
    names = (*allowed, urlsplit(public_url).netloc) if public_url else allowed
    server = WebServer(world, title, host, port, limits, Hosts(host, names), public_url)
    runner = web.AppRunner(await server._make_app(), access_log=None, shutdown_timeout=LEAVE_S + 2 * END_S)
    await runner.setup()
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise InputError(f"cannot listen: {error.strerror}", where=f"{host}:{port}") from error
        bound = runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        print(f"{title} on {public_url or f'http://{shown}:{bound[1]}'}/", file=sys.stderr, flush=True)
        await ended.wait()
    finally:
        await runner.cleanup()
