"""Deltas, merges, grafts and asynchronous calls, each feeding the next."""

import time
from typing import Any
from urllib.parse import urlsplit

from demo.stage import Stage

TITLE = "Deltas, merges with conflicts, grafts, and calls that run by themselves"

_ROUTE = "/api/json/v1"
_ANCESTOR = {"name": "Foot clinic", "phone": "1111", "staff": [{"id": 1, "role": "nurse"}, {"id": 2, "role": "doctor"}]}
_EDIT1 = {
    "name": "Foot clinic",
    "phone": "2222",
    "staff": [{"id": 2, "role": "doctor"}, {"id": 1, "role": "head nurse"}],
}
_EDIT2 = {"name": "Foot & Ankle", "phone": "3333", "staff": [{"id": 1, "role": "nurse"}]}


def play(stage: Stage) -> None:
    """Compare, merge, graft, and do it again as a job."""
    delta = _compare(stage)
    _merge(stage)
    _graft(stage, delta)
    _defer(stage)


def _compare(stage: Stage) -> Any:
    stage.say("Laid over one another; the records were shuffled, and only what changed in them is marked.")
    answer = stage.send("POST", f"{_ROUTE}/compare", _inline(a=_ANCESTOR, b=_EDIT1)).expect(200)
    delta = answer.json["dx_deltaJSON"]["dx_deltaJSON_delta"]
    role = {"dx_delta": {"A": "nurse", "B": "head nurse"}}
    stage.check(
        "one role changed, and no item moved",
        holds=delta["staff"] == [{"id": 1, "role": role}, {"id": 2, "role": "doctor"}],
    )
    return answer.json


def _merge(stage: Stage) -> None:
    stage.say("Two edits of one ancestor: what they agree on is merged, what they do not is listed.")
    documents = _inline(ancestor=_ANCESTOR, edit1=_EDIT1, edit2=_EDIT2)
    shown = stage.send("POST", f"{_ROUTE}/three-way-merge", documents).expect(200).json["dx_deltaJSON"]
    conflicts = [each["path"] for each in shown["dx_deltaJSON_metadata"]["conflicts"]]
    stage.check("the phone is the one conflict", holds=conflicts == ["/phone"])
    stage.say("The same with the conflict settled by its path.")
    settled = {
        **documents,
        "threeWayMergeMode": "resolveUsingEdit1",
        "resolutions": [{"path": "/phone", "use": "edit2"}],
    }
    merged = stage.send("POST", f"{_ROUTE}/three-way-merge", settled).expect(200).json
    wanted = {"name": "Foot & Ankle", "phone": "3333", "staff": [{"id": 1, "role": "head nurse"}]}
    stage.check("all edits are in it", holds=merged == wanted)


def _graft(stage: Stage, delta: Any) -> None:
    stage.say("The changes carried to another clinic that has a nurse too; applied twice, nothing more happens.")
    target = {"name": "Hand clinic", "phone": "1111", "staff": [{"id": 1, "role": "nurse", "name": "Ann"}]}
    once = stage.send("POST", f"{_ROUTE}/graft", _inline(changeset=delta, target=target)).expect(200).json
    wanted = {"name": "Hand clinic", "phone": "2222", "staff": [{"id": 1, "role": "head nurse", "name": "Ann"}]}
    stage.check("phone and role came over", holds=once == wanted)
    twice = stage.send("POST", f"{_ROUTE}/graft", _inline(changeset=delta, target=once)).expect(200).json
    stage.check("a second time changes nothing", holds=twice == once)


def _defer(stage: Stage) -> None:
    stage.say("As a job: accepted at once, asked after, its result read where it says.")
    request = {**_inline(a=_ANCESTOR, b=_EDIT2), "async": {}}
    where = stage.send("POST", f"{_ROUTE}/patch", request).expect(202).headers["Location"]
    state = stage.send("GET", where).expect(200).json
    while state["jobStatus"] in ("QUEUED", "STARTED"):
        time.sleep(0.2)
        state = stage.send("GET", where).expect(200).json
    stage.check("it succeeded", holds=state["jobStatus"] == "SUCCESS")
    result = stage.send("GET", urlsplit(state["output"]["uri"]).path).expect(200).json
    at_once = stage.send("POST", f"{_ROUTE}/patch", _inline(a=_ANCESTOR, b=_EDIT2)).expect(200).json
    stage.check("its result is what the call at once answers", holds=result == at_once)


def _inline(**documents: Any) -> dict[str, Any]:
    return {name: {"type": "inline", "value": document} for name, document in documents.items()}
