"""The settings: one typed tree, read once from TOML and the environment. No room knows it.

Table path = module path, key = constructor keyword. ``EQUIPOISE_SERVER__PORT=8080`` sets
``[server] port``. An unknown name is refused with the names that exist.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import field

from equipoise.errors import SettingsError
from equipoise.feedback.flight import RULES, Windows
from equipoise.placements import EXAMINATION as EXAMINATION
from equipoise.placements import SOURCES as SOURCES
from equipoise.placements import (
    ItemGroup,
    PlacementAttribution,
    Segment,
    check_placement,
    default_placements,
    flat,
)
from equipoise.placements import Placement as Placement
from equipoise.placements import Table as Table
from equipoise.placements import bounds as bounds

ENVIRONMENT_PREFIX = "EQUIPOISE_"
NOT_SETTINGS = frozenset({"EQUIPOISE_DATA_SETS", "EQUIPOISE_CACHE"})
"""Variables of the same prefix that say where things lie, not how the service behaves."""


class Shop(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the shop is."""

    name: str = "My shop"
    """As storefront and console show it."""
    currency: str = "EUR"
    """ISO 4217: the unit of every worth, cost and budget."""
    default_language: str = "en"
    """BCP 47: of titles, where an item has several."""
    personalization_default: bool = True
    """Whether a shopper who was never asked may be personalised."""


class Server(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The HTTP service."""

    host: str = "127.0.0.1"
    """Address to bind; any but loopback needs keys."""
    port: int = 8765
    """Port to bind."""
    max_body_kb: int = 500
    """Largest body of a request, unpacked."""
    requests_per_second: float = 2_000.0
    """By key and client network; short bursts of ``burst`` pass."""
    burst: int = 4_000
    """Requests that may come at once."""
    token_lifetime_hours: float = 24.0
    """How long after a list was served a click on it may still teach."""


class LogSettings(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The event log (``equipoise.log.sqlite``)."""

    durability: str = "power-loss"
    """``power-loss`` or ``process``: what an acknowledged event survives."""
    seal_after_days: int = 2
    """Whole days older than this move into Parquet segments."""


class WorthSettings(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an outcome is worth, in the shop's currency (``equipoise.ranking.value``)."""

    click: float = 0.05
    """Of a slot's click."""
    add_to_cart: float = 0.50
    """Of a cart that follows it, on top."""
    purchase: float = 2.00
    """Of an order that follows it, on top."""


class AttributionSettings(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which decision earned it (``equipoise.feedback.attribution``)."""

    click_window_s: float = 1_800.0
    """A slot shown for longer than this without a click counts as looked at and left."""
    purchase_window_s: float = 86_400.0
    """How long after its click a slot may still earn a cart or an order."""
    rule: str = "last_touch"
    """Who earns a cart or an order without a token, of the slots of that item that its person
    clicked within the window: ``last_touch``, ``first_touch``, or ``linear``, all in equal parts.
    Where placements differ, the rule of the one touched last holds."""


class CreditSettings(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose clicks may teach, and how many of them (``equipoise.feedback.credit``)."""

    period_days: float = 7.0
    """Days after which all caps count afresh."""
    clicks_per_person: int = 1
    """Clicks on one item that one person is credited with in a period; 0: no cap."""
    looks_per_person: int = 20
    """Looks at one item, in the same way."""
    clicks_per_network: int = 5
    """Clicks on one item that a network (/24, /48) may always have in a period; 0: no cap."""
    looks_per_network: int = 100
    """Looks at one item, in the same way."""
    share: float = 0.1
    """What a network may have beyond that, as a share of all that the item is credited with; and
    what all lists that browsers filter or boost may have together; 1: no cap."""
    views_per_person: int = 2
    """Views and carts of one item, sent by a browser, that one person adds to what is in demand."""
    views_per_network: int = 10
    """The same for a network, and more as far as ``share`` goes."""
    quarantine_s: float = 0.0
    """How long every click and look waits before it teaches."""
    burst_clicks: int = 20
    """Clicks on one item within an hour that are never suspicious; 0: nothing is."""
    burst_factor: float = 10.0
    """More clicks than that are held if they are more than this many times what was expected."""
    hold_hours: float = 24.0
    """How long they may be held, before they are withheld for good."""
    rows_kept: int = 200_000
    """Persons and networks, each with an item, that the caps remember; some 0.25 KB each."""


class ProfileSettings(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long what a shopper did stays interesting (``equipoise.state``)."""

    interest_half_life_days: float = 14.0
    """Days after which a shopper's interest in a category has halved."""
    trend_half_life_days: float = 7.0
    """Days after which what is popular now has halved."""
    history_length: int = 100
    """Items that are remembered of a shopper."""


class Ranking(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The reward model (``equipoise.ranking.model``)."""

    click_rate: float = 0.03
    """Clicks a look that are expected of an unknown item, before the log says better."""
    carts_per_click: float = 0.15
    """Carts that are expected of a click."""
    orders_per_click: float = 0.05
    """Orders that are expected of a click."""
    item_looks: float = 60.0
    """Looks after which an item's own clicks weigh as much as its category's."""
    category_looks: float = 200.0
    """Looks after which a category's clicks weigh as much as the whole shop's."""
    overall_looks: float = 500.0
    """Looks after which the shop's clicks weigh as much as ``click_rate``."""
    item_clicks: float = 40.0
    """Clicks after which what an item's clicks earned weighs as much as its category's."""
    category_clicks: float = 100.0
    """The same for a category against the shop."""
    overall_clicks: float = 100.0
    """The same for the shop against what is expected of a click."""
    click_memories_days: tuple[float, ...] = (3.0, 12.0, 48.0)
    """Half-lives of what clicks taught of items, beside a memory that keeps all; each is trusted as
    well as it foretold. None: nothing is forgotten."""
    memory_looks: float = 1_000_000.0
    """Looks after which the lift's longest memory has lost half; the log weighs shorter ones."""


class Exploration(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the balance moves (``equipoise.exploration.balance``)."""

    half_life: float = 1_000.0
    """Decisions after which one counts half in what is measured."""
    step: float = 0.005
    """How far the balance moves at a decision that spends twice its budget."""
    planning_days: float = 30.0
    """For how long it matters to have found a good item: policy ``gittins`` explores for that."""
    level_max: float = 1.0
    """The highest level; 1 is a policy's natural amount."""
    alarm_keep: float = 0.2
    """What remains known of the items of a category whose clicks have changed; 1: it is only told.
    """
    level_start: float = 1.0
    """The level before anything is measured."""


class Training(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``equipoise train`` (``equipoise.feedback.training``)."""

    recommenders: tuple[str, ...] = ("popularity", "item_knn", "als", "ease", "content")
    holdout_days: float = 7.0
    tolerance: float = 0.02
    """How much worse (relative nDCG) than the live snapshot a new one may be, not to be refused."""
    keep: int = 5
    """Snapshots kept on disk."""


class Settings(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    shop: Shop = field(default_factory=Shop)
    server: Server = field(default_factory=Server)
    log: LogSettings = field(default_factory=LogSettings)
    worth: WorthSettings = field(default_factory=WorthSettings)
    attribution: AttributionSettings = field(default_factory=AttributionSettings)
    credit: CreditSettings = field(default_factory=CreditSettings)
    profiles: ProfileSettings = field(default_factory=ProfileSettings)
    ranking: Ranking = field(default_factory=Ranking)
    exploration: Exploration = field(default_factory=Exploration)
    placements: dict[str, Placement] = field(default_factory=default_placements)
    training: Training = field(default_factory=Training)
    recommenders: dict[str, dict[str, Any]] = field(default_factory=dict)
    """``[recommenders.als] factors = 64``: keywords of the constructors."""


def read_settings(
    path: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Defaults, over them the file (if it exists), over them the environment.

    Raises:
        SettingsError: a name, type or value that cannot be; the message names the place.
    """
    tree = _read_toml(path) if path is not None and path.exists() else {}
    for keys, value in _from_environment(os.environ if environment is None else environment):
        _put(tree, keys, value)
    return build(tree)


def build(tree: dict[str, Any]) -> Settings:
    """Settings from a plain tree; a placement named in it starts from the default of that name."""
    merged = dict(tree)
    merged["placements"] = _merged_placements(tree.get("placements", {}))
    try:
        settings = msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"settings: {error}{_names_hint(str(error))}") from error
    _check(settings)
    return settings


def listing(settings: Settings) -> Iterator[tuple[str, Any, Any]]:
    """(path, value, default) of every setting."""
    defaults = flat(msgspec.to_builtins(Settings()))
    for path, value in flat(msgspec.to_builtins(settings)).items():
        yield path, value, defaults.get(path)


def attribution_of(settings: Settings, placement: str) -> AttributionSettings:
    """Windows and rule of a placement: its own where it names them, else the shop's."""
    chosen = settings.placements.get(placement)
    own = chosen.attribution if chosen is not None else None
    named = {} if own is None else msgspec.structs.asdict(own)
    given = {name: value for name, value in named.items() if value is not None}
    return msgspec.structs.replace(settings.attribution, **given)


def windows_of(settings: Settings) -> dict[str, Windows]:
    """The same for every placement that has its own, as rooms take it."""
    return {
        name: Windows(
            click_ms=round(chosen.click_window_s * 1_000),
            purchase_ms=round(chosen.purchase_window_s * 1_000),
            rule=chosen.rule,
        )
        for name, placement in settings.placements.items()
        if placement.attribution is not None
        for chosen in (attribution_of(settings, name),)
    }


def clickable_ms(settings: Settings) -> int:
    """After which no list of any placement can be clicked any more: it is seen, then clicked."""
    names = ("", *settings.placements)
    return round(2_000 * max(attribution_of(settings, name).click_window_s for name in names))


def patience_ms(settings: Settings) -> int:
    """After which no verdict on a slot can come any more, of any placement: a list is then over."""
    held = settings.credit.quarantine_s + settings.credit.hold_hours * 3_600
    return clickable_ms(settings) + round(held * 1_000)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} is not TOML: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
    for name, value in sorted(environment.items()):
        if name.startswith(ENVIRONMENT_PREFIX) and name not in NOT_SETTINGS and "__" in name:
            yield name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__"), value


def _put(tree: dict[str, Any], keys: list[str], value: str) -> None:
    *path, last = keys
    for key in path:
        tree = tree.setdefault(key, {})
    tree[last] = value


def _merged_placements(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    merged: dict[str, Any] = msgspec.to_builtins(default_placements())
    for name, table in given.items():
        merged[name] = {**merged.get(name, {}), **table} if isinstance(table, dict) else table
    return merged


def _names_hint(message: str) -> str:
    if "unknown field" not in message:
        return ""
    path = message.partition("at `$")[2].strip("`").removeprefix(".")
    table = _table_at(path)
    return f"; the names here are {', '.join(table.__struct_fields__)}" if table else ""


def _table_at(path: str) -> type[Table] | None:
    if not path:
        return Settings
    if path.startswith("placements"):
        of: dict[str, type[Table]] = {
            ".segments[": Segment, ".groups[": ItemGroup, ".attribution": PlacementAttribution,
        }  # fmt: skip
        return next((of[part] for part in of if part in path), Placement)
    found = getattr(Settings(), path.split(".", maxsplit=1)[0], None)
    return type(found) if isinstance(found, Table) else None


def _check(settings: Settings) -> None:
    _check_attribution("attribution", settings.attribution)
    for name, placement in settings.placements.items():
        check_placement(name, placement)
        _check_attribution(f"placements.{name}.attribution", attribution_of(settings, name))
    _check_credit(settings.credit)
    keep = settings.exploration.alarm_keep
    if not 0 <= keep <= 1:
        raise SettingsError(f"exploration.alarm_keep is {keep}; it is a share from 0 to 1")
    lives = settings.ranking.click_memories_days
    if any(not 0.0 < life < math.inf for life in lives) or sorted(set(lives)) != list(lives):
        raise SettingsError(
            f"ranking.click_memories_days is {list(lives)}; days, rising from above 0"
        )
    if settings.log.durability not in ("power-loss", "process"):
        raise SettingsError(
            f"log.durability is {settings.log.durability!r}; it is 'power-loss' or 'process'"
        )


def _check_attribution(path: str, chosen: AttributionSettings) -> None:
    for name in ("click_window_s", "purchase_window_s"):
        seconds = getattr(chosen, name)
        if not 0.001 <= seconds < math.inf:
            raise SettingsError(f"{path}.{name} is {seconds}; it is seconds, 0.001 or more")
    if chosen.rule not in RULES:
        raise SettingsError(f"{path}.rule is {chosen.rule!r}; it is one of {', '.join(RULES)}")


def _check_credit(credit: CreditSettings) -> None:
    if not 0 < credit.share <= 1:
        raise SettingsError(
            f"credit.share is {credit.share}; it is a share above 0 and at most 1 (no cap)"
        )
    for name in CreditSettings.__struct_fields__:
        value = getattr(credit, name)
        above = name in ("period_days", "rows_kept")
        if value < 0 or (above and not value):
            raise SettingsError(
                f"credit.{name} is {value}; it is {'above 0' if above else '0 or more'}"
            )
