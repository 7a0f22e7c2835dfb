"""`make demo`: every scene comes out as expected, and one that does not is told by the exit code."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo import scenes
from demo.scenes import Scene, delivery
from demo.screen import Screen, shortened
from demo.stage import ExpectationError, Stage
from tests.processes import ROOT, Spawn


@pytest.mark.parametrize("name", scenes.ALL)
def test_scene_comes_out_as_expected(
    spawn_service: Spawn, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "RESOURCES", 200)  # ten thousand are for people
    service = spawn_service(files_root=tmp_path)

    scenes.ALL[name].play(Stage(service.url, Screen(io.StringIO())))


def test_the_whole_thing_runs_by_itself() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "demo", "sample"], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '{"op": "remove", "path": "/hobbies/2"},' in ran.stdout
    assert "\x1b" not in ran.stdout, "colour is for terminals"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param('"$0" -m demo sample | head -1', 141, id="read no further"),
        pytest.param('PYTHONIOENCODING=ascii "$0" -m demo sample', 0, id="a terminal without arrows"),
    ],
)
def test_it_ends_without_a_traceback(line: str, code: int) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}", sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (code, "")


def test_an_expectation_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from demo import __main__ as demo  # noqa: PLC0415 - a module that is meant to be run

    def fail(stage: Stage) -> None:
        stage.check("the moon is made of cheese", holds=False)

    monkeypatch.setitem(scenes.ALL, "moon", Scene("The moon", fail))

    assert demo.main(["moon"]) == 1
    assert "✗ the moon is made of cheese" in capsys.readouterr().out


def test_an_unexpected_status_is_told(spawn_service: Spawn) -> None:
    stage = Stage(spawn_service().url, Screen(io.StringIO()))

    with pytest.raises(ExpectationError, match="200 was expected, and 404 came"):
        stage.send("GET", "/nowhere").expect(200)


def test_long_answers_are_shortened() -> None:
    lines = shortened(str(list(range(1000))))

    assert lines[0] == "["
    assert lines[-1] == "… 978 more lines"
