"""``twin serve``: the servers, each in its own file and imported only when it is asked for."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import click

from twin.cli.lazy import LazyGroup
from twin.errors import InputError

#: server -> (module, one line of help)
SERVERS = {
    "ssh": ("twin.cli.serve_ssh", "The live screen for many terminals, over SSH."),
    "web": ("twin.cli.serve_web", "The live screen in browsers, a private factory for each."),
    "metrics": ("twin.cli.serve_metrics", "A run as a Prometheus target."),
}


@click.group("serve", cls=LazyGroup, verbs=SERVERS)
def command() -> None:
    """Serve a scenario to others. Servers listen on loopback unless --host says otherwise."""


def host_option(f: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--host``."""
    return click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")(f)


def need(module: str, extra: str) -> None:
    """Say how to install an extra when its library is not there."""
    if importlib.util.find_spec(module) is None:
        raise InputError(f"this server needs the extra '{extra}'", expected=f"pip install 'aifactory-twin[{extra}]'")


def warn_public(host: str) -> None:
    """Say so when everybody who can reach this machine can reach the server."""
    from twin.serve.hosts import is_loopback

    if not is_loopback(host):
        print(f"twin: listening on {host}: everybody who can reach this machine may connect (docs/deploy.md)",
              file=sys.stderr)
