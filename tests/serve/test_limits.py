"""The gate: how many may come, how fast, from where; the host key and the keys of operators."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

asyncssh = pytest.importorskip("asyncssh")

from twin.errors import InputError  # noqa: E402
from twin.serve.keys import OperatorKeys, host_key  # noqa: E402
from twin.serve.limits import ADDRESSES_MAX, REFUSALS_TOLD, Bucket, Gate, Limits  # noqa: E402


def test_a_burst_is_let_in_and_then_a_steady_few() -> None:
    now = [0.0]
    gate = Gate(Limits(connects_per_min=6, per_address=100, logins=100), lambda: now[0])
    answers = [gate.enter("192.0.2.1") for _ in range(8)]
    assert answers[:6] == [""] * 6
    assert all(answers[6:])
    assert gate.enter("192.0.2.2") == ""
    now[0] = 10.0
    assert gate.enter("192.0.2.1") == ""
    assert gate.enter("192.0.2.1") != ""


def test_one_address_holds_only_so_many_connections() -> None:
    gate = Gate(Limits(per_address=2, connects_per_min=0))
    assert [gate.enter(f"2001:db8::{i}") == "" for i in range(3)] == [True, True, False]
    gate.leave("2001:db8::1")
    assert gate.enter("2001:db8::9") == ""


def test_a_flood_of_refusals_does_not_fill_the_log() -> None:
    now = [0.0]
    gate = Gate(Limits(), lambda: now[0])
    said = [gate.tell("no") for _ in range(1000)]
    assert sum(map(bool, said)) == REFUSALS_TOLD[0]
    now[0] = 1 / REFUSALS_TOLD[1]
    assert gate.tell("no") == f"no ({1000 - REFUSALS_TOLD[0]} more were refused before)"
    assert gate.tell("no") == ""


def test_those_who_do_not_log_in_do_not_keep_others_out_for_good() -> None:
    gate = Gate(Limits(logins=3, connects_per_min=0, per_address=100))
    assert [gate.enter("192.0.2.1") == "" for _ in range(4)] == [True, True, True, False]
    gate.logged_in()
    assert gate.enter("192.0.2.1") == ""


def test_the_gate_forgets_addresses() -> None:
    gate = Gate(Limits(connects_per_min=6))
    for i in range(3 * ADDRESSES_MAX):
        address = f"198.{i >> 16}.{i >> 8 & 255}.{i & 255}"
        if gate.enter(address) == "":
            gate.logged_in()
            gate.leave(address)
    assert len(gate._rates) <= ADDRESSES_MAX
    assert not gate._open


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    now = [0.0]
    bucket = Bucket(5, 1.0, lambda: now[0])
    now[0] = 1e6
    assert bucket.has() == 5


def test_the_host_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "host"
    first, made = host_key(path)
    assert made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again, made = host_key(path)
    assert not made
    assert again.get_fingerprint() == first.get_fingerprint()
    path.chmod(0o644)
    with pytest.raises(InputError, match="others can read"):
        host_key(path)
    path.chmod(0o600)
    path.write_text("rubbish")
    with pytest.raises(InputError, match="no private key"):
        host_key(path)


def test_keys_of_operators_are_read_again_and_named(tmp_path: Path) -> None:
    alice, eve = (asyncssh.generate_private_key("ssh-ed25519", comment=c) for c in ("alice@laptop", "eve"))
    path = tmp_path / "keys"
    path.write_bytes(b"# people\n" + alice.export_public_key())
    path.chmod(0o600)
    keys = OperatorKeys(path)
    assert keys.name_of(alice.convert_to_public(), "192.0.2.1") == "alice"
    assert keys.name_of(eve.convert_to_public(), "192.0.2.1") is None
    path.write_bytes(b'from="198.51.100.*" ' + eve.export_public_key())
    assert keys.name_of(alice.convert_to_public(), "192.0.2.1") is None
    assert keys.name_of(eve.convert_to_public(), "192.0.2.1") is None
    assert keys.name_of(eve.convert_to_public(), "198.51.100.7") == "eve"
    path.write_text("")
    assert keys.name_of(eve.convert_to_public(), "198.51.100.7") is None


@pytest.mark.parametrize("mode, text", [(0o666, None), (0o600, "rubbish"), (0o600, "x" * 300_000)])
def test_a_bad_file_of_keys_is_refused(tmp_path: Path, mode: int, text: str | None) -> None:
    path = tmp_path / "keys"
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    path.write_text(text if text is not None else key)
    path.chmod(mode)
    with pytest.raises(InputError):
        OperatorKeys(path)
    with pytest.raises(InputError):
        OperatorKeys(tmp_path / "missing")
