"""The command line: reads the environment once, and hands over to a command."""

import argparse
import os
import signal
import sys
from pathlib import Path

from service.commands import backup, check, contract, keys, serve, version
from service.commands.workers import Inherited
from service.errors import StartError
from service.settings import Settings, SettingsError, describe, load


def main(arguments: list[str] | None = None) -> int:
    """Run `patchbay`; return the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        settings = load(os.environ)
        code = version.show(settings) if asked.version else _run(asked, settings)
        sys.stdout.flush()
    except SettingsError as error:
        print(f"patchbay: {error}", file=sys.stderr)
        return 2
    except StartError as error:
        print(f"patchbay: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        if asked.command in (None, "serve") and not asked.version:
            raise
        # Whoever reads has read enough (`… | head`); at the end Python would flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code


def _run(asked: argparse.Namespace, settings: Settings) -> int:
    match asked.command:
        case "openapi":
            return contract.write_contract()
        case "keys":
            return keys.run(settings, asked)
        case "backup":
            return backup.back_up(settings, asked.file)
        case "restore":
            return backup.restore(settings, asked.file)
        case "check":
            return check.check(settings, repairs=asked.repair)
        case _:
            given = getattr(asked, "inherited", None)
            return serve.serve(settings, inherited=Inherited(*given) if given else None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="patchbay",
        description="Compares JSON documents, stores resources with every change, applies recorded patches.",
        epilog=_settings_table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="store_true", help="tell the version and the diff engine that runs, and end"
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    serving = commands.add_parser("serve", help="listen until stopped (the default)")
    serving.add_argument("--inherited", nargs=2, type=int, help=argparse.SUPPRESS)  # from a parent with workers
    commands.add_parser("openapi", help="write openapi.yaml to standard output")
    for name, text in (("backup", "copy the database to FILE"), ("restore", "put FILE into an empty database")):
        commands.add_parser(name, help=text).add_argument("file", type=Path, metavar="FILE")
    checking = commands.add_parser("check", help="look over the database: histories, identifiers, applications")
    checking.add_argument("--repair", action="store_true", help="mend what follows from the rest: claims, waiting logs")
    keys.add_arguments(commands.add_parser("keys", help="make, list and revoke API keys"))
    return parser


def _settings_table() -> str:
    rows = [f"  {variable:<28} {meaning} [{default}]" for variable, default, meaning in describe()]
    return "settings, as environment variables [default]:\n" + "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
