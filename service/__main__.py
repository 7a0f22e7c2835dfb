"""The command line: reads the environment once, and hands over to a command.

Each command is imported when it is called for: most need neither the web server nor the contract, which take longest.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from service.commands import keys, output
from service.errors import StartError, StoreUnavailableError
from service.settings import Settings, SettingsError, describe, load


def main(arguments: list[str] | None = None) -> int:
    """Run `patchbay`; return the exit code."""
    asked = _parser().parse_args(arguments)
    serves = asked.command in (None, "serve") and not asked.version
    try:
        settings = load(os.environ)
        output.prepare(needed=not serves)
        return _serve(settings, asked) if serves else _carry_out(settings, asked)
    except SettingsError as error:
        why, code = str(error), 2
    except StartError as error:
        why, code = str(error), 1
    except StoreUnavailableError as error:
        why, code = error.detail, 1
    except KeyboardInterrupt:
        why, code = "stopped before the end.", 128 + signal.SIGINT
    print(f"patchbay: {why}", file=sys.stderr)
    return code


def _serve(settings: Settings, asked: argparse.Namespace) -> int:
    from service.commands import serve, workers

    given = getattr(asked, "inherited", None)
    return serve.serve(settings, inherited=workers.Inherited(*given) if given else None)


def _carry_out(settings: Settings, asked: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, _end_as_ctrl_c_does)
    try:
        code = _command(settings, asked)
        sys.stdout.flush()
    except BrokenPipeError:
        output.discard()  # whoever reads has read enough (`… | head`)
        return 128 + signal.SIGPIPE
    except OSError as error:
        output.discard()
        raise StartError(f"broken off ({error.strerror or error}): mend that, and run it again.") from error
    return code


def _end_as_ctrl_c_does(_number: int, _frame: object) -> None:
    """On SIGTERM too, a command puts back what it changed for a while and leaves nothing half-written."""
    signal.raise_signal(signal.SIGINT)


def _command(settings: Settings, asked: argparse.Namespace) -> int:
    match "version" if asked.version else asked.command:
        case "version":
            from service.commands import version

            return version.show(settings)
        case "openapi":
            from service.commands import contract

            return contract.write_contract()
        case "keys":
            return keys.run(settings, asked)
        case "backup":
            from service.commands import backup

            return backup.back_up(settings, asked.file)
        case "restore":
            from service.commands import backup

            return backup.restore(settings, asked.file)
        case _:
            from service.commands import check

            return check.check(settings, repairs=asked.repair)


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
