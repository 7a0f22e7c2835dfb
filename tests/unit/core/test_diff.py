import json
from pathlib import Path

from service.core.diff import compare_bytes, diff, diff_bytes
from service.core.options import DiffOptions

SAMPLE = json.loads(Path("tests/cases/compare-sample.json").read_text())


def test_the_documented_sample_is_met_exactly() -> None:
    before, after = json.dumps(SAMPLE["a"]).encode(), json.dumps(SAMPLE["b"]).encode()

    assert json.loads(diff_bytes(before, after)) == SAMPLE["aToB"]
    assert diff(SAMPLE["a"], SAMPLE["b"]) == SAMPLE["aToB"]
    assert not compare_bytes(before, after).bounded


def test_ignored_members_never_appear_and_never_move_an_index() -> None:
    before = {"items": [{"id": 1, "at": 1}, {"id": 2, "at": 2}], "at": 0}
    after = {"items": [{"id": 2, "at": 5}, {"id": 3, "at": 6}]}

    patch = diff(before, after, DiffOptions(ignored_names=frozenset({"at"})))

    assert patch == [
        {"op": "add", "path": "/items/2", "value": {"id": 3}},
        {"op": "remove", "path": "/items/0"},
    ]
