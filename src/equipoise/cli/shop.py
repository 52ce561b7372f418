"""``init``, ``doctor``, ``keys``: a data directory, its health, its keys."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from equipoise import __version__
from equipoise.cli.output import DEFAULT_DATA, AsJson, Data, print_json, say
from equipoise.cli.settings_page import explanation, origins
from equipoise.cli.tables import print_table
from equipoise.clock import rfc3339
from equipoise.errors import EquipoiseError
from equipoise.home import Home
from equipoise.log.sqlite import SQLiteLog, sqlite_version
from equipoise.server.keys import KeyKind, Keys
from equipoise.settings import listing
from equipoise.state import snapshot

LOW_SPACE = 2**30


class Action(StrEnum):
    """What is done with keys."""

    LIST = "list"
    CREATE = "create"
    REVOKE = "revoke"


def init(data: Data = DEFAULT_DATA) -> None:
    """Make a data directory; one that is there already is left alone."""
    home = Home(data)
    if home.exists:
        say(f"{data} is a data directory already; nothing changed.")
        return
    home.create()
    SQLiteLog(home.log).close()
    say(f"Made {data}. Next: `equipoise import … --data {data}`, `equipoise serve --data {data}`.")


def doctor(
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
    settings: Annotated[
        bool,
        typer.Option("--settings", help="Every setting: its value, its origin and what it does."),
    ] = False,
) -> None:
    """Check a data directory and the machine; exit 1 where something needs mending."""
    if settings:
        _print_settings(Home(data), as_json)
        return
    findings = list(_examine(Home(data)))
    if as_json:
        print_json([{"check": c, "ok": ok, "found": found} for c, ok, found in findings])
    else:
        print_table(
            f"equipoise {__version__}",
            ["check", "", "found"],
            [(check, "ok" if ok else "MEND", found) for check, ok, found in findings],
        )
    if not all(ok for _, ok, _ in findings):
        raise typer.Exit(1)


def keys(
    action: Annotated[Action, typer.Argument(help="What to do.")] = Action.LIST,
    name: Annotated[str, typer.Argument(help="The key's name.", show_default=False)] = "",
    named: Annotated[str, typer.Option("--name", help="The same.", show_default=False)] = "",
    kind: Annotated[
        KeyKind, typer.Option(help="pk: for browsers; sk: for servers; ak: for who runs it.")
    ] = KeyKind.SECRET,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Create, list and revoke API keys. A key is shown once, when it is made."""
    home = Home(data)
    home.secrets()
    stored = Keys(home.keys_file)
    if action is Action.LIST:
        _list_keys(stored, as_json)
        return
    if not (name := name or named):
        raise typer.BadParameter(f"name the key to {action}: `keys {action} NAME`")
    if action is Action.REVOKE:
        stored.revoke(name)
        say(f"Revoked {name}; a running server notices within a second.")
        return
    key = stored.make(kind, name)
    if as_json:
        print_json({"name": name, "kind": kind.value, "key": key})
    else:
        typer.echo(key)
    say("Keep it now: only its hash is stored.")


def _list_keys(stored: Keys, as_json: bool) -> None:
    columns = ["name", "kind", "created"]
    rows = [(key.name, key.kind.value, rfc3339(key.created)) for key in stored.list()]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif rows:
        print_table("Keys", columns, rows)
    else:
        say("No keys: the service answers on loopback only, and there to everybody.")


def _print_settings(home: Home, as_json: bool) -> None:
    rows = [
        {
            "name": name,
            "value": value,
            "default": default,
            "from": origin,
            "does": explanation(name),
        }
        for name, value, default, origin in origins(home, os.environ)
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        "Settings",
        ["name", "value", "default", "from", "what it does"],
        [
            (
                row["name"],
                "" if row["value"] is None else row["value"],
                row["default"] if row["default"] != row["value"] else "",
                row["from"],
                row["does"],
            )
            for row in rows
        ],
    )


def _examine(home: Home) -> Iterator[tuple[str, bool, str]]:
    yield "python", sys.version_info >= (3, 11), platform.python_version()
    yield "sqlite", True, sqlite_version()
    yield "cores", True, str(os.cpu_count())
    free = shutil.disk_usage(_there(home)).free
    yield "free space", free > LOW_SPACE, f"{free / 2**30:.1f} GiB"
    for name, check in (
        ("data directory", _check_home),
        ("settings", _check_settings),
        ("keys", _check_keys),
        ("log", _check_log),
        ("snapshots", _check_snapshots),
    ):
        try:
            found = check(home)
        except EquipoiseError as error:
            yield name, False, str(error)
        else:
            yield name, True, found


def _there(home: Home) -> str:
    """The disk that the directory is on, or would be."""
    folder = home.folder.absolute()
    return str(next(place for place in (folder, *folder.parents) if place.exists()))


def _check_home(home: Home) -> str:
    home.secrets()
    if home.secrets_file.stat().st_mode & 0o077:
        raise EquipoiseError(f"{home.secrets_file} can be read by others: chmod 600 it")
    return str(home.folder)


def _check_settings(home: Home) -> str:
    changed = [name for name, value, default in listing(home.settings()) if value != default]
    return f"{len(changed)} differ from the defaults" + (
        f": {', '.join(changed)}" if changed else ""
    )


def _check_keys(home: Home) -> str:
    return f"{len(Keys(home.keys_file))} keys"


def _check_log(home: Home) -> str:
    with SQLiteLog(home.log, read_only=True) as log:
        problems = log.check()
        if problems:
            raise EquipoiseError("; ".join(problems))
        return f"{log.last:,} records"


def _check_snapshots(home: Home) -> str:
    current = snapshot.current(home.snapshots)
    if current is None:
        return "none published yet"
    snapshot.read(home.snapshots, current)
    return current


commands: dict[str, Callable[..., Any]] = {"init": init, "doctor": doctor, "keys": keys}
