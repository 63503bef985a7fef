"""The server's own key, and the keys of the operators."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import asyncssh

from twin.errors import InputError
from twin.serve.people import safe_name

#: largest file of keys that is read, B
KEYS_MAX_B = 256 * 1024


def default_host_key() -> Path:
    """Return where the host key lies when nobody says."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "twin" / "ssh_host_ed25519_key"


def host_key(path: Path) -> tuple[asyncssh.SSHKey, bool]:
    """Return the server's ed25519 key and whether it was made now; a new one is written for its owner alone (0600).

    Raises:
        InputError: it cannot be read or written, others can read it, or it is no private key.
    """
    made = not path.exists()
    try:
        if made:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = asyncssh.generate_private_key("ssh-ed25519", comment="twin")
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(key.export_private_key())
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise InputError("others can read the host key", where=str(path), expected="mode 0600 (chmod 600)")
        with path.open("rb") as file:
            return asyncssh.import_private_key(file.read(KEYS_MAX_B)), made
    except OSError as error:
        raise InputError(f"cannot use the host key: {error.strerror}", where=str(path)) from error
    except InputError:
        raise
    except Exception as error:  # a damaged key comes out of asyncssh as whatever its parsers and OpenSSL raise
        raise InputError(f"this is no private key: {error}", where=str(path)) from error


class OperatorKeys:
    """The keys of those who may act; the file is read again when it changed, so that a key can be withdrawn.

    Args:
        path: a file in the format of OpenSSH's authorized_keys; None for no operators.

    Raises:
        InputError: the file cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._keys: asyncssh.SSHAuthorizedKeys | None = None
        self._names: dict[str, str] = {}
        if path is not None:
            self._read()

    def name_of(self, key: asyncssh.SSHKey, address: str) -> str | None:
        """Return the name of a key that may log in from an address, None for any other key."""
        if self._path is None:
            return None
        try:
            self._read()
        except InputError:
            return None  # an unreadable file lets nobody in
        if self._keys is None or self._keys.validate(key, address, address) is None:
            return None
        return self._names.get(key.get_fingerprint(), "operator")

    def _read(self) -> None:
        assert self._path is not None
        try:
            about = self._path.stat()
            stamp = (about.st_mtime_ns, about.st_size)
            if stamp == self._stamp:
                return
            self._stamp, self._keys = None, None
            if stat.S_IMODE(about.st_mode) & 0o022:
                raise InputError("others can write the file of keys", where=str(self._path),
                                 expected="mode 0644 or less")
            if about.st_size > KEYS_MAX_B:
                raise InputError("the file of keys is too large", where=str(self._path),
                                 expected=f"{KEYS_MAX_B} B at most")
            text = self._path.read_text(errors="replace")
            # asyncssh passes over a line with anything but ASCII in it, and with it over a key whose comment has any.
            self._keys = asyncssh.import_authorized_keys(text.encode("ascii", "replace").decode())
        except OSError as error:
            raise InputError(f"cannot read the keys: {error.strerror}", where=str(self._path)) from error
        except InputError:
            raise
        except Exception as error:  # as for the host key; asyncssh makes expressions of what it finds in the file
            raise InputError(f"no usable key: {error}", where=str(self._path),
                             expected="lines like those of ~/.ssh/authorized_keys") from error
        self._names = names_in(text)
        self._stamp = stamp


def names_in(text: str) -> dict[str, str]:
    """Return fingerprint -> name from the comments of keys; ``alice@laptop`` is called alice."""
    names = {}
    for line in text.splitlines():
        words = line.strip().split(" ")
        for i, word in enumerate(words):
            if word.startswith(("ssh-", "ecdsa-", "sk-")):
                try:
                    key = asyncssh.import_public_key(" ".join(words[i:i + 2]))
                except Exception:  # as above; whoever this key belongs to has no name
                    break
                comment = " ".join(words[i + 2:]).partition("@")[0]
                names[key.get_fingerprint()] = safe_name(comment) if comment else "operator"
                break
    return names
