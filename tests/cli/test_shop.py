"""``init``, ``doctor``, ``keys``: a data directory, its health, its keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equipoise.home import Home
from equipoise.server.keys import Keys
from equipoise.settings import Settings, listing

Run = Callable[..., Any]


def test_init_makes_a_directory_that_is_well(run: Run, tmp_path: Path) -> None:
    """Made once, checked by doctor, and left alone the second time."""
    first = run("init")
    secrets = Home(tmp_path / "equipoise-data").secrets()
    second, checked = run("init"), run("doctor")

    assert (first.code, second.code, checked.code) == (0, 0, 0)
    assert "Made equipoise-data" in first.err
    assert "nothing changed" in second.err
    assert Home(tmp_path / "equipoise-data").secrets() == secrets
    assert "MEND" not in checked.out


def test_doctor_on_a_sound_directory(run: Run) -> None:
    """Every check by its name, for programs too."""
    run("init", "--data", "shop")
    findings = {one["check"]: one for one in run("doctor", "--data", "shop", "--json").json}

    assert list(findings) == ["python", "sqlite", "cores", "free space", "data directory",
                              "settings", "keys", "log", "snapshots"]  # fmt: skip
    assert all(one["ok"] for one in findings.values())
    assert findings["log"]["found"] == "0 records"
    assert findings["snapshots"]["found"] == "none published yet"


@pytest.mark.parametrize(
    ("harm", "check", "words"),
    [
        (lambda home: home.secrets_file.unlink(), "data directory", "not an Equipoise data"),
        (lambda home: home.secrets_file.chmod(0o644), "data directory", "chmod 600"),
        (lambda home: home.settings_file.write_text("[servr]\n"), "settings", "unknown field"),
        (lambda home: home.keys_file.write_text("{"), "keys", "is damaged"),
        (lambda home: (home.log / "log.sqlite").write_bytes(b"x" * 8192), "log", "log.sqlite"),
        (lambda home: (home.snapshots / f"000001-{'0' * 32}").mkdir(), "snapshots", "manifest"),
    ],
)
def test_doctor_says_what_needs_mending(
    run: Run, tmp_path: Path, harm: Callable[[Home], Any], check: str, words: str
) -> None:
    """Exit 1, the check that failed, and why; the other checks are made all the same."""
    run("init", "--data", "shop")
    home = Home(tmp_path / "shop")
    (home.snapshots / "CURRENT").write_text("000001-" + "0" * 32 + "\n")
    harm(home)
    answer = run("doctor", "--data", "shop", "--json")
    findings = {one["check"]: one for one in answer.json}

    assert answer.code == 1
    assert len(findings) == 9
    assert not findings[check]["ok"]
    assert words in findings[check]["found"]
    assert "MEND" in run("doctor", "--data", "shop").out


def test_doctor_explains_every_setting(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its value, its default, where it came from and what it does."""
    run("init", "--data", "shop")
    Home(tmp_path / "shop").settings_file.write_text(
        "[shop]\nname = 'Corner shop'\n[placements.home]\nbudget = 0.1\n[server]\nport = 81\n"
    )
    monkeypatch.setenv("EQUIPOISE_SERVER__PORT", "8080")
    answer = run("doctor", "--settings", "--data", "shop")
    rows = {
        one["name"]: one for one in run("doctor", "--settings", "--data", "shop", "--json").json
    }

    assert set(rows) == {name for name, _, _ in listing(Settings())}
    assert (rows["shop.name"]["value"], rows["shop.name"]["from"]) == (
        "Corner shop",
        "settings.toml",
    )
    assert (rows["server.port"]["value"], rows["server.port"]["from"]) == (8080, "environment")
    assert (rows["server.host"]["from"], rows["server.host"]["default"]) == ("default", "127.0.0.1")
    assert "expected reward" in rows["placements.home.budget"]["does"]
    assert "Corner shop" in answer.out


def test_a_key_lives_and_dies(run: Run, tmp_path: Path) -> None:
    """Shown once, known by its hash, listed without it, revoked by its name."""
    run("init")
    empty = run("keys")
    made = run("keys", "create", "--name", "storefront", "--kind", "pk")
    key = made.out.strip()
    listed = run("keys", "--json")
    again = run("keys", "create", "--name", "storefront")
    revoked = run("keys", "revoke", "--name", "storefront")
    keys = Keys(tmp_path / "equipoise-data" / "keys.json")

    assert (empty.out, "loopback only" in empty.err) == ("", True)
    assert key.startswith("pk_")
    assert [(one["name"], one["kind"]) for one in listed.json] == [("storefront", "pk")]
    assert key not in listed.out
    assert again.code == 1
    assert "there is a key named 'storefront' already" in again.err
    assert "Revoked storefront" in revoked.err
    assert keys.find(key) is None


def test_a_key_as_json_and_as_a_table(run: Run) -> None:
    """The key itself is in the one, its name in the other."""
    run("init")
    made = run("keys", "create", "ops", "--kind", "ak", "--json").json

    assert made["key"].startswith("ak_")
    assert "ops" in run("keys", "list").out


@pytest.mark.parametrize("action", ["create", "revoke"])
def test_a_key_has_a_name(run: Run, action: str) -> None:
    """Without it there is nothing to do."""
    run("init")
    answer = run("keys", action)

    assert answer.code == 2
    assert "name the key to" in answer.err


def test_revoking_a_stranger(run: Run) -> None:
    """The names that exist are named."""
    run("init")
    run("keys", "create", "--name", "a")

    assert "there are: a" in run("keys", "revoke", "--name", "b").err
