"""What makes stored resources usable: identifiers, types with schemas, contained resources, history."""

import uuid
from typing import Any

import jsonpatch

from demo.stage import Stage

TITLE = "Identifiers, types, contained resources, and every version kept"

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
CLINIC_TYPE = {
    "schema": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 3},
            "email": {"items": {"properties": {"value": {"type": "string", "format": "email"}}}},
        },
    }
}
PRACTICE_TYPE = {"parent": {"type": "demo-clinic", "property": "clinic", "as": "practices"}}


def play(stage: Stage) -> None:
    """Define two types, find a clinic by its identifier, change it, look back, and go back."""
    stage.say("A type with a schema, and one whose resources are contained in it.")
    _define(stage, "demo-clinic", CLINIC_TYPE)
    _define(stage, "demo-practice", PRACTICE_TYPE)

    number = uuid.uuid4().hex[:10]
    stage.say("A clinic is found by its identifier: by the value, or by system and value.")
    content = {"name": "Foot clinic", "identifier": [{"system": "http://npi.example/ids", "value": number}]}
    clinic = stage.send("POST", "/v1/demo-clinic", content).expect(201).json
    found = stage.send("GET", f"/v1/demo-clinic/http%3A%2F%2Fnpi.example%2Fids%7C{number}").expect(200).json
    stage.check("it is the same clinic", holds=found["id"] == clinic["id"])
    stage.send("POST", "/v1/demo-clinic", content).expect(409)

    stage.say("A practice names its clinic, which shows it.")
    stage.send("POST", "/v1/demo-practice", {"name": "Practice of Dr Toe", "clinic": clinic["id"]}).expect(201)
    path = f"/v1/demo-clinic/{number}"
    shown = stage.send("GET", path).expect(200).json
    stage.check("the clinic shows one practice", holds=len(shown["practices"]) == 1)
    stage.send("DELETE", path).expect(409)

    stage.say("A patch that breaks the schema is refused, with every place at fault.")
    problem = stage.send("PATCH", path, {"name": "x", "email": [{"value": "nobody"}]}, MERGE_PATCH).expect(422).json
    pointers = sorted(each["pointer"] for each in problem["errors"])
    stage.check("both places are pointed at", holds=pointers == ["/email/0/value", "/name"])
    _look_back(stage, path)


def _look_back(stage: Stage, path: str) -> None:
    stage.say("Two changes, with a word on why.")
    for name, why in (("Hand clinic", "moved upstairs"), ("Hand and foot clinic", "both floors now")):
        stage.send("PATCH", path, {"name": name}, {**MERGE_PATCH, "Patchbay-Message": why}).expect(200)
    history = stage.send("GET", f"{path}/history").expect(200).json
    stage.say(_table(history))
    stage.check("three versions, newest first", holds=[each["version"] for each in history] == [3, 2, 1])

    stage.say("The patch from the first version to the newest, given to a library that is not ours.")
    first = stage.send("GET", f"{path}?version=1").expect(200).json
    newest = stage.send("GET", f"{path}?version=3").expect(200).json
    patch = stage.send("GET", f"{path}/diff?from=1&to=3").expect(200).json
    stage.check("it turns the one into the other", holds=jsonpatch.apply_patch(first, patch) == newest)

    stage.say("And back to the first version, which makes a fourth.")
    back = stage.send("POST", f"{path}/revert", {"version": 1}).expect(200)
    stage.check(
        "the name is the old one, in version 4",
        holds=(back.json["name"], back.headers["ETag"]) == ("Foot clinic", '"4"'),
    )

    stage.say("Lists filter by any member.")
    listed = stage.send("GET", "/v1/demo-clinic?name[prefix]=Foot&sort=-updatedAt&fields=name&limit=3").expect(200).json
    stage.check("the clinic comes first", holds=listed[0] == {"id": back.json["id"], "name": "Foot clinic"})


def _define(stage: Stage, name: str, definition: dict[str, Any]) -> None:
    answer = stage.send("PUT", f"/types/{name}", definition)
    stage.check(f"{name} is defined", holds=answer.status in (200, 201))


def _table(history: list[dict[str, Any]]) -> str:
    rows = [(str(each["version"]), each["at"], each["kind"], each["by"], each["message"] or "") for each in history]
    return "\n".join(
        "  {:>3}  {}  {:<8} {:<10} {}".format(*row) for row in [("no.", "when" + " " * 23, "how", "who", "why"), *rows]
    )
