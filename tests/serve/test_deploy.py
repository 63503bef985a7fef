"""docs/deploy.md: units, container file and commands that are what they say."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from twin.cli.commands import cli

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
UNITS = {Path(name).name: "\n" + body
         for name, body in re.findall(r"```ini\n# (/etc/systemd/\S+)\n(.*?)```", TEXT, re.S)}
CONTAINER = re.search(r"```dockerfile\n(.*?)```", TEXT, re.S)[1]


def commands():
    """Every ``twin ...`` of the page: units, the container's default, the shell blocks, the prose."""
    text = TEXT.replace("\\\n", " ")
    found = re.findall(r"^ExecStart=\S*/(twin serve .*)$", text, re.M)
    found += [f"twin {line}" for line in re.findall(r"podman run .* twin (serve .*)$", text, re.M)]
    found += re.findall(r"`(twin serve [^`]*)`", text)
    found.append("twin " + " ".join(re.findall(r'"([^"]*)"', CONTAINER.split("CMD", 1)[1])))
    return found


@pytest.mark.parametrize("line", commands())
def test_commands_are_understood(line):
    pytest.importorskip("asyncssh")
    words = shlex.split(line)[1:]
    command = cli
    context = click.Context(cli, info_name="twin")
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0))
        assert command is not None
        context = click.Context(command, parent=context)
    command.parse_args(context, words)  # a wrong option or value raises


def test_there_is_a_unit_for_each_server():
    from twin.cli.serve import SERVERS

    assert {f"twin-{name}.service" for name in SERVERS} == set(UNITS)


@pytest.mark.parametrize("name", UNITS)
def test_units_have_the_least_privilege(name):
    unit = UNITS[name]
    for line in ("DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes",
                 "PrivateDevices=yes", "CapabilityBoundingSet=", "RestrictNamespaces=yes", "MemoryDenyWriteExecute=yes",
                 "SystemCallFilter=@system-service", "LimitCORE=0", "MemorySwapMax=0"):
        assert f"\n{line}\n" in unit, line
    assert re.search(r"^MemoryMax=\d+[MG]$", unit, re.M)
    assert re.search(r"^TasksMax=\d+$", unit, re.M)
    if "--host" not in re.search(r"^ExecStart=(.*)$", unit, re.M)[1].replace("--host-key", ""):
        assert "\nIPAddressDeny=any\nIPAddressAllow=localhost\n" in unit  # it is for loopback only


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_the_units(name, tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / name
    unit.write_text(UNITS[name].replace("/opt/twin/bin/twin", sys.executable), encoding="utf-8")
    verify = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60)
    ours = [line for line in verify.stderr.splitlines() if name in line]
    assert not ours
    rated = subprocess.run([analyze, "security", "--offline=true", "--threshold=20", str(unit)], capture_output=True,
                           text=True, timeout=60)  # 0 is locked up, 100 is without any protection
    if "nrecognized option" in rated.stderr:
        pytest.skip("this systemd-analyze cannot rate a unit that is not loaded")
    assert rated.returncode == 0, rated.stdout[-500:]


def test_the_container_runs_as_nobody_and_copies_what_exists():
    stages = re.split(r"^FROM ", CONTAINER, flags=re.M)[1:]
    assert len(stages) == 2
    assert stages[0].split()[1:3] == ["AS", "build"]
    assert all(re.match(r"\S+:\d\S*", stage) and ":latest" not in stage.split()[0] for stage in stages)
    assert not re.search(r"gcc|apt-get", stages[1])
    user = re.search(r"^USER (\d+):(\d+)$", stages[1], re.M)
    assert user
    assert int(user[1]) > 0
    assert stages[1].index("USER") < stages[1].index("ENTRYPOINT")
    for line in re.findall(r"^COPY (?!--from)(.*)$", CONTAINER, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    for line in re.findall(r"^podman run .*", TEXT.replace("\\\n", " "), re.M):
        for option in ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--memory=", "--pids-"):
            assert option in line


def test_links_lead_somewhere():
    for page in ("deploy.md", "metrics.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "docs" / page).read_text(encoding="utf-8")):
            assert (ROOT / "docs" / target).exists(), target
