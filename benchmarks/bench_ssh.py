"""Visitors over SSH: real clients, their bytes, the server's memory and processor time, and how late the ticks are.

The churn has a server of its own at the default pace. The factory's past grows while it runs, visitors or not, up to
its budget (a keyframe of ``demo`` takes half a megabyte, and at --speed 10 one comes every half minute), so what the
past gained meanwhile is printed beside what the process gained.

``python -m benchmarks.bench_ssh [--clients 20] [--seconds 30] [--scenario demo] [--fps 4] [--churn 0]``. Clients and
server share the machine. A tick is late by the wall time between the instant at which the pace asked for it and its
end.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: a server that writes down how late its ticks were and how large its past is
WITH_METERS = (sys.executable, "-m", "benchmarks.bench_ssh", "serve")


def serve(arguments: list[str]) -> None:
    """Run the server in this process and write how late its ticks were when it ends."""
    from twin.cli.main import main as cli
    from twin.runtime import session
    from twin.scenario.timeline import Timeline
    from twin.tui.app import TwinApp

    out = Path(os.environ["TWIN_BENCH_OUT"])
    late: list[float] = []
    frames = [0]
    feed = TwinApp.feed

    def fed(self: TwinApp, count: int = -1) -> None:
        frames[0] += 1
        feed(self, count)

    TwinApp.feed = fed  # type: ignore[method-assign]
    paces: list[session.Pace] = []
    advance, target = Timeline.advance, session.Pace.target

    def seen(self: session.Pace, *args: object) -> float:
        paces[:] = [self]
        return target(self, *args)  # type: ignore[arg-type]

    def timed(self: Timeline) -> None:
        sim = self.run.sim
        anchor = paces[0]._anchor if paces else None
        advance(self)
        if anchor is not None:
            begun, from_ns, speed = anchor
            late.append(time.perf_counter() - begun - (sim.now_ns - from_ns) * 1e-9 / speed)

    mark = Timeline.mark

    def marked(self: Timeline) -> None:
        mark(self)
        out.with_suffix(".past").write_text(f"{self._bytes}")

    session.Pace.target, Timeline.advance, Timeline.mark = seen, timed, marked  # type: ignore[method-assign]
    code = cli(["serve", "ssh", *arguments])
    out.write_text(json.dumps([late, frames[0], time.process_time()]))
    sys.exit(code)


def rank(values: list[float], share: float) -> float:
    """Return a quantile."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def run(clients: int, seconds: float, scenario: str, fps: float, churn: int) -> dict[str, float]:
    """Let clients look for a while; then let ``churn`` more come and go; returns what was measured."""
    from tests.e2e.ssh_rig import Client, Server, pump_for

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "late.json"
        os.environ["TWIN_BENCH_OUT"] = str(out)
        server = Server(Path(folder), scenario, "--speed", "10", "--fps", str(fps), "--max-sessions", str(clients + 4),
                        command=WITH_METERS)
        try:
            result: dict[str, float] = {"rss_empty_mb": server.rss_mb()}
            begun = time.monotonic()
            people: list[Client] = []
            while len(people) < clients:  # not more at once than may be logging in
                people += [Client(server, size=(120, 40), watch=False, env={"COLORTERM": "truecolor"})
                           for _ in range(min(8, clients - len(people)))]
                while server.text().count(" logged in") < len(people):
                    pump_for(0.05)
                    assert time.monotonic() - begun < 120, server.text()
            while server.text().count(") came") < clients or any(c.count < 5000 for c in people):
                pump_for(0.1)
                assert time.monotonic() - begun < 120, server.text()
            result["all_up_s"] = time.monotonic() - begun
            for i, one in enumerate(people):
                one.keys("1234567"[i % 7])
            pump_for(3.0)
            cpu, count, begun = server.cpu_s(), sum(c.count for c in people), time.monotonic()
            pump_for(seconds)
            took = time.monotonic() - begun
            result |= {"cpu_percent": 100 * (server.cpu_s() - cpu) / took, "rss_mb": server.rss_mb(),
                       "kb_per_s": (sum(c.count for c in people) - count) / took / 1e3}
            for one in people:
                one.keys("q")
            for one in people:
                one.ended(60)
        finally:
            server.close()
        late, frames, _ = json.loads(out.read_text())
        assert not re.search("Traceback", server.text()), server.text()
    if churn:
        result |= run_churn(scenario, fps, churn)
    return result | {"frames": frames, "ticks": len(late), "late_p50_ms": 1e3 * rank(late, 0.5),
                     "late_p99_ms": 1e3 * rank(late, 0.99)}


def run_churn(scenario: str, fps: float, churn: int) -> dict[str, float]:
    """Let ``churn`` visitors come and go at a server of their own; returns what it gained, and what its past did."""
    from tests.e2e.ssh_rig import Server

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "late.json"
        os.environ["TWIN_BENCH_OUT"] = str(out)
        server = Server(Path(folder), scenario, "--fps", str(fps), command=WITH_METERS)

        def past_mb() -> float:
            return int(out.with_suffix(".past").read_text()) / 1e6

        try:
            sizes = come_and_go(server, churn, past_mb)
        finally:
            server.close()
        assert not re.search("Traceback", server.text()), server.text()
    return sizes


def come_and_go(server: object, count: int, past_mb: Callable[[], float] = lambda: math.nan) -> dict[str, float]:
    """Let sessions come, press keys and go, a few at a time; returns the resident size before and after.

    Args:
        server: a ``Server``.
        count: sessions, after a tenth of them that fill the caches.
        past_mb: tells the size of the factory's past.
    """
    from tests.e2e.ssh_rig import Client, Server, pump

    assert isinstance(server, Server)

    def wave(n: int) -> None:
        todo, live = n, []
        while todo or live:
            while todo and len(live) < 4:
                live.append(Client(server, size=(120, 40), watch=False, env={"COLORTERM": "truecolor"}))
                todo -= 1
            pump(0.05)
            for one in [*live]:
                if one.count > 5000 and not one.said:
                    one.said = True
                    one.keys("27")
                    one.keys("q")
                if not one.open:
                    one.ended()
                    live.remove(one)

    wave(max(10, count // 10))
    time.sleep(4)
    before, past = server.rss_mb(), past_mb()
    wave(count)
    time.sleep(4)
    return {"sessions": count, "rss_before_mb": before, "rss_after_mb": server.rss_mb(),
            "past_grew_mb": past_mb() - past}


def main() -> None:
    """Print what was measured."""
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--scenario", default="demo")
    parser.add_argument("--fps", type=float, default=4)
    parser.add_argument("--churn", type=int, default=0)
    options, _ = parser.parse_known_args()
    for name, value in run(**vars(options)).items():
        print(f"{name:16} {value:10.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2:])
    main()
