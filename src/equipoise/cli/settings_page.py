"""What each setting does, from the docstrings of ``settings.py``; the page ``docs/settings.md``.

``python -m equipoise.cli.settings_page``, from the root of the repository, writes it anew; a test
fails where it is stale.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from equipoise import placements
from equipoise import settings as module
from equipoise.exploration import POLICIES
from equipoise.home import Home
from equipoise.recommenders import ALL
from equipoise.settings import SOURCES, Placement, Settings, Table, listing, read_settings

INTRODUCTION = """\
# Settings

*Made by `python -m equipoise.cli.settings_page` from the docstrings of `settings.py`.*

What a shop chooses stands in `settings.toml` of its data directory, or in the environment, which
wins: `EQUIPOISE_SERVER__PORT=8080` sets `[server] port`. What is not named keeps its default; an
unknown name is refused with the names that exist. `equipoise doctor --settings` prints every value
and where it came from. Settings are read once, at start. After a change of anything but `[server]`
the next start reads the whole log again: what is known depends on them.
"""

PLACES = """
## Not settings

`EQUIPOISE_DATA_SETS` names the folder of the data sets' archives (`NAME.tar.xz`),
`EQUIPOISE_CACHE` where they are unpacked (default `~/.cache/equipoise/data-sets`). They say where
things lie, not how the service behaves.
"""


def explanations() -> dict[str, str]:
    """What each setting does, by its path; ``placements.*.budget`` for every placement's."""
    found: dict[str, str] = {}
    docs = _attribute_docs()
    for table, prefix in _tables():
        for name in table.__struct_fields__:
            found[f"{prefix}.{name}"] = docs.get((table.__name__, name), "")
    return found


def explanation(path: str) -> str:
    """What the setting of this path does; empty where its table says it all."""
    kind, _, rest = path.partition(".")
    if kind == "placements":
        path = f"placements.*.{rest.split('.')[1]}"
    return explanations().get(path, "")


def origins(home: Home, environment: Mapping[str, str]) -> Iterator[tuple[str, Any, Any, str]]:
    """(path, value, default, where the value comes from) of every setting."""
    filed = dict(_values(read_settings(home.settings_file, {})))
    for path, value, default in listing(read_settings(home.settings_file, environment)):
        if path not in filed or filed[path] != value:
            yield path, value, default, "environment"
        else:
            yield path, value, default, "default" if value == default else "settings.toml"


def page() -> str:
    """``docs/settings.md``."""
    parts = [INTRODUCTION]
    for table, prefix in _tables():
        head = f"## `[{prefix.replace('*', 'NAME')}]`"
        parts.append(f"{head}\n\n{_plain(inspect.getdoc(table) or '')}\n\n{_rows(table, prefix)}")
        if table is Placement:
            parts.append(_default_placements())
    parts.append(_recommenders())
    return "\n".join(parts) + PLACES


def _tables() -> Iterator[tuple[type[Table], str]]:
    """The tables of the tree, with their paths, in the order of the file."""
    hints = msgspec.structs.fields(Settings)
    for field in hints:
        if field.name == "placements":
            yield Placement, "placements.*"
        elif inspect.isclass(field.type) and issubclass(field.type, Table):
            yield field.type, field.name


@cache
def _attribute_docs() -> dict[tuple[str, str], str]:
    """The string that follows an attribute, by (class, attribute)."""
    found = {}
    files = (module, placements)
    for node in (node for file in files for node in ast.parse(inspect.getsource(file)).body):
        if isinstance(node, ast.ClassDef):
            for line, following in zip(node.body, node.body[1:], strict=False):
                if isinstance(line, ast.AnnAssign) and _is_text(following):
                    text = following.value.value  # type: ignore[attr-defined]
                    found[node.name, ast.unparse(line.target)] = _plain(text)
    return found


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _plain(text: str) -> str:
    """One line of Markdown."""
    return " ".join(text.replace("``", "`").split())


def _rows(table: type[Table], prefix: str) -> str:
    lines = ["| setting | default | what it does |", "| --- | --- | --- |"]
    for field in msgspec.structs.fields(table):
        default = "*to be named*" if field.required else f"`{_toml(_default(field))}`"
        lines.append(f"| `{field.name}` | {default} | {explanations()[f'{prefix}.{field.name}']} |")
    return "\n".join(lines) + "\n"


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _default_placements() -> str:
    lines = [
        f"The sources are {_named(SOURCES)}; the policies {_named(p.name for p in POLICIES)}.",
        "Every shop has these placements; a table of the same name changes what it names.",
        "",
    ]
    for name, placement in Settings().placements.items():
        lines.append(f"- `{name}`: {placement.n} items from {_named(placement.sources)}")
    return "\n".join(lines) + "\n"


def _named(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _recommenders() -> str:
    lines = [
        "## `[recommenders.NAME]`",
        "",
        "Keywords of the constructors (`docs/recommenders.md`).",
        "",
    ]
    lines += ["| recommender | keywords and their defaults |", "| --- | --- |"]
    for cls in ALL:
        keywords = [
            f"`{name} = {_toml(parameter.default)}`"
            for name, parameter in inspect.signature(cls).parameters.items()
            if name != "random_state"
        ]
        lines.append(f"| `{cls.name}` | {', '.join(keywords) or '–'} |")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A default as a settings file would say it."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case dict():
            pairs = ", ".join(f"{name} = {_toml(inner)}" for name, inner in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case _:
            return str(value)


def _values(settings: Settings) -> Iterator[tuple[str, Any]]:
    for path, value, _ in listing(settings):
        yield path, value


if __name__ == "__main__":
    Path("docs/settings.md").write_text(page(), encoding="utf-8")
