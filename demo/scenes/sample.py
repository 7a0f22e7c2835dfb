"""The documented sample of the compare interface: its patch, to the letter, by JSON and by form."""

import json

from demo.stage import Stage
from service.api.examples import PATCH, A, B

TITLE = "The documented sample"


def play(stage: Stage) -> None:
    """Compare the two documents by JSON and by form, keep a record, and make a mistake."""
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
