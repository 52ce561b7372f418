"""API keys: made, stored hashed, recognised in constant time; and which address needs one.

A key is its kind and 256 random bits, ``sk_`` + 43 characters of base64url. What is stored is the
SHA-256 of the whole key. No slow hash (bcrypt, Argon2): those buy time against guessing
*passwords*, which people choose; 2²⁵⁶ keys cannot be guessed at any speed, and a slow hash on every
request would only be a lever for whoever floods the service with wrong ones.

The digest is looked for by value (a dictionary of digests): how long that takes says nothing about
the key, since nobody can steer the digest. The final comparison is ``hmac.compare_digest`` anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

import msgspec
from msgspec import Struct

from equipoise.clock import Clock, now
from equipoise.errors import InvalidInput, SettingsError

SECRET_BYTES = 32


class KeyKind(StrEnum):
    """What a key is for; the value is its prefix."""

    PUBLISHABLE = "pk"
    """A browser's: appends events, fetches lists for its own visitor. May be read by anybody."""
    SECRET = "sk"
    """The shop's own servers: shoppers, catalogue, purchases."""
    ADMIN = "ak"
    """People who run the service: console, policies, models."""


class StoredKey(Struct, frozen=True, kw_only=True):
    """What is kept of a key: nothing it could be made from again."""

    name: str
    kind: KeyKind
    digest: str
    """SHA-256 of the key, hexadecimal."""
    created: int
    """Milliseconds."""


class Keys:
    """The keys of one data directory, or (``path=None``) of a process.

    Args:
        path: ``keys.json``; read once here and again whenever the file changed.
    """

    def __init__(self, path: Path | None = None, *, clock: Clock = now) -> None:
        self._path = path
        self._clock = clock
        self._by_digest: dict[str, StoredKey] = {}
        self._version: tuple[int, int] | None = None
        self.reload()

    def __len__(self) -> int:
        return len(self._by_digest)

    def list(self) -> list[StoredKey]:
        return sorted(self._by_digest.values(), key=lambda key: (key.created, key.name))

    def make(self, kind: KeyKind | str, name: str) -> str:
        """A new key. It is returned this once and cannot be shown again.

        Raises:
            InvalidInput: an unknown kind, or the name is taken.
        """
        known = _kind(kind)
        if any(key.name == name for key in self._by_digest.values()):
            raise InvalidInput(
                f"there is a key named {name!r} already; revoke it first", code="name_taken"
            )
        key = f"{known}_{secrets.token_urlsafe(SECRET_BYTES)}"
        stored = StoredKey(name=name, kind=known, digest=digest(key), created=self._clock())
        self._write({**self._by_digest, stored.digest: stored})
        return key

    def revoke(self, name: str) -> None:
        """Forget a key. Raises InvalidInput where there is none of this name."""
        kept = {hashed: key for hashed, key in self._by_digest.items() if key.name != name}
        if len(kept) == len(self._by_digest):
            names = ", ".join(key.name for key in self.list()) or "none"
            raise InvalidInput(f"no key is named {name!r}; there are: {names}", code="unknown_key")
        self._write(kept)

    def find(self, key: str) -> StoredKey | None:
        """The stored key that ``key`` is, or None."""
        hashed = digest(key)
        stored = self._by_digest.get(hashed)
        if stored is None or not hmac.compare_digest(stored.digest, hashed):
            return None
        return stored

    def reload(self) -> bool:
        """Read the file again if it changed; True if it did. A running server calls this.

        Raises:
            SettingsError: the file is damaged.
        """
        version = _version(self._path)
        if version == self._version:
            return False
        self._by_digest = _read(self._path)
        self._version = version
        return True

    def _write(self, by_digest: dict[str, StoredKey]) -> None:
        if self._path is not None:
            _replace(self._path, msgspec.json.encode(list(by_digest.values())))
        self._by_digest = by_digest
        self._version = _version(self._path)


def digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def check_binding(host: str, keys: Keys) -> None:
    """Refuse to listen to the network without a key.

    Raises:
        SettingsError: ``host`` is not loopback and there is no key.
    """
    if len(keys) or is_loopback(host):
        return
    raise SettingsError(
        f"server.host is {host}, which others can reach, and there is no API key; "
        "make one with `equipoise keys create --kind ak --name admin`, or bind to 127.0.0.1"
    )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _kind(kind: KeyKind | str) -> KeyKind:
    try:
        return KeyKind(kind)
    except ValueError:
        kinds = ", ".join(f"{known.value} ({known.name.lower()})" for known in KeyKind)
        raise InvalidInput(f"{kind!r} is no kind of key; there are {kinds}", code="kind") from None


def _version(path: Path | None) -> tuple[int, int] | None:
    if path is None or not path.exists():
        return None
    status = path.stat()
    return status.st_mtime_ns, status.st_ino


def _read(path: Path | None) -> dict[str, StoredKey]:
    if path is None or not path.exists():
        return {}
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=list[StoredKey])
    except msgspec.MsgspecError as error:
        raise SettingsError(
            f"{path.name} is damaged ({error}); put it back from a backup, or delete it and "
            "make new keys"
        ) from error
    return {key.digest: key for key in stored}


def _replace(path: Path, body: bytes) -> None:
    """The old file or the new one, never between: write, fsync, rename, fsync the folder."""
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
