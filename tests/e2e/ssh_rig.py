"""A real server process and real OpenSSH clients, each in a pseudo-terminal that pyte reads."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parents[2]
SYNC_QUERY = b"\x1b[?2026$p"


def keygen(path: Path, comment: str) -> Path:
    """Make a key pair; returns the private key."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path], check=True)
    return path


class Server:
    """``twin serve ssh`` in a process of its own, on a free port."""

    def __init__(self, folder: Path, scenario: str = "small", *options: str, anonymous: bool = True,
                 command: Sequence[str] = (sys.executable, "-m", "twin", "serve", "ssh")) -> None:
        self.folder = folder
        self.alice, self.bob, self.eve = (keygen(folder / name, f"{name}@laptop") for name in ("alice", "bob", "eve"))
        keys = folder / "authorized_keys"
        keys.write_text((folder / "alice.pub").read_text() + (folder / "bob.pub").read_text())
        keys.chmod(0o600)
        self.log = folder / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, scenario, "--port", "0", "--host-key", folder / "host",
                 "--authorized-keys", keys, *(["--anonymous"] if anonymous else []), "--connects-per-minute", "0",
                 *options], stderr=log, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "TERM": "dumb", "TEXTUAL_FPS": "1"})
        deadline = time.monotonic() + 60
        while (found := re.search(r"port (\d+) for", self.text())) is None:
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, f"the server did not come up: {self.text()}"
            time.sleep(0.05)
        self.port = int(found[1])

    def text(self) -> str:
        """Return what the server has logged."""
        return self.log.read_text(errors="replace")

    def rss_mb(self) -> float:
        """Return the resident size, MB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        """Return the processor time used so far, s."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def options(self, key: Path | None = None) -> list[str]:
        """Return the options that every client is called with."""
        out = ["-F", "/dev/null", "-p", str(self.port), "-o", "UserKnownHostsFile=/dev/null", "-o",
               "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes", "-o",
               "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "ControlMaster=no"]
        return [*out, "-i", str(key)] if key is not None else [*out, "-i", "/dev/null"]

    def run(self, *command: str, key: Path | None = None, user: str = "guest", program: str = "ssh",
            timeout_s: float = 20.0) -> subprocess.CompletedProcess[str]:
        """Run a client without a terminal."""
        options = self.options(key)
        if program != "ssh":
            options = ["-P" if o == "-p" else o for o in options]
            line = [program, *options, *(c.replace("HOST", f"{user}@127.0.0.1") for c in command)]
        else:
            line = [program, *options, f"{user}@127.0.0.1", *command]
        return subprocess.run(line, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL,
                              check=False)

    def run_options(self, options: list[str]) -> subprocess.CompletedProcess[str]:
        """Run ssh with further options and without a terminal."""
        return subprocess.run(["ssh", *self.options(), *options, "guest@127.0.0.1"], capture_output=True, text=True,
                              timeout=20, stdin=subprocess.DEVNULL, check=False)

    def close(self) -> int:
        """Stop the server; returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Client:
    """A real ssh client in a pseudo-terminal.

    Args:
        server: where to connect to.
        user: user name; ``operator`` needs a key.
        key: private key.
        size: columns and rows.
        term: TERM of the client.
        env: variables that the client sends.
        watch: keep a picture of the screen; without it bytes are only counted.
    """

    everyone: list[Client] = []

    def __init__(self, server: Server, user: str = "guest", key: Path | None = None, size: tuple[int, int] = (100, 30),
                 term: str = "xterm-256color", env: dict[str, str] | None = None, watch: bool = True) -> None:
        self._picture = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._picture)
        self.watch, self.raw, self.count = watch, bytearray(), 0
        self.master, slave = pty.openpty()
        self._size(*size)
        send = [f"-oSetEnv={' '.join(f'{k}={v}' for k, v in env.items())}"] if env else []

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(["ssh", *server.options(key), *send, f"{user}@127.0.0.1"], stdin=slave,
                                        stdout=slave, stderr=slave, start_new_session=True, preexec_fn=take_terminal,
                                        env={"TERM": term, "PATH": os.environ["PATH"], "HOME": str(server.folder)})
        os.close(slave)
        os.set_blocking(self.master, False)
        self.open, self.said = True, False
        Client.everyone.append(self)

    def _size(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def resize(self, width: int, height: int) -> None:
        """Change the size of the terminal."""
        self._picture.resize(height, width)
        self._size(width, height)

    def keys(self, text: str) -> None:
        """Press keys."""
        os.write(self.master, text.encode())

    def read(self) -> None:
        """Take what the terminal shows now."""
        try:
            data = os.read(self.master, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.open = False
            return
        self.count += len(data)
        if self.watch:
            self.raw += data
            self._stream.feed(data.replace(SYNC_QUERY, b""))

    def screen(self) -> str:
        """Return the picture of the screen."""
        return "\n".join(self._picture.display)

    def row(self, y: int) -> str:
        """Return a row."""
        return str(self._picture.display[y])

    def wait(self, condition: Callable[[str], bool], what: str, timeout_s: float = 30.0) -> str:
        """Wait until the screen meets a condition and return it; the others are read meanwhile."""
        deadline = time.monotonic() + timeout_s
        while True:
            shown = self.screen()
            if condition(shown):
                return shown
            assert time.monotonic() < deadline, f"{what}; the screen shows:\n{shown}"
            pump(0.1)

    def up(self) -> Client:
        """Wait until the live screen is there."""
        self.wait(lambda s: "Overview" in s and "PUE" in s, "the live screen did not come up")
        return self

    def leave(self) -> int:
        """Press q and return the exit status of ssh."""
        self.keys("q")
        return self.ended()

    def ended(self, timeout_s: float = 20.0) -> int:
        """Wait until ssh ends; returns its exit status."""
        deadline = time.monotonic() + timeout_s
        while self.process.poll() is None or self.open:
            assert time.monotonic() < deadline, f"ssh did not end; the screen shows:\n{self.screen()}"
            pump(0.05)
        self.close()
        return self.process.returncode

    def close(self) -> None:
        """End the client."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        if self in Client.everyone:
            Client.everyone.remove(self)
            with suppress(OSError):
                os.close(self.master)
        self.open = False


def pump(timeout_s: float) -> None:
    """Read from every client that has something to say."""
    by_fd = {c.master: c for c in Client.everyone if c.open}
    if not by_fd:
        time.sleep(timeout_s)
        return
    ready, _, _ = select.select([*by_fd], [], [], timeout_s)
    for fd in ready:
        by_fd[fd].read()


def pump_for(seconds: float) -> None:
    """Read from every client for a while."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        pump(min(0.05, left))
