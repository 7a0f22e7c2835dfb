"""The command line: reads the environment once, and hands over to a command."""

import argparse
import os
import sys

from service import __version__
from service.settings import SettingsError, describe, load


def main(arguments: list[str] | None = None) -> int:
    """Run `patchbay`; return the exit code."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.command == "openapi":
        from service.commands.contract import write_contract  # noqa: PLC0415 - each command loads what it needs

        return write_contract()
    try:
        settings = load(os.environ)
    except SettingsError as error:
        print(f"patchbay: {error}", file=sys.stderr)
        return 2
    from service.commands.serve import serve  # noqa: PLC0415

    return serve(settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="patchbay",
        description="Compares JSON documents, stores resources with every change, applies recorded patches.",
        epilog=_settings_table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"patchbay {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("serve", help="listen until stopped (the default)")
    commands.add_parser("openapi", help="write openapi.yaml to standard output")
    return parser


def _settings_table() -> str:
    rows = [f"  {variable:<28} {meaning} [{default}]" for variable, default, meaning in describe()]
    return "settings, as environment variables [default]:\n" + "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
