"""`python -m demo [scene ...]`: play all scenes, or those named, and exit with 1 when an expectation fails."""

import io
import signal
import sys
import tempfile
from pathlib import Path

from demo import scenes
from demo.running import RunningService, StartFailedError
from demo.screen import Screen
from demo.stage import ExpectationError, Stage
from service.commands import output


def main(names: list[str]) -> int:
    """Play the scenes; return the exit code."""
    unknown = set(names) - set(scenes.ALL)
    if unknown:
        print(f"no such scene: {', '.join(sorted(unknown))}; these are: {', '.join(scenes.ALL)}", file=sys.stderr)
        return 2
    screen = Screen(sys.stdout)
    with tempfile.TemporaryDirectory(prefix="patchbay-demo-") as folder:
        try:
            with RunningService(Path(folder)) as service:
                failed = _play(names or list(scenes.ALL), service.url, screen)
        except StartFailedError as error:
            print(f"demo: the service did not start: {error}", file=sys.stderr)
            return 1
    screen.close(failed)
    return 1 if failed else 0


def _play(names: list[str], url: str, screen: Screen) -> list[str]:
    """Play the scenes one after the other; return those in which something did not come out as it should."""
    failed = []
    for number, name in enumerate(names, 1):
        scene = scenes.ALL[name]
        screen.title(f"{number}. {scene.title}")
        try:
            scene.play(Stage(url, screen))
        except ExpectationError as error:
            screen.failure(str(error))
            failed.append(name)
    return failed


def _on_terminal(names: list[str]) -> int:
    """Play the scenes for people, who may have seen enough before the end."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every terminal has arrows
    try:
        return main(names)
    except BrokenPipeError:
        output.discard()
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print("demo: stopped before the end.", file=sys.stderr)
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(_on_terminal(sys.argv[1:]))
