"""``twin serve web``: pages, sockets, processes, and a real browser."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("textual_serve", reason="the extra 'web' is not installed")
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestServer

from tests.serve.chromium import Browser, chromium
from twin.errors import InputError
from twin.serve import web as serve_web
from twin.serve.hosts import Hosts
from twin.serve.web import WebLimits, WebServer, title_of
from twin.serve.world import World

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX processes")
SMALL = World("small", speed=10.0, speed_max=20.0)


class Site:
    """A web server of the small scenario on a free port."""

    def __init__(self, limits=None, world=SMALL, public_url=""):
        self.web = WebServer(world, "a <title>", "127.0.0.1", 0, limits or WebLimits(), Hosts("127.0.0.1"), public_url)

    async def __aenter__(self):
        self.server = TestServer(await self.web._make_app(), host="127.0.0.1")
        await self.server.start_server()
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.client = ClientSession()
        return self

    async def __aexit__(self, *_):
        await self.client.close()
        await self.server.close()

    async def get(self, path="/", **headers):
        async with self.client.get(self.url + path, headers=headers) as answer:
            return answer.status, answer.headers, await answer.read()

    def socket(self, origin=None, query="?width=100&height=30"):
        return self.client.ws_connect(f"{self.url}/ws{query}", origin=origin or self.url, max_msg_size=0)


def worlds():
    """Return the processes of worlds that this process started."""
    out = subprocess.run(["ps", "-eo", "pid,ppid,stat,args"], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 3) for line in out.splitlines())
    return [int(pid) for pid, ppid, stat, args in rows
            if ppid == str(os.getpid()) and "twin.serve.world" in args and not stat.startswith("Z")]


async def until_no_worlds(timeout_s=15.0):
    async with asyncio.timeout(timeout_s):
        while await asyncio.to_thread(worlds):
            await asyncio.sleep(0.05)


async def screen(socket, wanted, timeout_s=30.0):
    """Read what the terminal is told until it holds a text."""
    seen = b""
    async with asyncio.timeout(timeout_s):
        while wanted not in seen:
            message = await socket.receive()
            assert message.type is WSMsgType.BINARY, message
            seen += message.data
    return seen


async def until_closed(socket, timeout_s=20.0):
    async with asyncio.timeout(timeout_s):
        while (await socket.receive()).type is WSMsgType.BINARY:
            pass
    return socket.close_code


# ---- pages ------------------------------------------------------------------------------------------------

async def test_the_page_names_nothing_outside():
    async with Site() as site:
        status, headers, body = await site.get()
        text = body.decode()
        assert status == 200
        assert "a &lt;title&gt;" in text
        links = re.findall(r'(?:src|href|data-\w+(?:-\w+)*)="([^"]*)"', text)
        assert f"ws://127.0.0.1:{site.server.port}/ws" in links
        for link in links:
            assert link.startswith(("/static/", "data:,", f"ws://127.0.0.1:{site.server.port}/")) or link.isdigit()
        for link in (link for link in links if link.startswith("/static/")):
            status, _, content = await site.get(link)
            assert status == 200
            assert not re.search(rb"(?:@import|url\()\s*[\"']?https?:", content)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "'unsafe-eval'" not in policy
        assert "script-src 'self';" in policy
        assert "aiohttp" not in headers["Server"]


@pytest.mark.parametrize("path", ["/static/", "/static/server.py", "/static/..%2fserver.py", "/download/x", "/etc",
                                  "/static/%2e%2e/server.py"])
async def test_nothing_else_is_served(path):
    async with Site() as site:
        assert (await site.get(path))[0] == 404


async def test_requests_under_a_foreign_name_are_refused():
    async with Site() as site:
        for path in ("/", "/ws", "/static/textual.js", "/healthz"):
            assert (await site.get(path, Host="evil.example"))[0] == 403
        assert (await site.get(Host="localhost:1"))[0] == 200


async def test_a_host_cannot_write_into_the_policy():
    async with Site() as site:
        site.web.hosts = Hosts("127.0.0.1", ["*"])
        _, headers, _ = await site.get(Host="x;script-src *")
        assert "script-src *" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example",
                                    "file://"])
async def test_sockets_are_for_the_own_page_only(origin):
    async with Site() as site:
        with pytest.raises(WSServerHandshakeError) as refused:
            await site.socket(origin)
        assert refused.value.status == 403
    assert not worlds()


async def test_behind_a_proxy_addresses_are_the_public_ones():
    async with Site(public_url="https://demo.example/twin/") as site:
        _, _, body = await site.get()
        assert b'"wss://demo.example/twin/ws"' in body
        assert b'src="/twin/static/textual.js"' in body
        with pytest.raises(WSServerHandshakeError):
            await site.socket()  # its own address is not the page's any more


# ---- worlds -----------------------------------------------------------------------------------------------

async def test_a_session_from_first_picture_to_quit():
    async with Site(WebLimits(sessions=1)) as site:
        socket = await site.socket()
        seen = await screen(socket, b"Overview")
        assert b"\x1b[38;2;" in seen  # true colour
        assert len(worlds()) == 1
        assert (await site.get())[0] == 503  # all places are taken
        with pytest.raises(WSServerHandshakeError) as full:
            await site.socket()
        assert full.value.status == 503
        for nonsense in ("", "{", "[]", "[1]", '["stdin"]', '["stdin", 7]', '["resize", {"width": "x"}]', '["resize"]',
                         '["download", "x"]', '["ping", 1]'):
            await socket.send_str(nonsense)
        await socket.send_str('["resize", {"width": 100000, "height": -5}]')
        await screen(socket, b"300x8")  # the least height; it says how small that is
        await socket.send_str('["resize", {"width": 100, "height": 30}]')
        await screen(socket, b"Overview")
        await socket.send_str('["stdin", "2"]')
        await screen(socket, b"highest")  # the floor names its highest racks
        await socket.send_str('["stdin", "q"]')
        assert await until_closed(socket) == 1000
        await until_no_worlds()
        async with asyncio.timeout(10):
            while site.web.open:
                await asyncio.sleep(0.05)
        assert (await site.get())[0] == 200


async def test_a_browser_that_vanishes_takes_its_world_with_it():
    async with Site() as site:
        socket = await site.socket()
        await screen(socket, b"Overview")
        (pid,) = worlds()
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 5)
        environment = Path(f"/proc/{pid}/environ")
        if environment.exists():
            names = {item.partition(b"=")[0].decode() for item in environment.read_bytes().split(b"\0")}
            assert {n for n in names if n and not n.startswith("TEXTUAL_")} <= {
                *serve_web._ENVIRONMENT, "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "COLUMNS", "ROWS",
                "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}
        socket._response.connection.transport.abort()  # no farewell
        await until_no_worlds()


async def test_a_world_that_hangs_is_killed(monkeypatch):
    monkeypatch.setattr(serve_web, "LEAVE_S", 0.3)
    monkeypatch.setattr(serve_web, "END_S", 0.3)
    async with Site() as site:
        socket = await site.socket()
        await screen(socket, b"Overview")
        (pid,) = worlds()
        os.kill(pid, signal.SIGSTOP)
        await socket.close()
        await until_no_worlds()


async def test_the_idle_and_the_late_are_shown_out():
    async with Site(WebLimits(idle_s=1.0)) as site:
        socket = await site.socket()
        assert await until_closed(socket) == 1001
        await until_no_worlds()


async def test_a_flood_of_input_waits(monkeypatch):
    monkeypatch.setattr(serve_web, "INPUT_BURST", 100)
    monkeypatch.setattr(serve_web, "INPUT_PER_S", 200)
    taken = []

    async def pass_on(kind, data, socket, service):
        taken.append(data)

    monkeypatch.setattr(serve_web, "_pass_on", pass_on)
    async with Site() as site:
        socket = await site.socket()
        await screen(socket, b"Overview")
        for _ in range(40):
            await socket.send_str('["stdin", "12345"]')  # 18 bytes: 5 at once, then 11 a second
        await asyncio.sleep(0.5)
        assert 1 <= len(taken) < 20
        await socket.close()
    await until_no_worlds()


async def test_a_message_that_is_too_long_ends_the_session():
    async with Site() as site:
        socket = await site.socket()
        await screen(socket, b"Overview")
        await socket.send_str('["stdin", "' + "x" * serve_web.MESSAGE_LIMIT + '"]')
        assert await until_closed(socket) == 1009
        await until_no_worlds()


def test_what_is_wrong_is_said_before_anybody_comes():
    assert "small" in title_of(SMALL)
    with pytest.raises(InputError, match="did you mean 'small'"):
        title_of(World("smal"))
    with pytest.raises(InputError, match="bogus"):
        title_of(World("small", sets=("bogus.key=1",)))


def serve_small(*options):
    process = subprocess.Popen([sys.executable, "-m", "twin", "serve", "web", "small", "--port", "0", *options],
                               stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    return process, re.search(r"http://\S+:\d+", line)[0]


def descendants(root):
    out = subprocess.run(["ps", "-eo", "pid,ppid,stat,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 3) for line in out.splitlines()]
    return [int(r[0]) for r in rows if r[1] == str(root) and "twin.serve.world" in r[3]]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_no_world_outlives_the_server(how):
    process, url = serve_small()
    try:
        async with ClientSession() as client:
            socket = await client.ws_connect(f"{url}/ws", origin=url, max_msg_size=0)
            await screen(socket, b"Overview")
            (world,) = descendants(process.pid)
            process.send_signal(how)
            code = await asyncio.to_thread(process.wait, 20)
            assert code == (0 if how == signal.SIGTERM else -signal.SIGKILL)
            begun = time.monotonic()
            while Path(f"/proc/{world}").exists() and "Z" not in Path(f"/proc/{world}/stat").read_text().split()[2]:
                assert time.monotonic() - begun < 15
                await asyncio.sleep(0.05)
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


# ---- a real browser -----------------------------------------------------------------------------------------

@pytest.mark.e2e
@pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine")
async def test_chromium_shows_the_factory_and_asks_nobody_else(tmp_path):
    async with Site() as site, Browser(tmp_path / "profile") as browser:
        # ?ping= makes textual-serve's script fetch an address; the policy forbids it
        await browser.call("Page.navigate", url=f"{site.url}/?fontsize=14")
        await browser.until("document.body.classList.contains('-first-byte')")
        await browser.until("document.fonts.check('14px \"Roboto Mono\"')")
        await browser.type("2")  # nobody has clicked
        await asyncio.sleep(1.5)
        picture = await browser.picture()
        (tmp_path / "page.png").write_bytes(picture)
        assert len(picture) > 15_000  # an empty page has 4 kB
        hosts = {url.split("/")[2] for url in browser.requests if not url.startswith("data:")}
        assert hosts == {f"127.0.0.1:{site.server.port}"}
        assert any(url.startswith("ws://") for url in browser.requests)
        assert not [line for line in browser.console if "Content Security Policy" in line or "exception" in line]
        await browser.type("q")
        await browser.until("document.body.classList.contains('-closed')")
        await until_no_worlds()
        before = len(browser.requests)
        await browser.call("Page.navigate", url=f"{site.url}/?ping=http://localhost:{site.server.port}/healthz")
        await browser.until("document.readyState === 'complete'")
        await asyncio.sleep(1.0)
        assert any("Content Security Policy" in line for line in browser.console)
        assert not any(url.startswith("ws://") for url in browser.requests[before:])
    await until_no_worlds()
