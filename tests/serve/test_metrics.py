"""``twin serve metrics`` over real sockets."""

import asyncio
import gzip
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

pytest.importorskip("prometheus_client", reason="the extra 'metrics' is not installed")
from prometheus_client.parser import text_string_to_metric_families

from twin.scenario.open import open_run
from twin.serve import metrics
from twin.serve.hosts import Hosts


class Served:
    """A metrics server of the demo on a free port, its engine paused."""

    def __init__(self):
        self.session, exposition = metrics.make(open_run("demo", history=False), speed=1.0, max_gpus=50)
        self.server = metrics.MetricsServer(self.session, exposition, Hosts("127.0.0.1"))

    async def __aenter__(self):
        self.listener = await asyncio.start_server(self.server.handle, "127.0.0.1", 0, limit=metrics.HEAD_LIMIT)
        self.port = self.listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.listener.close()

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, request):
        reader, writer = await self.connect()
        writer.write(request.encode("latin-1"))
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.decode("latin-1"), body


@pytest.fixture(scope="module")
def served():
    return Served()


def request(path="/metrics", method="GET", host="localhost", *fields):
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "", ""])


async def test_a_scrape_parses(served):
    async with served:
        head, body = await served.ask(request())
        assert head.startswith("HTTP/1.1 200 OK\r\n")
        assert "Content-Type: text/plain; version=0.0.4; charset=utf-8" in head
        families = {f.name for f in text_string_to_metric_families(body.decode())}
        assert {"twin_info", "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"} <= families
        head, packed = await served.ask(request("/metrics", "GET", "127.0.0.1:9400", "Accept-Encoding: gzip, deflate"))
        assert "Content-Encoding: gzip" in head
        assert gzip.decompress(packed) == body  # the same frame, the same bytes
        head, nothing = await served.ask(request(method="HEAD"))
        assert f"Content-Length: {len(body)}" in head
        assert nothing == b""


@pytest.mark.parametrize("text, status", [
    (request("/healthz"), 200), (request("/"), 404), (request("/metrics/../etc/passwd"), 404),
    (request(method="POST"), 405), (request(method="DELETE"), 405), (request(host="evil.example"), 403),
    ("GET /metrics HTTP/1.1\r\n\r\n", 403), ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", 400),
    ("GET /metrics HTTP/1.1\r\nHost : localhost\r\n\r\n", 400), ("GET /metrics\r\n\r\n", 400),
    ("PRI * HTTP/2.0\r\n\r\n", 400), (request("/metrics", "GET", "localhost", "X: " + "a" * 20_000), 431),
])
async def test_what_is_answered(served, text, status):
    async with served:
        head, _ = await served.ask(text)
        assert head.split()[1] == str(status)


async def test_too_many_connections_are_turned_away_and_silent_ones_dropped(served, monkeypatch):
    monkeypatch.setattr(metrics, "CONNECTIONS_MAX", 3)
    monkeypatch.setattr(metrics, "HEAD_TIMEOUT_S", 0.5)
    async with served:
        idle = [await served.connect() for _ in range(3)]
        await asyncio.sleep(0.1)
        head, _ = await served.ask(request("/healthz"))
        assert head.split()[1] == "503"
        for reader, _ in idle:  # they never said a word
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(1), 5)
        head, _ = await served.ask(request("/healthz"))
        assert head.split()[1] == "200"
        for _, writer in idle:
            writer.close()


class Stuck:
    """Holds the engine's thread at the end of a tick."""

    def __init__(self):
        self.inside, self.go_on = threading.Event(), threading.Event()

    def run(self, end_ns, dt_s):
        self.inside.set()
        self.go_on.wait(30)


async def test_a_scrape_never_waits_for_the_engine():
    held = Served()
    stuck = Stuck()
    held.session.run.sim.watches.append(stuck)
    held.session.start()
    try:
        assert await asyncio.to_thread(stuck.inside.wait, 30)
        async with held:
            head, body = await held.ask(request())
        assert head.split()[1] == "200"
        assert b"twin_ticks_total 0.0" in body  # the newest frame is the one before this tick
    finally:
        stuck.go_on.set()
        held.session.close()


def test_the_command_serves_and_ends_on_a_signal():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "twin", "serve", "metrics", "demo", "--port", str(port), "--speed", "60",
         "--max-gpu-series", "16", "--set", "scenario.duration='2s'"],
        stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    try:
        line = process.stderr.readline()
        assert re.search(rf"http://127\.0\.0\.1:{port}/metrics", line)
        begun, last = time.monotonic(), -1.0
        while last <= 2.0:  # beyond the scenario's end
            assert time.monotonic() - begun < 30
            text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
            now = float(re.search(r"^twin_simulated_seconds (\S+)$", text, re.M)[1])
            assert now >= last
            last = now
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


def test_the_command_names_what_is_wrong():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    done = subprocess.run([sys.executable, "-m", "twin", "serve", "metrics", "demo", "--port",
                           str(taken.getsockname()[1])], capture_output=True, text=True, timeout=60)
    taken.close()
    assert done.returncode == 2
    assert "cannot listen" in done.stderr
