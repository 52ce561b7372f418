"""The house rules that a reader relies on: imports only downwards, no circle, nothing stray."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "equipoise"

LAYERS = {
    1: {"types", "interfaces", "errors", "randomness", "clock", "codec"},
    2: {
        "intake", "log", "state", "data", "candidates", "recommenders", "ranking", "exploration",
        "slates", "feedback", "evaluation", "testing",
    },
    3: {
        "placements", "plans", "settings", "home", "knowledge", "walk", "engine", "proof",
        "quality", "tuning",
    },
    4: {"server", "console", "cli", "simulation"},
}  # fmt: skip
LAYER = {room: layer for layer, rooms in LAYERS.items() for room in rooms}

BETWEEN_ROOMS = {
    ("intake", "data"),
    ("state", "data"),
    ("recommenders", "data"),
    ("evaluation", "data"),
    ("exploration", "slates"),
    ("feedback", "data"),
    ("feedback", "evaluation"),
    ("feedback", "recommenders"),
    ("feedback", "state"),
    *{("testing", room) for room in LAYERS[2]},
}
"""Rooms of layer 2 that may know one another; all else meets in the engine, as values."""

BETWEEN_FACES = {("cli", "server"), ("cli", "simulation"), ("server", "console")}
"""The command line starts the server and the simulation; the server mounts the console's pages."""

HEAVY = ("numba", "polars", "scipy", "litestar", "uvicorn", "torch", "apsw")


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name:
            yield name, path


FILES = {name for name, _ in modules()}


def imports(path: Path, module: str) -> Iterator[str]:
    """Modules of the package that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import at line {node.lineno}"
            if node.module == "equipoise":
                yield from (alias.name for alias in node.names)
            elif node.module and node.module.startswith("equipoise."):
                within = node.module.removeprefix("equipoise.")
                # ``from room import file`` is an arrow to the file, not to the room's face.
                names = {f"{within}.{alias.name}" for alias in node.names}
                yield from names & FILES or {within}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("equipoise."):
                    yield alias.name.removeprefix("equipoise.")


def arrows() -> set[tuple[str, str]]:
    return {
        (module, target)
        for module, path in modules()
        for target in imports(path, module)
        if target != "__version__"
    }


def test_every_room_has_a_floor() -> None:
    """A new room must be given its layer here before anything may live in it."""
    rooms = {module.split(".")[0] for module, _ in modules()}

    assert rooms <= set(LAYER), rooms - set(LAYER)


def test_imports_only_downwards() -> None:
    """No arrow runs back up, and rooms of one layer know each other only where it is written."""
    wrong = []
    for module, target in arrows():
        here, there = module.split(".")[0], target.split(".")[0]
        if here == there:
            continue
        up = LAYER[there] > LAYER[here]
        stranger = LAYER[here] == LAYER[there] == 2 and (here, there) not in BETWEEN_ROOMS
        face = LAYER[here] == LAYER[there] == 4 and (here, there) not in BETWEEN_FACES
        if up or stranger or face:
            wrong.append(f"{module} -> {target}")

    assert not wrong, sorted(wrong)


def test_no_circles() -> None:
    """No file can reach itself by imports."""
    graph: dict[str, set[str]] = {}
    for module, target in arrows():
        found = target if target in FILES else target.rpartition(".")[0]
        if found and found != module:
            graph.setdefault(module, set()).add(found)
    state: dict[str, int] = {}

    def visit(node: str, path: list[str]) -> None:
        state[node] = 1
        for following in sorted(graph.get(node, ())):
            assert state.get(following) != 1, " -> ".join([*path, node, following])
            if following not in state:
                visit(following, [*path, node])
        state[node] = 2

    for module in sorted(graph):
        if module not in state:
            visit(module, [])


@pytest.mark.parametrize(
    ("pattern", "allowed", "why"),
    [
        (r"default_rng|np\.random\.(seed|rand|choice|normal)|\brandom\.Random\b|^import random",
         {"randomness"}, "generators are derived in randomness.py"),
        (r"\btime\.time(_ns)?\(|datetime\.(now|utcnow|today)\(|perf_counter|time\.monotonic",
         {"clock"}, "the time comes from clock.py"),
        (r"\b(pickle|joblib|dill|cloudpickle|shelve)\b", set(), "nothing is pickled"),
        (r"(?<![\w.])(eval|exec)\(", set(), "nothing is evaluated from text"),
        (r"allow_pickle=True", set(), "arrays are plain"),
    ],
)  # fmt: skip
def test_nothing_stray(pattern: str, allowed: set[str], why: str) -> None:
    """What would break replay or safety stays in the one file that is for it."""
    found = [
        f"{module}:{number}: {line.strip()}"
        for module, path in modules()
        if module not in allowed
        for number, line in enumerate(code_lines(path), start=1)
        if re.search(pattern, line)
    ]

    assert not found, f"{why}: {found}"


def code_lines(path: Path) -> list[str]:
    """The file without its strings and comments, so that prose may name what code may not."""
    text = path.read_text()
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    return [line.split("  #")[0] if "#" in line else line for line in lines]


def test_import_is_light() -> None:
    """``import equipoise`` loads nothing heavy."""
    code = f"import sys, equipoise; print([m for m in {HEAVY!r} if m in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"


def test_no_extra_at_start() -> None:
    """No file of the package imports an optional dependency when it is loaded."""
    extras = {"torch", "onnxruntime", "usearch", "faiss", "confluent_kafka", "redis", "psycopg",
              "ray", "lightgbm", "optuna", "opendp", "jieba", "pandas", "pyarrow"}  # fmt: skip
    found = []
    for module, path in modules():
        for node in ast.parse(path.read_text()).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            found += [f"{module}: {n}" for n in names if n.split(".")[0] in extras]

    assert not found
