"""``equipoise COMMAND``: exit 0 on success, 2 on bad usage, 1 on failure with one clear line."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from equipoise import __version__
from equipoise.cli.ask import commands as asking
from equipoise.cli.bring import commands as bringing
from equipoise.cli.learn import commands as learning
from equipoise.cli.output import complain
from equipoise.cli.serve import commands as serving
from equipoise.cli.shop import commands as keeping
from equipoise.errors import EquipoiseError

app = typer.Typer(
    name="equipoise",
    help="A recommender you run yourself that knows what it does not know yet.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (keeping, bringing, learning, asking, serving):
    for name, command in group.items():
        app.command(name)(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"equipoise {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """A recommender you run yourself that knows what it does not know yet."""


def main() -> None:
    """The console script. What went wrong on purpose is one line; a bug keeps its traceback."""
    try:
        app()
    except EquipoiseError as error:
        complain(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
