"""A patch computed from two documents, checked against three resources, applied to the two it fits, reverted on one."""

from demo.stage import Stage

TITLE = "One patch for every resource that it fits"

BEFORE = {"hours": {"mon": "08:00-17:00"}, "notice": "Closed at noon"}
AFTER = {"hours": {"mon": "08:00-20:00", "sat": "09:00-12:00"}}
VERSIONS = {"Foot clinic": "16", "Hand clinic": "v9.6.2", "Ear clinic": "9.5"}


def play(stage: Stage) -> None:
    """Record, check, apply, revert; every claim is read back."""
    stage.say("Three clinics, which differ in the version of their software.")
    ids = {
        name: stage.send("POST", "/v1/clinic", {"name": name, "software": version, **BEFORE}).expect(201).json["id"]
        for name, version in VERSIONS.items()
    }
    first, second, third = ids.values()

    stage.say("The change between two documents is recorded as a patch, for software of version 9.6 and newer.")
    inputs = {"a": {"type": "inline", "value": BEFORE}, "b": {"type": "inline", "value": AFTER}}
    constraints = [{"field": "software", "operator": ">=", "value": "9.6"}]
    definition = {"patch_id": "longer-hours", "constraints": constraints, "payload": {"from_diff": inputs}}
    record = stage.send("POST", f"/resources/{first}/patches", {"definition": definition}).expect(201)
    patch = record.headers["Location"]
    stage.check("it is pending, and holds operations", holds=record.json["status"] == "pending")

    stage.say("Which clinics does it fit? 16 and v9.6.2 are newer than 9.6, 9.5 is not.")
    checks = [stage.send("POST", f"{patch}/check", {"target_id": each}).expect(200).json for each in ids.values()]
    stage.check("the third does not fit", holds=[each["compatible"] for each in checks] == [True, True, False])
    eligible = stage.send("GET", f"{patch}/eligible?type=clinic").expect(200).json
    found = {each["resource_id"] for each in eligible} & set(ids.values())
    stage.check("the database finds the same two", holds=found == {first, second})

    stage.say("It is applied to those two; the third is refused with the verdict.")
    for target in (first, second):
        applied = stage.send("POST", f"{patch}/apply", {"target_id": target}).expect(200).json
        stage.check(
            "the clinic has its next version", holds=(applied["status"], applied["result_version"]) == ("applied", 2)
        )
    refused = stage.send("POST", f"{patch}/apply", {"target_id": third}).expect(409).json
    stage.check("the third is told why", holds=refused["verdicts"][0]["actual"] == "9.5")

    stage.say("The first clinic gets a new name, and then the patch is taken back there: the name stays.")
    stage.send("PATCH", f"/v1/clinic/{first}", [{"op": "replace", "path": "name", "value": "Toe clinic"}]).expect(200)
    stage.send("POST", f"{patch}/revert", {"target_id": first}).expect(201)
    clinic = stage.send("GET", f"/v1/clinic/{first}").expect(200).json
    stage.check("hours and notice are back", holds={name: clinic[name] for name in BEFORE} == BEFORE)
    stage.check("the new name stayed", holds=clinic["name"] == "Toe clinic")
    stage.send("GET", f"{patch}/events").expect(200)
