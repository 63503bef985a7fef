"""``twin serve ssh``: the live screen for everybody who can reach a port."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from twin.cli.common import Duration, Speed, seed_option, set_option
from twin.errors import InputError

S = 1_000_000_000


@click.command("ssh")
@click.argument("scenario", default="demo")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=2222, show_default=True, type=click.IntRange(0, 65535),
              help="Port to listen on, 0 for any free one.")
@click.option("--host-key", type=click.Path(dir_okay=False, path_type=Path),
              help="The server's ed25519 key; made when it does not exist. "
                   "Default: ~/.local/share/twin/ssh_host_ed25519_key.")
@click.option("--authorized-keys", type=click.Path(dir_okay=False, path_type=Path),
              help="Public keys of the operators, as in ~/.ssh/authorized_keys.")
@click.option("--anonymous", is_flag=True, help="Let everybody look without a key (any user name but 'operator').")
@click.option("--mode", type=click.Choice(["shared", "private"]), default="shared", show_default=True,
              help="One factory for all, or a factory of their own for each visitor.")
@click.option("--max-sessions", default=20, show_default=True, type=click.IntRange(1, 1000), help="Visitors at a time.")
@click.option("--idle-timeout", type=Duration(), default="30m", show_default=True,
              help="Longest time without a key; 0s for no limit.")
@click.option("--max-time", type=Duration(), default=None,
              help="Longest stay; 0s for no limit. Default: 8h, private 1h.")
@click.option("--fps", default=4.0, show_default=True, type=click.FloatRange(0.2, 30),
              help="Frames a second of a visitor.")
@click.option("--speed", type=Speed(), default=1.0, metavar="X|max", help="Simulated seconds per second at first.")
@click.option("--max-speed", type=Speed(), default=None, metavar="X|max",
              help="Highest speed that may be asked for. Default: max, private 120.")
@click.option("--max-memory", default=512, show_default=True, type=click.IntRange(16),
              help="Memory of all private factories together, MB.")
@click.option("--connects-per-minute", default=60, show_default=True, type=click.IntRange(0),
              help="New connections from one address; 0 for no limit.")
@seed_option
@set_option
def command(scenario: str, host: str, port: int, host_key: Path | None, authorized_keys: Path | None, anonymous: bool,
            mode: str, max_sessions: int, idle_timeout: int, max_time: int | None, fps: float, speed: float,
            max_speed: float | None, max_memory: int, connects_per_minute: int, seed: int | None,
            sets: tuple[str, ...]) -> int:
    """Serve SCENARIO (demo when left out) over SSH: viewers look, one operator at a time acts.

    Operators log in with a key of --authorized-keys; where --anonymous is given, too, as the user 'operator'. Nobody
    gets a shell: every session is the live screen.
    """
    if authorized_keys is None and not anonymous:
        raise InputError("nobody could log in", expected="--authorized-keys FILE, --anonymous, or both")
    private = mode == "private"
    stay_ns = max_time if max_time is not None else (3600 * S if private else 8 * 3600 * S)
    top_speed = max_speed if max_speed is not None else (120.0 if private else float("inf"))
    if speed > top_speed:
        raise InputError(f"--speed {speed:g} is above --max-speed {top_speed:g}")
    from twin.serve import hygiene

    hygiene.clear_environment()
    try:
        from twin.serve import ssh
    except ImportError as error:
        raise InputError(f"{error.name} is not installed", expected="pip install 'aifactory-twin[ssh]'") from error
    from twin.runtime.session import Session
    from twin.scenario.open import open_run
    from twin.serve.keys import OperatorKeys, default_host_key
    from twin.serve.keys import host_key as read_host_key
    from twin.serve.limits import Limits
    from twin.serve.worlds import PrivateWorlds, SharedWorld, Worlds

    _log_to_stderr()
    key_path = host_key or default_host_key()
    key, made = read_host_key(key_path)
    limits = Limits(sessions=max_sessions, per_address=max_sessions + 4, idle_s=idle_timeout / S, total_s=stay_ns / S,
                    frames_per_s=fps, connects_per_min=connects_per_minute)
    keys = OperatorKeys(authorized_keys)

    first = Session(open_run(scenario, sets=sets, seed=seed), speed=speed, endless=True, paused=private)
    title = first.title
    hygiene.prepare_process()

    def make() -> ssh.Host:
        worlds: Worlds = (PrivateWorlds(first, top_speed, max_memory * 1024 * 1024) if private
                          else SharedWorld(first, limits.lease_idle_s, top_speed))
        return ssh.Host(worlds, limits, keys, anonymous)

    def opened(bound: int) -> None:
        who = " and ".join(filter(None, ["operators with a key" if authorized_keys else "",
                                         "anybody, to look" if anonymous and not private else
                                         "anybody, in a factory of their own" if anonymous else ""]))
        said = "made" if made else "used"
        print(f"serving {title} on {host} port {bound} for {who}\n"
              f"host key {said}: {key_path} {key.get_fingerprint()}", file=sys.stderr, flush=True)

    try:
        ssh.serve_forever(make, host, port, key, opened)
    except OSError as error:
        raise InputError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return 0


def _log_to_stderr() -> None:
    """Log who comes, goes, acts and is refused; what a client sends never steers the terminal that shows the log."""
    from twin.errors import printable

    class Plain(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return printable(super().format(record))

    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(Plain("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("twin.serve")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    logging.getLogger("asyncssh").setLevel(logging.ERROR)
