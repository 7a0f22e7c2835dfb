"""Real documents from outside, compared by upload; the patch applied by a library that is not ours."""

import json
from pathlib import Path
from typing import Any

import jsonpatch

from demo.stage import Stage

TITLE = "Real documents, and an independent judge"

_DATA = Path(__file__).parents[1] / "data"
_PAIRS = (
    ("memory", "two versions of MDN's data on WebAssembly.Memory"),
    ("mime", "two versions of the media types in mime-db"),
)


def play(stage: Stage) -> None:
    """Compare each pair in both directions and let the library `jsonpatch` apply what comes back."""
    for name, what in _PAIRS:
        before, after = _DATA / f"{name}-before.json", _DATA / f"{name}-after.json"
        stage.say(f"{what[:1].upper()}{what[1:]}, uploaded as files.")
        forth = stage.upload("/api/json/v1/patch", {"a": before, "b": after}).expect(200)
        _judge(stage, before, forth.json, after)
        back = stage.upload("/api/json/v1/patch", {"a": before, "b": after, "patchDirection": "bToA"}).expect(200)
        _judge(stage, after, back.json, before)


def _judge(stage: Stage, source: Path, patch: list[dict[str, Any]], target: Path) -> None:
    given = jsonpatch.apply_patch(json.loads(source.read_bytes()), patch)
    wanted = json.loads(target.read_bytes())
    same = json.dumps(given, sort_keys=True) == json.dumps(wanted, sort_keys=True)
    stage.check(f"{len(patch)} operations turn {source.name} into {target.name}", holds=same)
