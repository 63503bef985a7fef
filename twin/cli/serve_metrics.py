"""``twin serve metrics``: a run as a Prometheus target."""

from __future__ import annotations

import asyncio

import click

from twin.cli.common import Speed, seed_option, set_option
from twin.cli.serve import host_option, need, warn_public


@click.command("metrics")
@click.argument("scenario", default="demo")
@host_option
@click.option("--port", type=click.IntRange(0, 65535), default=9400, show_default=True, help="TCP port; 0 for any.")
@click.option("--max-gpu-series", type=click.IntRange(0, 1_000_000), default=2000, show_default=True,
              help="GPUs that get families of their own; whole nodes, evenly spread.")
@click.option("--speed", type=Speed(), default=1.0, metavar="X|max", help="Simulated seconds per second, or max.")
@click.option("--allow-host", "allowed", metavar="NAME", multiple=True,
              help="Answer requests for this host name too. Repeatable.")
@seed_option
@set_option
def command(scenario: str, host: str, port: int, max_gpu_series: int, speed: float, allowed: tuple[str, ...],
            seed: int | None, sets: tuple[str, ...]) -> int:
    """Run SCENARIO (demo when left out) and serve its metrics in Prometheus' text format on /metrics."""
    need("prometheus_client", "metrics")
    from twin.scenario.open import open_run
    from twin.serve.metrics import serve

    run = open_run(scenario, sets=sets, seed=seed)
    warn_public(host)
    asyncio.run(serve(run, host=host, port=port, speed=speed, max_gpus=max_gpu_series, allowed=allowed))
    return 0
