"""Keys: made once, stored hashed, and the address that needs one."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from equipoise.errors import InvalidInput, SettingsError
from equipoise.server.keys import Keys, check_binding, digest, is_loopback


def test_key_is_shown_once_and_stored_hashed(tmp_path: Path) -> None:
    """The file holds its digest alone, and only its owner may read it."""
    path = tmp_path / "keys.json"
    keys = Keys(path)
    made = keys.make("sk", "shop")
    held = path.read_text()
    found = Keys(path).find(made)

    assert made.startswith("sk_")
    assert len(made) == 3 + 43
    assert made not in held
    assert made[3:] not in held
    assert digest(made) in held
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.new"))
    assert found is not None
    assert (found.name, found.kind) == ("shop", "sk")


def test_wrong_key_is_nobody() -> None:
    """Neither a changed key nor its digest is a key."""
    keys = Keys()
    made = keys.make("ak", "me")

    assert keys.find(made + "x") is None
    assert keys.find(made.replace("ak_", "sk_", 1)) is None
    assert keys.find(digest(made)) is None
    assert keys.find("\ud800") is None


def test_running_service_sees_new_and_revoked_keys(tmp_path: Path) -> None:
    """Another process writes the file; reload takes it up."""
    running, console = Keys(tmp_path / "keys.json"), Keys(tmp_path / "keys.json")
    made = console.make("pk", "web")
    before = running.find(made)
    changed, again = running.reload(), running.reload()
    during = running.find(made)
    console.revoke("web")
    running.reload()

    assert (before, changed, again) == (None, True, False)
    assert during is not None
    assert running.find(made) is None


def test_names_and_kinds_are_checked() -> None:
    """A message says what there is."""
    keys = Keys()
    keys.make("pk", "web")

    with pytest.raises(InvalidInput, match="a key named 'web' already"):
        keys.make("sk", "web")
    with pytest.raises(InvalidInput, match="'xk' is no kind of key; there are pk"):
        keys.make("xk", "other")
    with pytest.raises(InvalidInput, match="no key is named 'app'; there are: web"):
        keys.revoke("app")


def test_damaged_file_is_named(tmp_path: Path) -> None:
    """No silent fallback to an open door."""
    (tmp_path / "keys.json").write_text("[{]")

    with pytest.raises(SettingsError, match=r"keys\.json is damaged"):
        Keys(tmp_path / "keys.json")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "shop.example", ""])
def test_network_needs_a_key(host: str) -> None:
    """Bound to anything but loopback, a service without keys does not start."""
    keys = Keys()
    with pytest.raises(SettingsError, match="there is no API key"):
        check_binding(host, keys)
    keys.make("ak", "admin")

    check_binding(host, keys)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_loopback_needs_none(host: str) -> None:
    """Whoever sits at the machine may do everything anyway."""
    check_binding(host, Keys())

    assert is_loopback(host)
