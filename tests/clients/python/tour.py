"""The main jobs of a client, through the client that is generated from openapi.yaml: `python tour.py URL`.

Says each job that it has done in a line of its own.
"""

import json
import sys
from io import BytesIO
from typing import Any

from patchbay_client import AuthenticatedClient
from patchbay_client.api.compare import create_patch_v1, get_comparison_v1
from patchbay_client.api.patches import apply_patch, check_patch, record_patch
from patchbay_client.api.resources import (
    create_resource,
    get_resource,
    list_resources,
    patch_resource,
    replace_resource,
)
from patchbay_client.api.service import get_openapi_yaml
from patchbay_client.models import (
    Aim,
    Application,
    Comparison,
    Constraint,
    Definition,
    DefinitionMetadata,
    IgnoreInstruction,
    InlineSource,
    JsonPatchOperation,
    ListResourcesFilter,
    MergePatch,
    OnlyInstruction,
    PatchForm,
    PatchRecord,
    PatchRequest,
    Payload,
    PlainOperation,
    Preview,
    Problem,
    RawSource,
    RecordRequest,
    Resource,
    ResourceContent,
)
from patchbay_client.types import File, Unset

TYPE = "clinic"


def upload(document: Any) -> File:
    return File(BytesIO(json.dumps(document).encode()), "document.json", "application/json")


def compare_uploads(client: AuthenticatedClient) -> None:
    form = PatchForm(a=upload({"name": "Foot clinic"}), b=upload({"name": "Hand clinic"}), patch_direction="bToA")
    patch = create_patch_v1.sync(client=client, body=form)
    assert patch == [JsonPatchOperation(op="replace", path="/name", value="Foot clinic")]


def compare_in_json(client: AuthenticatedClient) -> None:
    request = PatchRequest(
        a=InlineSource(type_="inline", value={"beds": 10, "seen": "Monday"}),
        b=RawSource(type_="raw", value='{"beds": 12, "seen": "Friday"}'),
        dx_config=[IgnoreInstruction(ignore_changes="delete", key="seen")],
    )
    patch = create_patch_v1.sync(client=client, body=request)
    assert patch == [JsonPatchOperation(op="replace", path="/beds", value=12)]


def keep_a_comparison(client: AuthenticatedClient) -> None:
    request = PatchRequest(
        a=InlineSource(type_="inline", value={"beds": 10}),
        b=InlineSource(type_="inline", value={"beds": 12}),
        dx_config=[OnlyInstruction(only="/beds")],
    )
    answer = create_patch_v1.sync_detailed(client=client, body=request, store=True)
    kept = get_comparison_v1.sync(answer.headers["Location"].rpartition("/")[2], client=client)
    assert isinstance(kept, Comparison)
    assert kept.patch == [JsonPatchOperation(op="replace", path="/beds", value=12)]
    assert kept.options == [OnlyInstruction(only="/beds")]


def create(client: AuthenticatedClient) -> Resource:
    content = ResourceContent.from_dict({"name": "Foot clinic", "phone": [{"value": "111"}], "beds": 10})
    made = create_resource.sync(TYPE, client=client, body=content)
    assert isinstance(made, Resource)
    assert made["phone"][0]["id"].startswith("phone-")
    return made


def patch_in_the_plain_dialect(client: AuthenticatedClient, made: Resource) -> None:
    body = [PlainOperation(op="add", path="phone/1", value={"value": "222"})]
    patched = patch_resource.sync(TYPE, made.id, client=client, body=body)
    assert isinstance(patched, Resource)
    assert [each["value"] for each in patched["phone"]] == ["111", "222"]


def patch_by_json_patch(client: AuthenticatedClient, made: Resource) -> None:
    body = [
        JsonPatchOperation(op="test", path="/phone/1/value", value="222"),
        JsonPatchOperation(op="move", path="/fax", from_="/phone/1/value"),
    ]
    patched = patch_resource.sync(TYPE, made.id, client=client, body=body)
    assert isinstance(patched, Resource)
    assert patched["fax"] == "222"


def patch_by_merge_patch(client: AuthenticatedClient, made: Resource) -> None:
    answer = patch_resource.sync_detailed(
        TYPE, made.id, client=client, body=MergePatch.from_dict({"fax": None, "open": True}), if_match='"3"'
    )
    assert isinstance(answer.parsed, Resource)
    assert "fax" not in answer.parsed
    assert answer.headers["ETag"] == '"4"'


def record(client: AuthenticatedClient, made: Resource) -> PatchRecord:
    definition = Definition(
        patch_id="more-beds",
        constraints=[Constraint(field="beds", operator=">=", value=10)],
        payload=Payload(operations=[JsonPatchOperation(op="replace", path="/beds", value=12)]),
        metadata=DefinitionMetadata.from_dict({"season": "winter"}),
    )
    recorded = record_patch.sync(made.id, client=client, body=RecordRequest(definition=definition))
    assert isinstance(recorded, PatchRecord)
    assert recorded.status == "pending"
    assert not isinstance(recorded.definition.metadata, Unset)
    assert recorded.definition.metadata["season"] == "winter"
    return recorded


def check(client: AuthenticatedClient, recorded: PatchRecord) -> None:
    preview = check_patch.sync(recorded.resource_id, recorded.patch_id, client=client, body=Aim())
    assert isinstance(preview, Preview)
    assert preview.verdicts[0].satisfied
    assert isinstance(preview.document, Resource)
    assert preview.document["beds"] == 12


def apply(client: AuthenticatedClient, recorded: PatchRecord) -> None:
    application = apply_patch.sync(recorded.resource_id, recorded.patch_id, client=client, body=Aim())
    assert isinstance(application, Application)
    assert (application.status, application.result_version) == ("applied", 5)
    stored = get_resource.sync(TYPE, recorded.resource_id, client=client)
    assert isinstance(stored, Resource)
    assert stored["beds"] == 12


def put_back(client: AuthenticatedClient, made: Resource) -> None:
    stored = get_resource.sync(TYPE, made.id, client=client)
    assert isinstance(stored, Resource)
    content = ResourceContent.from_dict({**stored.to_dict(), "beds": 14})
    replaced = replace_resource.sync(TYPE, made.id, client=client, body=content)
    assert isinstance(replaced, Resource)
    assert (replaced["beds"], replaced.created_at) == (14, made.created_at)


def find(client: AuthenticatedClient, made: Resource) -> None:
    wanted = ListResourcesFilter.from_dict({"beds[gte]": "13", "phone.value": '"111"'})
    found = list_resources.sync(TYPE, client=client, filter_=wanted, sort="-updatedAt", limit=1)
    assert isinstance(found, list)
    assert [each.id for each in found] == [made.id]


def handle_a_problem(client: AuthenticatedClient, made: Resource) -> None:
    body = [
        JsonPatchOperation(op="add", path="/beds", value=14),
        JsonPatchOperation(op="test", path="/open", value=False),
    ]
    problem = patch_resource.sync(TYPE, made.id, client=client, body=body)
    assert isinstance(problem, Problem)
    assert not isinstance(problem.errors, Unset)
    assert (problem.status, problem.code, problem.errors[0].path) == (409, "test-failed", "/open")


def read_the_contract(client: AuthenticatedClient) -> None:
    text = get_openapi_yaml.sync(client=client)
    assert isinstance(text, str)
    assert text.startswith("openapi: 3.1.0")


def main(url: str) -> None:
    with AuthenticatedClient(base_url=url, token="", prefix="") as client:
        compare_uploads(client)
        print("compare-form")
        compare_in_json(client)
        print("compare-json")
        keep_a_comparison(client)
        print("compare-kept")
        made = create(client)
        print("create")
        patch_in_the_plain_dialect(client, made)
        print("patch-plain")
        patch_by_json_patch(client, made)
        print("patch-json")
        patch_by_merge_patch(client, made)
        print("patch-merge")
        recorded = record(client, made)
        print("record")
        check(client, recorded)
        print("check")
        apply(client, recorded)
        print("apply")
        put_back(client, made)
        print("replace")
        find(client, made)
        print("list")
        handle_a_problem(client, made)
        print("problem")
        read_the_contract(client)
        print("contract")


if __name__ == "__main__":
    main(sys.argv[1])
