"""Resources: the documented clinic and its three samples, the other two dialects, and conditions."""

from demo.stage import Stage

TITLE = "Resources, patched in three dialects"

CLINIC = {
    "name": "Foot clinic",
    "phone": [{"value": "3333333", "use": "main", "system": "phone", "extension": None}],
    "openingHours": [{"day": "mon", "from": "08:00", "to": "17:00"}],
}
NEW_PHONE = {"value": "4444444", "use": "main", "system": "phone", "extension": None}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


def play(stage: Stage) -> None:
    """Create a clinic, patch it as documented and otherwise, and meet the refusals."""
    stage.say("A clinic is created. The service gives it an id, and its phone too.")
    made = stage.send("POST", "/v1/clinic", CLINIC).expect(201)
    path = made.headers["Location"]
    phone_id = made.json["phone"][0]["id"]
    stage.check("the phone's id begins with the list's name", holds=phone_id.startswith("phone-"))

    stage.say("The three documented samples, in the plain dialect.")
    rename = [{"op": "replace", "path": "name", "value": "New Name of the resources"}]
    renamed = stage.send("PATCH", path, rename).expect(200).json
    stage.check("the name is new", holds=renamed["name"] == "New Name of the resources")
    added = stage.send("PATCH", path, [{"op": "add", "path": "phone/1", "value": NEW_PHONE}]).expect(200).json
    second = added["phone"][1]
    stage.check("the second phone has all that was sent, null too", holds=second == {**NEW_PHONE, "id": second["id"]})
    removed = stage.send("PATCH", path, [{"op": "remove", "path": "name"}]).expect(200)
    stage.check("the name is gone", holds="name" not in removed.json)
    stage.check("this is version 4", holds=removed.headers["ETag"] == '"4"')
    _other_dialects(stage, path, phone_id)


def _other_dialects(stage: Stage, path: str, phone_id: str) -> None:
    stage.say("JSON Patch reaches any depth; a test that does not hold stops it all.")
    operations = [
        {"op": "replace", "path": "/openingHours/0/to", "value": "18:00"},
        {"op": "test", "path": "/phone/0/id", "value": "another"},
    ]
    problem = stage.send("PATCH", path, operations, JSON_PATCH).expect(409).json
    fault = problem["errors"][0]
    stage.check("operation 1 is named, and what is there", holds=(fault["index"], fault["actual"]) == (1, phone_id))

    stage.say("A merge patch, on condition of the version that was read.")
    change = {"name": "Hand clinic", "address": {"city": "Ghent"}}
    late = stage.send("PATCH", path, change, {**MERGE_PATCH, "If-Match": '"1"'}).expect(412)
    stage.check("the refusal says which version stands", holds=late.headers["ETag"] == '"4"')
    done = stage.send("PATCH", path, change, {**MERGE_PATCH, "If-Match": '"4"'}).expect(200).json
    stage.check("both members are there", holds=(done["name"], done["address"]) == ("Hand clinic", {"city": "Ghent"}))

    stage.say("The same patch sent twice under one key is applied once.")
    append = [{"op": "add", "path": "phone/-", "value": {"value": "5"}}]
    key = {"Idempotency-Key": f"demo {phone_id}"}
    first = stage.send("PATCH", path, append, key).expect(200)
    again = stage.send("PATCH", path, append, key).expect(200)
    stage.check("the second answer is the first one", holds=first.body == again.body)
