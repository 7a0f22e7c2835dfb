"""The documented sample of the compare interface: its patch, to the letter, by JSON and by form."""

import json

from demo.stage import Stage

TITLE = "The documented sample"

A = {
    "a": "your data",
    "b": "bbc 1",
    "name": "John Joe Smith",
    "age": 21,
    "owner": True,
    "hobbies": ["playing guitar badly", "reading", "Cinema"],
}
B = {
    "a": "my data",
    "b": "bbc 2",
    "name": "Mr John Smith",
    "hobbies": ["Badminton", "guitar", "reading"],
    "age": 22,
    "pet": "dog",
}
PATCH = [
    {"op": "replace", "path": "/a", "value": "my data"},
    {"op": "replace", "path": "/b", "value": "bbc 2"},
    {"op": "replace", "path": "/name", "value": "Mr John Smith"},
    {"op": "remove", "path": "/owner"},
    {"op": "remove", "path": "/hobbies/2"},
    {"op": "add", "path": "/hobbies/1", "value": "guitar"},
    {"op": "replace", "path": "/hobbies/0", "value": "Badminton"},
    {"op": "replace", "path": "/age", "value": 22},
    {"op": "add", "path": "/pet", "value": "dog"},
]


def play(stage: Stage) -> None:
    """Compare the two documents in both ways, keep the record, and undo it."""
    stage.say("Two documents in one JSON request; the patch between them comes back.")
    request = {"a": {"type": "inline", "value": A}, "b": {"type": "inline", "value": B}}
    answer = stage.send("POST", "/api/json/v1/patch", request).expect(200)
    stage.check("the answer is the documented array", holds=answer.json == PATCH)

    stage.say("The same as form data, under version 2 of the interface; ?store=true keeps a record.")
    text = {"a": json.dumps(A), "b": json.dumps(B), "patchDirection": "aToB"}
    stored = stage.upload("/api/json/v2/patch?store=true", text).expect(201)
    stage.check("it is the same array", holds=stored.json == PATCH)
    record = stage.send("GET", stored.headers["Location"]).expect(200)
    stage.check("the record holds it too", holds=record.json["patch"] == PATCH)

    stage.say("A mistake is answered with its place.")
    wrong = {"a": {"type": "raw", "value": '{"x": 1,\n "x": 2}'}, "b": {"type": "inline", "value": B}}
    problem = stage.send("POST", "/api/json/v1/patch", wrong).expect(400).json
    found = (problem["errors"][0]["input"], problem["errors"][0]["line"], problem["errors"][0]["column"])
    stage.check("the problem names input, line and column", holds=found == ("a", 2, 2))
