"""The entry of `holdfast`. Commands are listed here and live in `cli/commands/`."""

from importlib import import_module

import typer

from cli.console import CommandError, refuse

COMMANDS = ("mesh", "demo", "customer", "importing", "exporting", "model", "sla", "token")
"""Modules of `cli.commands`, in the order of the help page."""


def build() -> typer.Typer:
    app = typer.Typer(
        name="holdfast",
        help="The customer-experience core of a telecom operator, on this machine.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for name in COMMANDS:
        import_module(f"cli.commands.{name}").register(app)
    return app


def main() -> None:
    """Run the command line; our own refusals become one line and an exit code."""
    try:
        build()()
    except CommandError as error:
        refuse(error)


if __name__ == "__main__":
    main()
