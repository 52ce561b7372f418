"""``init``, ``doctor``, ``keys``: a data directory, its health, its keys."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from equipoise import __version__
from equipoise.cli.output import DEFAULT_DATA, AsJson, Data, print_json, print_table, say
from equipoise.clock import rfc3339
from equipoise.errors import EquipoiseError
from equipoise.home import Home
from equipoise.log.sqlite import SQLiteLog, sqlite_version
from equipoise.server.keys import Keys
from equipoise.settings import listing
from equipoise.state import snapshot

LOW_SPACE = 2**30


def init(data: Data = DEFAULT_DATA) -> None:
    """Make a data directory."""
    home = Home(data)
    if home.exists:
        say(f"{data} is a data directory already; nothing changed.")
        return
    home.create()
    say(f"Made {data}. Next: `equipoise import … --data {data}`, `equipoise serve --data {data}`.")


def doctor(
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
    settings: Annotated[
        bool, typer.Option("--settings", help="Print every setting and its default.")
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
    action: Annotated[str, typer.Argument(help="list, create or revoke")] = "list",
    name: Annotated[str, typer.Argument(help="the key's name")] = "",
    kind: Annotated[str, typer.Option(help="pk, sk or ak")] = "sk",
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Create, list and revoke API keys. A key is shown once, when it is made."""
    home = Home(data)
    home.secrets()
    stored = Keys(home.keys_file)
    if action == "list":
        rows = [(key.name, key.kind.value, rfc3339(key.created)) for key in stored.list()]
        if as_json:
            print_json([dict(zip(("name", "kind", "created"), row, strict=True)) for row in rows])
        else:
            print_table("Keys", ["name", "kind", "created"], rows)
    elif action == "create" and name:
        typer.echo(stored.make(kind, name))
        say("Keep it now: only its hash is stored.")
    elif action == "revoke" and name:
        stored.revoke(name)
    else:
        raise typer.BadParameter("say `list`, `create NAME --kind sk` or `revoke NAME`")


def _print_settings(home: Home, as_json: bool) -> None:
    rows = list(listing(home.settings()))
    if as_json:
        print_json([dict(zip(("name", "value", "default"), row, strict=True)) for row in rows])
    else:
        print_table(
            "Settings",
            ["name", "value", "default"],
            [(name, value, "" if value == default else default) for name, value, default in rows],
        )


def _examine(home: Home) -> Iterator[tuple[str, bool, str]]:
    yield "python", sys.version_info >= (3, 11), platform.python_version()
    yield "sqlite", True, sqlite_version()
    yield "cores", True, str(os.cpu_count())
    parent = home.folder if home.folder.exists() else home.folder.absolute().parent
    free = shutil.disk_usage(parent if parent.exists() else "/").free
    yield "free space", free > LOW_SPACE, f"{free / 2**30:.1f} GiB"
    for name, check in (
        ("data directory", _check_home),
        ("settings", _check_settings),
        ("log", _check_log),
        ("snapshots", _check_snapshots),
    ):
        try:
            found = check(home)
        except EquipoiseError as error:
            yield name, False, str(error)
        else:
            yield name, True, found


def _check_home(home: Home) -> str:
    home.secrets()
    mode = home.secrets_file.stat().st_mode & 0o077
    return str(home.folder) + (" (secrets.json is readable by others: chmod 600)" if mode else "")


def _check_settings(home: Home) -> str:
    changed = [name for name, value, default in listing(home.settings()) if value != default]
    return f"{len(changed)} differ from the defaults" + (
        f": {', '.join(changed)}" if changed else ""
    )


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
