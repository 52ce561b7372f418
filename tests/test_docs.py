"""Documentation cannot drift: its code runs, its commands parse, its lists are complete."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from equipoise.cli.main import COMMANDS, app
from equipoise.cli.settings_page import page
from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.exploration import POLICIES
from equipoise.recommenders import ALL
from equipoise.settings import Settings, listing

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [path.name for path in PAGES]


def text_of(name: str) -> str:
    return next(path for path in PAGES if path.name == name).read_text()


@pytest.mark.parametrize("name", NAMES)
def test_python_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ``python`` block of a page, from top to bottom, in one namespace."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", text_of(name), re.S | re.M)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"{name}, block {number}", "exec"), namespace)

    assert len(blocks) == text_of(name).count("```python\n")


def typed(text: str) -> list[list[str]]:
    """What the page tells its reader to type: after a prompt, or in code between the words."""
    prompts = re.findall(r"^\$ (?:.*?&& )?equipoise (.*)$", text, re.M)
    inline = re.findall(r"`equipoise ([^`\n]*)`", text)
    return [shlex.split(words.rstrip(" &"), comments=True) for words in prompts + inline]


@pytest.mark.parametrize("name", NAMES)
def test_commands_parse(name: str) -> None:
    """No page tells its reader to type what does not exist."""
    group = typer.main.get_command(app)
    for words in typed(text_of(name)):
        if words[:1] in ([], ["--help"], ["--version"], ["COMMAND"]):
            continue
        command = group.commands[words[0]]  # type: ignore[attr-defined]
        given = [word for word in words[1:] if word != "…"]
        try:
            command.make_context(words[0], given, resilient_parsing=False)
        except click.exceptions.Exit:
            continue


def test_every_command_and_option_is_described() -> None:
    """In ``docs/cli.md``, with all that its ``--help`` offers."""
    text, group = text_of("cli.md"), typer.main.get_command(app)
    missing = [
        f"{name} {option}"
        for name, command in group.commands.items()  # type: ignore[attr-defined]
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option not in ("--help", "--browser") and option not in text
    ]

    assert [name for name in COMMANDS if f"`{name}" not in text] == []
    assert missing == []


def test_settings_page_is_not_stale() -> None:
    """``python -m equipoise.cli.settings_page`` writes it anew."""

    assert text_of("settings.md") == page()


def test_every_setting_is_described() -> None:
    """By its table and its name."""
    text = text_of("settings.md")
    missing = []
    for path, _, _ in listing(Settings()):
        table, *rest = path.split(".")
        head = "[placements.NAME]" if table == "placements" else f"[{table}"
        section = text.partition(f"## `{head}")[2].partition("\n## ")[0]
        if not section or (rest and f"| `{rest[-1]}` |" not in section):
            missing.append(path)

    assert missing == []


def test_every_recommender_is_described() -> None:
    """By the name that settings and commands know it by, and by its class."""
    text = text_of("recommenders.md")

    assert [cls.name for cls in ALL if f"`{cls.name}`" not in text] == []


def test_every_policy_is_described() -> None:
    """In the table of policies."""
    text = text_of("exploration.md")

    assert [policy.name for policy in POLICIES if f"| `{policy.name}` |" not in text] == []


def test_every_route_is_described() -> None:
    """Of the OpenAPI document, by its path."""
    if "api.md" not in NAMES:
        pytest.skip("there is no docs/api.md; the service documents itself at /docs")
    from litestar.testing import TestClient

    from equipoise.server.app import create_app
    from equipoise.server.live import Live

    live = Live(Engine.in_memory(clock=ManualClock()))
    with TestClient(create_app(live)) as client:
        paths = client.get("/openapi.json").json()["paths"]

    assert [path for path in paths if path not in text_of("api.md")] == []


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    """Files of the repository, and headings of the same page."""
    path = next(page for page in PAGES if page.name == name)
    text = path.read_text()
    heads = {
        re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-")
        for head in re.findall(r"^#+ (.*)$", text, re.M)
    }
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in heads, target
        elif "://" not in target:
            assert (path.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("name", NAMES)
def test_pages_speak_of_no_machine(name: str) -> None:
    """Paths of whoever wrote them."""

    assert re.findall(r"(?<![\w.~])/(?:work|tmp|home|root|Users)/", text_of(name)) == []
