"""The typed tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.errors import SettingsError
from equipoise.settings import Settings, build, listing, read_settings


def test_nothing_given_is_the_defaults() -> None:
    """No file, no environment: ``Settings()``."""

    assert read_settings(None, {}) == Settings()


def test_environment_wins_over_file_over_default(tmp_path: Path) -> None:
    """Text of the environment is read as the setting's type."""
    file = tmp_path / "settings.toml"
    file.write_text('[server]\nport = 1\nhost = "h"\n[placements.home]\nbudget = 0.02\n')
    settings = read_settings(file, {"EQUIPOISE_SERVER__PORT": "2", "EQUIPOISE_DATA_SETS": "x"})

    assert (settings.server.port, settings.server.host) == (2, "h")
    assert settings.placements["home"].budget == 0.02
    assert settings.placements["home"].sources == Settings().placements["home"].sources
    assert settings.placements["product"] == Settings().placements["product"]


def test_a_new_placement_says_its_sources() -> None:
    """A placement of another name is added to the defaults."""
    settings = build({"placements": {"landing": {"sources": ["trending", "new"]}}})

    assert settings.placements["landing"].sources == ("trending", "new")
    assert "home" in settings.placements


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"server": {"prt": 1}}, "unknown field `prt`.*host, port"),
        ({"serve": {}}, "unknown field `serve`.*shop, server"),
        ({"placements": {"home": {"budgte": 1}}}, "unknown field `budgte`.*sources, policy"),
        ({"server": {"port": "many"}}, r"Expected `int`.*server\.port"),
        ({"placements": {"home": {"sources": ["alss"]}}}, "'alss' is no source.*als, ease"),
        ({"placements": {"home": {"budget": 1.5}}}, "budget is 1.5; it is a share"),
        ({"placements": {"home": {"n": 0}}}, "n is 0; a list has 1 to 100"),
        ({"placements": {"home": {"examination": "dbn"}}}, "is 'dbn'; it is one of auto, position"),
        ({"placements": {"home": 3}}, "Expected `object`"),
        ({"placements": 3}, "Expected `object`"),
        ({"log": {"durability": "maybe"}}, "durability is 'maybe'; it is"),
        ({"credit": {"share": 0}}, r"credit\.share is 0\.0; it is a share above 0"),
        ({"credit": {"share": 1.5}}, r"credit\.share is 1\.5; .* at most 1 \(no cap\)"),
        ({"credit": {"period_days": 0}}, r"credit\.period_days is 0\.0; it is above 0"),
        ({"credit": {"looks_per_person": -1}}, r"credit\.looks_per_person is -1; it is 0 or more"),
    ],
)
def test_what_cannot_be_is_refused_with_the_place(tree: dict[str, object], words: str) -> None:
    """The message names the value, the place and what would be right."""

    with pytest.raises(SettingsError, match=words):
        build(tree)


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    """The file is named."""
    file = tmp_path / "settings.toml"
    file.write_text("[server\n")

    with pytest.raises(SettingsError, match=r"settings\.toml is not TOML"):
        read_settings(file, {})


def test_listing_shows_every_value_and_its_default() -> None:
    """``doctor --settings`` prints this."""
    rows = {
        name: (value, default) for name, value, default in listing(build({"shop": {"name": "X"}}))
    }

    assert rows["shop.name"] == ("X", "My shop")
    assert rows["placements.home.policy"] == ("gittins", "gittins")
