"""``equipoise COMMAND``: exit 0 on success, 2 on bad usage, 1 on failure with one clear line."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from equipoise import __version__
from equipoise.cli.ask import commands as asking
from equipoise.cli.bring import commands as bringing
from equipoise.cli.learn import commands as learning
from equipoise.cli.ope import commands as proving
from equipoise.cli.output import complain
from equipoise.cli.serve import commands as serving
from equipoise.cli.shop import commands as keeping
from equipoise.cli.simulate import commands as simulating
from equipoise.cli.tune import commands as tuning
from equipoise.errors import EquipoiseError

COMMANDS = {
    **keeping,
    **bringing,
    **learning,
    **tuning,
    **proving,
    **asking,
    **simulating,
    **serving,
}

app = typer.Typer(
    name="equipoise",
    help="A recommender you run yourself that knows what it does not know yet.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, command in COMMANDS.items():
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
        app(prog_name="equipoise")
    except EquipoiseError as error:
        complain(str(error))
        sys.exit(1)
    except OSError as error:
        # The system refused: no such folder, no right to write, no space.
        complain(": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
        sys.exit(1)


if __name__ == "__main__":
    main()
