"""Run recorded sessions, kill each with SIGKILL at a random moment, and verify what is left: ``... RUNS SEED FOLDER``.

A child process drives a session as fast as it goes and says every command that was accepted; this process kills it
and then reads its recording: every command that was said must be in the file, and the run must be the recorded one.
"""

import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.scenario.recording import Recorder
from twin.scenario.replay import Recording
from twin.scenario.verify import verify
from twin.wiring import Command


def live(path: Path, seed: int, pipe: int) -> None:
    """Be the child: record, and send commands for ever."""
    run = open_run("small")
    Recorder(run, path)
    draw = random.Random(seed)
    session = Session(run, speed=draw.choice((60.0, float("inf"))), endless=True)
    session.start()
    for number in range(10**9):
        value = 28.0 + draw.randrange(8)
        session.send(Command("set", 0, "", "warm.supply_c", value))
        os.write(pipe, f"{number} {value}\n".encode())
        time.sleep(draw.random() * 0.02)


def one(path: Path, seed: int) -> tuple[int, int, int]:
    """Run, kill and verify once; return commands accepted, commands in the file, ticks verified."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            live(path, seed, writing)
        finally:
            os._exit(9)
    os.close(writing)
    draw = random.Random(seed + 1)
    heard = b""
    select.select([reading], [], [], 30)  # the first command is accepted
    until = time.monotonic() + draw.random() * 0.5
    while time.monotonic() < until:
        if select.select([reading], [], [], max(0.0, until - time.monotonic()))[0]:
            heard += os.read(reading, 1 << 16)
    os.kill(child, signal.SIGKILL)
    while part := os.read(reading, 1 << 16):
        heard += part
    os.close(reading)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, f"the child ended by itself: {status}"
    said = [float(line.split()[1]) for line in heard.decode().splitlines()]
    with Recording(path) as recording:
        assert recording.tail.kind in ("whole", "torn"), recording.tail
        found = [given.command.value for given in recording.commands]
        assert found[:len(said)] == said, f"{len(said)} commands were accepted, {len(found)} are in the file"
        result = verify(recording)
        assert result.divergence is None, str(result.divergence)
        assert len(result.run.sim.given) == len(found)
        return len(said), len(found), result.ticks


def main(runs: int, seed: int, folder: Path) -> None:
    """Do it so many times."""
    accepted = ticks = 0
    for i in range(runs):
        path = folder / f"{i}.twin"
        said, _, verified = one(path, seed + i)
        accepted, ticks = accepted + said, ticks + verified
        path.unlink()
    print(f"{runs} runs killed, {accepted} commands accepted, all found; {ticks} ticks verified")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
