"""The data directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.errors import SettingsError
from equipoise.home import Home


def test_created_once(tmp_path: Path) -> None:
    """A second ``create`` keeps the secrets: without them no old decision could be replayed."""
    home = Home(tmp_path / "shop").create()
    first = home.secrets()

    assert home.create().secrets() == first
    assert len(first.token_secret) == 32
    assert home.secrets_file.stat().st_mode & 0o777 == 0o600
    assert Home(tmp_path / "other").create().secrets() != first


def test_a_stranger_directory_is_refused(tmp_path: Path) -> None:
    """The message says how to make one."""

    with pytest.raises(SettingsError, match="not an Equipoise data directory; `equipoise init"):
        Home(tmp_path).secrets()


@pytest.mark.parametrize("text", ["{", "{}", '{"root_seed": 1, "token_secret": "zz"}'])
def test_damaged_secrets_are_named(tmp_path: Path, text: str) -> None:
    """Never a new secret in silence."""
    home = Home(tmp_path).create()
    home.secrets_file.write_text(text)

    with pytest.raises(SettingsError, match=r"secrets\.json is damaged.*backup"):
        home.secrets()
