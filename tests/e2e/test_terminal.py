"""The live screen in a real terminal: tmux shows it, keys reach it, and it leaves the terminal as it found it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")]
ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """A tmux server of its own with one window."""

    def __init__(self, name: str, width: int, height: int) -> None:
        self._tmux = ["tmux", "-L", name, "-f", "/dev/null"]
        self._run("new-session", "-d", "-x", str(width), "-y", str(height), "env", "PS1=ready> ", "sh")

    def _run(self, *args: str) -> str:
        return subprocess.run([*self._tmux, *args], check=True, capture_output=True, text=True).stdout

    def screen(self) -> str:
        """Return what is shown now."""
        return self._run("capture-pane", "-p")

    def keys(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self._run("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a line."""
        self._run("send-keys", "-l", text)
        self._run("send-keys", "Enter")

    def resize(self, width: int, height: int) -> None:
        """Change the size of the window."""
        self._run("resize-window", "-x", str(width), "-y", str(height))

    def ask(self, what: str) -> str:
        """Return what tmux knows about the window."""
        return self._run("display-message", "-p", what).strip()

    def close(self) -> None:
        """End the server and everything in it."""
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)

    def wait(self, condition: Callable[[str], bool], what: str, timeout_s: float = 40.0) -> str:
        """Wait until the screen meets a condition and return it."""
        deadline = time.monotonic() + timeout_s
        while True:
            shown = self.screen()
            if condition(shown):
                return shown
            assert time.monotonic() < deadline, f"{what}; the screen shows:\n{shown}"
            time.sleep(0.1)


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    one = Terminal(f"twin-test-{os.getpid()}-{time.monotonic_ns()}", *getattr(request, "param", (120, 40)))
    try:
        one.type(f"export PYTHONPATH={ROOT} COLORTERM=truecolor TWIN_TOUR=0")
        yield one
    finally:
        one.close()


def start(terminal: Terminal, arguments: str) -> None:
    terminal.type(f"clear; {sys.executable} -m twin run {arguments}; echo left with $?")
    terminal.wait(lambda s: "Overview" in s and "PUE" in s, "the live screen did not come up")


@pytest.mark.parametrize("terminal", [(80, 24), (120, 40), (200, 60)], indirect=True)
def test_it_comes_up_shows_every_view_and_leaves_cleanly(terminal: Terminal) -> None:
    start(terminal, "small --speed 20")
    for key in "234567":
        terminal.keys(key)
        terminal.wait(lambda s: "Traceback" not in s and "quit" in s, f"view {key}")
    terminal.keys("q")
    shown = terminal.wait(lambda s: "left with 0" in s, "it did not leave")
    assert "Overview" not in shown


def test_pause_step_and_resume(terminal: Terminal) -> None:
    start(terminal, "small --speed 50")
    terminal.keys("Space")
    paused = terminal.wait(lambda s: "paused" in s.lower() or "⏸" in s or "‖" in s, "it did not pause")
    time.sleep(0.5)
    assert terminal.screen().splitlines()[0] == terminal.screen().splitlines()[0]
    terminal.keys(".")
    terminal.wait(lambda s: s.splitlines()[0] != paused.splitlines()[0], "a step did not move the clock")
    terminal.keys("q")
    terminal.wait(lambda s: "left with 0" in s, "it did not leave")


def test_a_recorded_session_verifies(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "a.twin"
    start(terminal, f"small --speed 60 --record {file}")
    time.sleep(1.5)
    terminal.keys("q")
    terminal.wait(lambda s: "left with 0" in s, "it did not leave")
    out = subprocess.run([sys.executable, "-m", "twin", "replay", str(file), "--verify"], capture_output=True,
                         text=True, check=False, cwd=ROOT)
    assert out.returncode == 0, out.stdout + out.stderr
    assert "the same" in out.stdout


def test_a_small_terminal_says_what_it_needs_and_recovers(terminal: Terminal) -> None:
    start(terminal, "small --speed 20")
    terminal.resize(60, 15)
    terminal.wait(lambda s: "80x24" in s.replace("×", "x"), "it did not say what it needs")
    terminal.resize(120, 40)
    terminal.wait(lambda s: "Overview" in s and "PUE" in s, "it did not recover")
    terminal.keys("q")
    terminal.wait(lambda s: "left with 0" in s, "it did not leave")


#: all that a program may leave behind in a terminal, as tmux knows it
MODES = ("cursor_flag", "alternate_on", "mouse_any_flag", "mouse_standard_flag", "mouse_button_flag", "mouse_all_flag",
         "mouse_sgr_flag", "keypad_flag", "keypad_cursor_flag", "origin_flag", "insert_flag", "wrap_flag",
         "scroll_region_upper", "scroll_region_lower")


def modes(terminal: Terminal) -> list[str]:
    return [terminal.ask(f"{name}=#{{{name}}}") for name in MODES]


def settings(terminal: Terminal, tmp_path: Path, name: str) -> str:
    """Return what the line discipline of the terminal is set to: echo, line mode, signals and all the rest."""
    file = tmp_path / name
    terminal.type(f"stty -a > {file}; echo wrote {name}")
    terminal.wait(lambda s: f"wrote {name}" in s.splitlines(), "the shell does not answer")
    return file.read_text()


def child(terminal: Terminal) -> int:
    shell = int(terminal.ask("#{pane_pid}"))
    (found,) = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    return int(found)


#: runs the program with a panel that fails once it has been drawn a few times: an error that nobody foresaw
BROKEN = """
import sys
from twin.cli.main import entry
from twin.tui.panels.jobs import JobTable
count, cells = iter(range(10**9)), JobTable.cells
def failing(self, ui, item):
    if next(count) > 8:
        raise ZeroDivisionError("a number that nobody foresaw")
    return cells(self, ui, item)
JobTable.cells = failing
sys.argv = ["twin", "run", "small", "--speed", "20"]
entry()
"""


@pytest.mark.parametrize(("how", "code"), [("q", 0), ("C-c", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129),
                                           (signal.SIGINT, 130), ("an exception", 70)])
def test_the_terminal_is_as_it_was_however_one_leaves(terminal: Terminal, tmp_path: Path, how: str | int,
                                                      code: int) -> None:
    before, set_before = modes(terminal), settings(terminal, tmp_path, "before")
    if how == "an exception":
        script = tmp_path / "broken.py"
        script.write_text(BROKEN)
        terminal.type(f"clear; TMPDIR={tmp_path} {sys.executable} {script}; echo left with $?")
        terminal.wait(lambda s: "Overview" in s and "PUE" in s, "the live screen did not come up")
    else:
        start(terminal, "small --speed 20")
    during = modes(terminal)
    assert {"cursor_flag=0", "alternate_on=1", "mouse_any_flag=1"} <= set(during)
    if how == "an exception":
        terminal.keys("6")
    elif isinstance(how, str):
        terminal.keys(how)
    else:
        os.kill(child(terminal), how)
    shown = terminal.wait(lambda s: f"left with {code}" in s, "it did not leave")
    assert "Overview" not in shown
    assert modes(terminal) == before
    assert settings(terminal, tmp_path, "after") == set_before
    terminal.type("echo still $((40 + 2)) here")
    terminal.wait(lambda s: "still 42 here" in s, "the shell does not echo")
    reports = [*tmp_path.glob("twin-report-*.txt")]
    if how == "an exception":
        (report,) = reports
        text = report.read_text()
        assert "ZeroDivisionError: a number that nobody foresaw" in text
        assert "in failing" in text
        words = " ".join(shown.split())
        assert "internal error: ZeroDivisionError: a number that nobody foresaw" in words
        assert report.name in shown.replace("\n", "")
        assert "Traceback" not in shown
    else:
        assert reports == []


def test_help_and_the_fault_menu(terminal: Terminal) -> None:
    start(terminal, "small --speed 1")
    terminal.keys("?")
    terminal.wait(lambda s: "In this view" in s, "no help")
    terminal.keys("Escape")
    terminal.wait(lambda s: "2 Floor" in s, "help did not go away")
    terminal.keys("f")
    terminal.wait(lambda s: "cdu_pump_trip" in s, "no fault menu")
    terminal.keys("Escape")
    terminal.wait(lambda s: "2 Floor" in s, "the menu did not go away")
    terminal.keys("q")
    terminal.wait(lambda s: "left with 0" in s, "it did not leave")


def test_a_pump_fails_and_the_other_future_is_looked_at(terminal: Terminal) -> None:
    start(terminal, "small --speed 20")
    terminal.keys("2")
    terminal.wait(lambda s: "cold aisle" in s or "hot aisle" in s or "CRAH" in s, "no floor")
    terminal.keys("f")
    terminal.wait(lambda s: "cdu_pump_trip" in s, "no fault menu")
    for answer in ("cdu_pump_trip", "A1.cdu1.pumpA", "until"):
        terminal.type(answer)
        time.sleep(0.3)
    terminal.keys("7")
    terminal.wait(lambda s: "cdu_pump_trip" in s and "off" in s, "no alarm of the pump")
    terminal.keys("Space")
    terminal.wait(lambda s: "paused" in s, "it did not pause")
    terminal.keys("{")
    terminal.wait(lambda s: "looking back at" in s, "it did not go back")
    terminal.keys("F")
    terminal.wait(lambda s: "its name" in s, "no question for a name")
    terminal.type("calm")
    terminal.wait(lambda s: "┬ calm" in s, "no branch")
    terminal.keys("8")
    terminal.wait(lambda s: "calm against main" in s, "no comparison")
    terminal.keys("0")
    terminal.keys("q")
    terminal.wait(lambda s: "left with 0" in s, "it did not leave")
    terminal.type("echo still $((40 + 2)) here")
    terminal.wait(lambda s: "still 42 here" in s, "the shell does not echo")
