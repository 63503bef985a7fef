"""Visitors over SSH, with the real client: what they see, what they may do, what is refused, how they leave."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("asyncssh")
pytest.importorskip("pyte")
if shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
    pytest.skip("openssh-client is not installed", allow_module_level=True)

from tests.e2e.ssh_rig import ROOT, Client, Server, pump_for

pytestmark = pytest.mark.e2e
Connect = Callable[..., Client]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("ssh"), "small", "--speed", "20", "--fps", "8")
    yield one
    assert one.close() == 0, one.text()
    assert "Traceback" not in one.text(), one.text()


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    clients: list[Client] = []

    def one(user: str = "guest", key: str = "", **options: object) -> Client:
        client = Client(server, user, getattr(server, key) if key else None, **options)  # type: ignore[arg-type]
        clients.append(client)
        return client

    yield one
    for client in clients:
        client.close()
    until(lambda: lasting(server) == 0, "sessions stayed")


def lasting(server: Server) -> int:
    """Return how many sessions the log says are there."""
    return server.text().count(") came") - server.text().count(") left")


def until(condition: Callable[[], bool], what: str, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what
        pump_for(0.05)


def clock(client: Client) -> str:
    found = re.search(r"\d\d:\d\d:\d\d", client.row(0))
    assert found, client.screen()
    return found[0]


def test_a_viewer_looks_and_leaves(connect: Connect) -> None:
    viewer = connect().up()
    assert "read only" in viewer.screen()
    before = clock(viewer)
    viewer.wait(lambda s: clock(viewer) != before, "the clock stands still")
    viewer.keys("2")
    viewer.wait(lambda s: "A1" in s, "no floor")
    viewer.keys("?")
    viewer.wait(lambda s: "Pause the simulation" in s, "no help")
    viewer.keys("\x1b")
    viewer.wait(lambda s: "2 Floor" in s, "help did not go away")
    viewer.keys(":")
    viewer.wait(lambda s: "narrow down" in s, "no palette")
    viewer.keys("e e e e e e e e e e e e e e e")
    viewer.wait(lambda s: "e e e e e e" in s, "the palette hangs")
    viewer.keys("\x1b")
    viewer.wait(lambda s: "2 Floor" in s, "the palette did not go away")
    assert viewer.leave() == 0
    raw = bytes(viewer.raw)
    assert raw.rindex(b"\x1b[?1049l") > raw.rindex(b"\x1b[?1049h")
    assert raw.rindex(b"\x1b[?25h") > raw.rindex(b"\x1b[?25l")
    assert b"Here: " in raw.split(b"\x1b[?1049h")[0], "no message of the day"


def test_the_operator_acts_and_everybody_sees_it(connect: Connect) -> None:
    operator, viewer = connect("operator", "alice").up(), connect().up()
    operator.keys(" ")
    for client in (operator, viewer):
        client.wait(lambda s: "paused" in s.splitlines()[0], "no pause")
    viewer.keys(" ")
    viewer.wait(lambda s: "refused" in s, "the viewer was not refused")
    viewer.keys("f")
    pump_for(0.5)
    assert "↑ ↓ choose" not in viewer.screen(), "the viewer has a fault menu"
    operator.keys("f")
    operator.wait(lambda s: "↑ ↓ choose" in s, "no fault menu")
    operator.keys("\x1b")
    operator.wait(lambda s: "2 Floor" in s, "the menu did not go away")
    assert "paused" in viewer.row(0)
    operator.keys(" ")
    viewer.wait(lambda s: "paused" not in s.splitlines()[0], "it does not go on")
    assert operator.leave() == 0


def test_one_operator_at_a_time_and_handing_over(connect: Connect) -> None:
    alice, bob = connect("operator", "alice").up(), connect("operator", "bob")
    bob.up()
    assert "read only" in bob.screen()
    assert "read only" not in alice.screen()
    bob.keys(" ")
    bob.wait(lambda s: "refused" in s, "two operators at a time")
    bob.keys("o")
    alice.wait(lambda s: "bob asks for the controls" in s, "the question did not arrive")
    alice.keys("o")
    bob.wait(lambda s: "read only" not in s, "bob did not get the controls")
    alice.wait(lambda s: "read only" in s, "alice kept the controls")
    bob.keys("W")
    bob.wait(lambda s: "holds the controls" in s and "alice" in s, "nobody is listed")
    bob.keys("\x1b")
    bob.wait(lambda s: "2 Floor" in s, "the list did not go away")
    assert bob.leave() == 0
    alice.keys("o")
    alice.wait(lambda s: "read only" not in s, "the controls were not free")
    assert alice.leave() == 0


def test_a_viewer_follows_the_operator(connect: Connect) -> None:
    operator, viewer = connect("operator", "alice").up(), connect().up()
    viewer.keys("L")
    viewer.wait(lambda s: "you follow alice" in s, "no answer")
    operator.keys("3")
    viewer.wait(lambda s: "utility" in s.lower(), "the viewer did not follow")
    viewer.keys("L1")
    operator.keys("1")
    pump_for(0.6)
    viewer.wait(lambda s: "hottest GPU" in s, "own views do not work")


def test_resize_and_mouse(connect: Connect) -> None:
    viewer = connect(size=(120, 40)).up()
    viewer.resize(60, 15)
    viewer.wait(lambda s: "80x24" in s, "it does not say what it needs")
    viewer.resize(90, 28)
    viewer.wait(lambda s: "Overview" in s and "PUE" in s and "quit" in s.splitlines()[27], "it did not recover")
    column = viewer.row(1).index("Cooling") + 1
    viewer.keys(f"\x1b[<0;{column};2M\x1b[<0;{column};2m")
    viewer.wait(lambda s: "CDU" in s and "hottest GPU" not in s, "the click did not reach the tab")
    viewer.keys("\x1b[<0;999999999;2M\x1b[48;99999;99999;1;1t\x1b[48;5;0;1;1t\x1b[99999999999999999999u")
    viewer.keys("1")
    viewer.wait(lambda s: "hottest GPU" in s, "strange sequences were not survived")
    assert len(viewer.screen().splitlines()) == 28
    assert viewer.leave() == 0


def test_a_storm_of_sizes_and_terminals_that_can_little(connect: Connect) -> None:
    plain, unset, other = (connect(size=(80, 24), term=term) for term in ("dumb", "", "xterm-256color"))
    for client in (plain, unset, other):
        client.up()
    for i in range(150):
        other.resize(1 + i * 37 % 320, 1 + i * 53 % 110)
        pump_for(0.005)
    other.resize(79, 24)
    other.wait(lambda s: "needs 80x24, have 79x24" in s, "it does not say what it needs")
    other.resize(100, 30)
    other.wait(lambda s: "hottest GPU" in s and "quit" in s.splitlines()[29], "it did not recover")
    for client in (plain, unset):
        assert not re.search(rb"\x1b\[[0-9;]*[34][0-8][;0-9]*m", client.raw), "colours on a terminal without any"
    assert plain.screen().isascii()
    assert [client.leave() for client in (plain, unset, other)] == [0, 0, 0]


def test_colour_depths_side_by_side(connect: Connect) -> None:
    clients = {"24": connect(env={"COLORTERM": "truecolor"}), "8": connect(), "16": connect(term="linux"),
               "0": connect(env={"NO_COLOR": "1"})}
    for client in clients.values():
        client.up()
    for key in "2:":
        for client in clients.values():
            client.keys(key)
        pump_for(0.7)
    for client in clients.values():
        client.wait(lambda s: "narrow down" in s, "no palette")
        client.keys("\x1b")
        client.wait(lambda s: "2 Floor" in s, "the palette did not go away")
    pump_for(0.3)
    raw = {name: bytes(client.raw) for name, client in clients.items()}
    true, indexed = re.compile(rb"[34]8;2;"), re.compile(rb"[34]8;5;")
    plain = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3|9)[1-7][;m]")
    assert true.search(raw["24"])
    assert not true.search(raw["8"])
    assert indexed.search(raw["8"])
    assert not true.search(raw["16"])
    assert not indexed.search(raw["16"])
    assert plain.search(raw["16"])
    assert not any(p.search(raw["0"]) for p in (true, indexed, plain))
    for client in clients.values():
        assert client.leave() == 0


def test_a_killed_client_leaves_nothing(server: Server, connect: Connect) -> None:
    client = connect("operator", "alice").up()
    os.kill(client.process.pid, signal.SIGKILL)
    until(lambda: lasting(server) == 0, "the session stayed")
    other = connect("operator", "bob").up()
    assert "read only" not in other.screen(), "a dead operator holds the controls"


def test_a_stopped_client_holds_nobody_up_and_comes_back(server: Server, connect: Connect) -> None:
    stopped, other = connect(size=(120, 40)).up(), connect().up()
    os.kill(stopped.process.pid, signal.SIGSTOP)
    before, since = server.rss_mb(), clock(other)
    pump_for(3.0)
    assert clock(other) != since
    assert server.rss_mb() - before < 4
    os.kill(stopped.process.pid, signal.SIGCONT)
    stopped.keys("2")
    stopped.wait(lambda s: "A1" in s and clock(stopped) >= since, "the screen did not come back")
    stopped.keys("1")
    stopped.wait(lambda s: "PUE" in s, "the screen did not come back")
    assert stopped.leave() == 0


def test_a_flood_of_input_is_survived_by_the_others(server: Server, connect: Connect) -> None:
    flooder, other = connect().up(), connect().up()
    os.set_blocking(flooder.master, False)
    before, until_s = server.rss_mb(), time.monotonic() + 2.0
    sent, junk = 0, ("\x1b[<35;20;10M" * 20 + "Tm2134567" * 5 + "\x1b[200~" + "x" * 50).encode()
    while time.monotonic() < until_s:
        try:
            sent += os.write(flooder.master, junk)
        except BlockingIOError:
            pump_for(0.01)
    since = clock(other)
    other.wait(lambda s: clock(other) != since, "the other's clock stands still", 5.0)
    other.keys("3")
    other.wait(lambda s: "utility" in s.lower(), "the other's keys are not heard", 5.0)
    assert server.rss_mb() - before < 12, sent


@pytest.mark.parametrize("command", [["id"], ["-s", "sftp"], ["-s", "nonsense"], ["twin", "run"]])
def test_commands_and_subsystems_are_refused(server: Server, command: list[str]) -> None:
    result = server.run(*command)
    assert result.returncode != 0
    assert result.stdout == ""


def test_no_terminal_no_screen(server: Server) -> None:
    result = server.run("-T")
    assert result.returncode == 64
    assert "needs a terminal" in result.stdout


def test_sftp_and_scp_are_refused(server: Server, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    assert server.run("HOST", program="sftp").returncode != 0
    for legacy in ([], ["-O"]):
        assert server.run(*legacy, str(tmp_path / "x"), "HOST:x", program="scp").returncode != 0
        assert server.run(*legacy, "HOST:/etc/passwd", str(tmp_path / "y"), program="scp").returncode != 0
    assert not (tmp_path / "y").exists()
    assert sorted(p.name for p in server.folder.iterdir()) == sorted(
        ["alice", "alice.pub", "authorized_keys", "bob", "bob.pub", "eve", "eve.pub", "host", "server.log"])


def test_forwarding_is_refused(server: Server) -> None:
    for option in (["-R", "0:127.0.0.1:22"], ["-W", "127.0.0.1:22"], ["-R", f"{server.folder}/s:127.0.0.1:22"]):
        result = server.run_options(["-o", "ExitOnForwardFailure=yes", *option, "-N"] if "-R" in option else option)
        assert result.returncode != 0, option


def test_a_forwarded_port_leads_nowhere(server: Server) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ssh = subprocess.Popen(["ssh", *server.options(), "-N", "-L", f"{port}:127.0.0.1:{server.port}", "guest@127.0.0.1"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    said = []

    def answer() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as conn:
                said.append(conn.recv(64))  # the SSH server's greeting, if this leads to it
        except ConnectionRefusedError:
            return False
        return True

    try:
        until(answer, "ssh does not listen")
    finally:
        ssh.kill()
        ssh.wait()
    assert said == [b""]


def test_only_the_right_keys_open_the_door(server: Server, connect: Connect) -> None:
    assert server.run(user="operator").returncode == 255
    wrong = server.run(user="operator", key=server.eve)
    assert wrong.returncode == 255
    assert "Permission denied" in wrong.stderr
    guest_with_a_key = connect("guest", "alice").up()
    assert "read only" in guest_with_a_key.screen()


def test_come_and_go(server: Server, connect: Connect) -> None:
    for _ in range(3):
        client = connect().up()
        assert client.leave() == 0
    before = server.rss_mb()
    for _ in range(6):
        client = connect().up()
        client.keys("2")
        assert client.leave() == 0
    assert server.rss_mb() - before < 4


def test_texts_that_would_steer_a_terminal(server: Server, connect: Connect) -> None:
    hostile = "A\x1b]0;owned\x07\x1b[5m\x9b5mB"
    done = subprocess.run([sys.executable, "-m", "twin", "serve", "ssh", "small", "--port", "0", "--anonymous",
                           "--host-key", str(server.folder / "host"), "--set", f"scenario.title={hostile}"],
                          capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert "control character" in done.stderr
    assert done.stderr.strip().isprintable()
    keys = server.folder / "authorized_keys"
    kind, key, _ = (server.folder / "eve.pub").read_text().split()
    was = keys.read_text()
    keys.write_text(f"{was}{kind} {key} {hostile}\n")
    try:
        eve, viewer = connect("operator", "eve").up(), connect().up()
    finally:
        keys.write_text(was)
    viewer.keys("W")
    viewer.wait(lambda s: "]0;owned" in s and "holds the controls" in s, "eve is not listed")
    for raw in (bytes(eve.raw), bytes(viewer.raw), server.log.read_bytes()):
        assert b"owned" in raw
        assert not re.search(rb"\x1b\]0;|owned\x07|\x1b\[5m|\x9b5m", raw)


def test_private_factories_and_a_server_that_stops(tmp_path: Path) -> None:
    server = Server(tmp_path, "small", "--mode", "private", "--max-sessions", "2")
    try:
        one, two = (Client(server).up() for _ in range(2))
        assert "read only" not in one.screen()
        one.keys(" ")
        one.wait(lambda s: "paused" in s.splitlines()[0], "no pause")
        assert "paused" not in two.row(0), "the factories are not private"
        one.keys("F")
        one.wait(lambda s: "its name" in s, "nobody asks for a name")
        one.keys("other\r")
        one.wait(lambda s: "'other' begins here" in s, "no branch")
        one.keys("8")
        one.wait(lambda s: "yours" in s and "other" in s, "nothing is compared")
        two.keys("8")
        two.wait(lambda s: "8 Compare" in s, "no view")
        assert "other" not in two.screen()
        two.keys("1")
        for _ in range(8):
            two.keys("+")
            pump_for(0.2)
        two.wait(lambda s: "refused: the speed is limited to x120 here" in s, "no limit")
        late = Client(server)
        assert late.ended() == 75
        assert b"full" in late.raw
        server.process.terminate()
        assert [client.ended() for client in (one, two)] == [75, 75]
        until(lambda: server.process.poll() is not None, "the server goes on")
        for client in (one, two):
            raw = bytes(client.raw)
            assert raw.rindex(b"\x1b[?1049l") > raw.rindex(b"\x1b[?1049h")
            assert b"the server closes" in raw[raw.rindex(b"\x1b[?1049l"):]
    finally:
        for client in [*Client.everyone]:
            client.close()
        code = server.close()
    assert code == 0, server.text()
    assert "Traceback" not in server.text(), server.text()
