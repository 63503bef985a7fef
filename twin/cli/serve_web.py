"""``twin serve web``: the screen in browsers."""

from __future__ import annotations

import asyncio
import math
from urllib.parse import urlsplit

import click

from twin.cli.common import Duration, Speed, seed_option, set_option
from twin.cli.serve import host_option, need, warn_public


@click.command("web")
@click.argument("scenario", default="demo")
@host_option
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="TCP port; 0 for any.")
@click.option("--max-sessions", type=click.IntRange(1, 1000), default=8, show_default=True,
              help="Browsers at a time; each has a process and a factory of its own.")
@click.option("--idle-timeout", type=Duration(), default="30m", show_default=True,
              help="End a session that long after its last key or click; 0s for never.")
@click.option("--max-time", type=Duration(), default="8h", show_default=True,
              help="End a session after this time; 0s for never.")
@click.option("--max-memory", type=click.IntRange(0), default=1024, show_default=True, metavar="MIB",
              help="Memory of one session; 0 for no limit (Linux).")
@click.option("--speed", type=Speed(), default=1.0, metavar="X|max", help="Simulated seconds per second, or max.")
@click.option("--max-speed", type=Speed(), default=600.0, metavar="X|max", show_default=True,
              help="Highest speed that a browser may ask for.")
@click.option("--read-only", is_flag=True, help="Look, but send no commands.")
@click.option("--public-url", default="", metavar="URL",
              help="Where browsers find the reverse proxy before this server, as https://twin.example.")
@click.option("--allow-host", "allowed", metavar="NAME", multiple=True,
              help="Answer requests for this host name too. Repeatable.")
@seed_option
@set_option
def command(scenario: str, host: str, port: int, max_sessions: int, idle_timeout: int, max_time: int, max_memory: int,
            speed: float, max_speed: float, read_only: bool, public_url: str, allowed: tuple[str, ...],
            seed: int | None, sets: tuple[str, ...]) -> int:
    """Serve SCENARIO (demo when left out) to browsers: the live screen, a private factory for each."""
    need("textual_serve", "web")
    parts = urlsplit(public_url)
    if public_url and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise click.UsageError(f"'{public_url}' is not an address; expected https://NAME")
    from twin.serve.web import WebLimits, serve
    from twin.serve.world import World

    world = World(scenario, sets, seed, speed=None if math.isinf(speed) else speed,
                  speed_max=None if math.isinf(max_speed) else max_speed, read_only=read_only, memory_mib=max_memory)
    warn_public(host)
    limits = WebLimits(max_sessions, idle_timeout * 1e-9, max_time * 1e-9)
    asyncio.run(serve(world, host=host, port=port, limits=limits, allowed=allowed, public_url=public_url))
    return 0
