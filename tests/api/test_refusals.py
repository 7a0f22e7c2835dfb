"""Every refusal of a request that is well sent but wrong: its status, its code, and what it names as the fault."""

import gzip
import io
import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from yarl import URL

Client = TestClient[web.Request, web.Application]

ROUTE = "/api/json/v1/patch"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=xx"}
ONE = b'{"type": "inline", "value": 1}'
GOOD = b'{"a": %s, "b": %s}' % (ONE, ONE)


def with_a(text: bytes) -> bytes:
    """A request whose input a is the document `text`."""
    return b'{"a": {"type": "inline", "value": %s}, "b": %s}' % (text, ONE)


def plus(text: bytes) -> bytes:
    """A good request with more members."""
    return b"%s, %s}" % (GOOD[:-1], text)


def part(name: str, content: bytes = b"1", *more: str) -> bytes:
    """A part of a form, from its boundary to its end."""
    head = "\r\n".join(["--xx", f'Content-Disposition: form-data; name="{name}"', *more])
    return head.encode() + b"\r\n\r\n" + content + b"\r\n"


def form(*parts: bytes, end: bytes = b"--xx--\r\n") -> bytes:
    """A form made of parts."""
    return b"".join(parts) + end


A, B = part("a"), part("b")

MALFORMED = [
    pytest.param(b"", {"line": 1, "column": 1}, id="nothing"),
    pytest.param(b"{", {"line": 1, "column": 2}, id="unfinished"),
    pytest.param(b"not json", {"line": 1, "column": 1}, id="not-json"),
    pytest.param(b'{"a": 1,\n "b" 2}', {"line": 2, "column": 6}, id="second-line"),
    pytest.param(GOOD + b"x", {"line": 1, "column": len(GOOD) + 1}, id="something-behind"),
    pytest.param(with_a(b"NaN"), {"line": 1, "column": 35, "pointer": "/a/value"}, id="nan"),
    pytest.param(with_a(b"-Infinity"), {"pointer": "/a/value"}, id="infinity"),
    pytest.param(with_a(b"1e999"), {"pointer": "/a/value"}, id="beyond-doubles"),
    pytest.param(with_a(b"9" * 5000), {"pointer": "/a/value"}, id="endless-integer"),
    pytest.param(with_a(b'{"x": 1, "x": 2}'), {"pointer": "/a/value/x", "column": 44}, id="duplicate-in-document"),
    pytest.param(b'{"a": 1, "a": 2}', {"pointer": "/a", "column": 10}, id="duplicate-in-request"),
    pytest.param(with_a(rb'"\ud800"'), {"pointer": "/a/value"}, id="lone-surrogate"),
    pytest.param(plus(rb'"\udfff": 1'), {"line": 1}, id="lone-surrogate-in-name"),
    pytest.param(b'{"a": "\xff"}', {"line": 1, "column": 8}, id="not-utf-8"),
    pytest.param(GOOD.decode().encode("utf-16"), {"line": 1, "column": 1}, id="utf-16"),
    pytest.param(b'{"a": "\xed\xa0\x80"}', {"line": 1, "column": 8}, id="surrogate-as-utf-8"),
]

INVALID = [
    pytest.param(b"[]", None, id="array"),
    pytest.param(b"null", None, id="null"),
    pytest.param(b"1", None, id="number"),
    pytest.param(b"{}", "a", id="neither-input"),
    pytest.param(b'{"a": %s}' % ONE, "b", id="no-b"),
    pytest.param(plus(b'"A": %s' % ONE), "A", id="a-in-both-spellings"),
    pytest.param(plus(b'"pathDirection": "aToB"'), "pathDirection", id="unknown-member"),
    pytest.param(plus(b'"patchDirection": "sideways"'), "patchDirection", id="unknown-direction"),
    pytest.param(plus(b'"patchDirection": 1'), "patchDirection", id="direction-not-text"),
    pytest.param(plus(b'"moves": "yes"'), "moves", id="moves-not-boolean"),
    pytest.param(plus(b'"tolerance": -1'), "tolerance", id="negative-tolerance"),
    pytest.param(plus(b'"arrayAlignment": "sideways"'), "arrayAlignment", id="unknown-alignment"),
    pytest.param(b'{"a": 1, "b": %s}' % ONE, "type", id="input-not-object"),
    pytest.param(b'{"a": {}, "b": %s}' % ONE, "type", id="input-without-type"),
    pytest.param(b'{"a": {"type": "carrier-pigeon"}, "b": %s}' % ONE, "type", id="unknown-type"),
    pytest.param(b'{"a": {"type": 7}, "b": %s}' % ONE, "type", id="type-not-text"),
    pytest.param(b'{"a": {"type": "inline"}, "b": %s}' % ONE, "value", id="input-without-value"),
    pytest.param(b'{"a": {"type": "raw", "value": 1}, "b": %s}' % ONE, "value", id="raw-not-text"),
    pytest.param(b'{"a": {"type": "inline", "value": 1, "x": 1}, "b": %s}' % ONE, "x", id="unknown-input-member"),
    pytest.param(plus(b'"dxConfig": 1'), "dxConfig", id="dx-config-number"),
    pytest.param(plus(b'"dxConfig": {"other": []}'), "dxConfig", id="dx-config-wrapped-wrongly"),
    pytest.param(plus(b'"dxConfig": [1]'), "dxConfig", id="instruction-not-object"),
    pytest.param(plus(b'"dxConfig": [{"only": "/a"}, {"x": 1}]'), "dxConfig[1]", id="unknown-instruction"),
    pytest.param(plus(b'"dxConfig": [{"only": "/a", "x": 1}]'), "dxConfig[0]", id="unknown-instruction-member"),
    pytest.param(plus(b'"dxConfig": [{"only": "a"}]'), "dxConfig[0]", id="pattern-without-slash"),
    pytest.param(plus(b'"dxConfig": [{"ignoreChanges": "delete"}]'), "dxConfig[0]", id="neither-key-nor-path"),
    pytest.param(plus(b'"dxConfig": [{"ignoreChanges": "add", "key": "k"}]'), "dxConfig[0]", id="other-ignore"),
    pytest.param(plus(b'"dxConfig": [{"arrayAlignment": "keyed"}]'), "dxConfig[0]", id="keyed-without-keys"),
]

BAD_FORMS = [
    pytest.param(b"", None, id="nothing"),
    pytest.param(b"hello", None, id="no-boundary-line"),
    pytest.param(form(A, B).replace(b"xx", b"yy"), None, id="other-boundary"),
    pytest.param(form(A, B, end=b""), "b", id="no-closing-boundary"),
    pytest.param(form(A, B, end=b"--xx-"), "b", id="half-a-closing-boundary"),
    pytest.param(form(A, B)[:-20], None, id="cut-off"),
    pytest.param(form(A, B).replace(b"\r\n", b"\n"), "a", id="bare-newlines"),
    pytest.param(form(A), "b", id="part-missing"),
    pytest.param(form(), "a", id="no-part"),
    pytest.param(form(A, B, A), "a", id="part-repeated"),
    pytest.param(form(A, B, part("c")), "c", id="part-unknown"),
    pytest.param(form(A, part("A", b"1"), B), "A", id="part-repeated-in-another-spelling"),
    pytest.param(form(A, B, part("_charset_", b"utf-8")), "_charset_", id="charset-part-behind"),
    pytest.param(form(part("_charset_", b"x" * 40), A, B), "_charset_", id="charset-part-too-long"),
    pytest.param(form(part("a", b""), B), "a", id="part-empty"),
    pytest.param(form(part("a", b" \r\n"), B), "a", id="part-blank"),
    pytest.param(form(b"--xx\r\nX-Y: z\r\n\r\n1\r\n", B), None, id="part-without-disposition"),
    pytest.param(form(b"--xx\r\nContent-Disposition: form-data\r\n\r\n1\r\n", B), None, id="part-without-name"),
    pytest.param(form(b"--xx\r\n\r\n1\r\n", B), None, id="part-without-headers"),
    pytest.param(form(b"--xx\r\ngarbage\r\n\r\n1\r\n", B), None, id="part-header-garbage"),
    pytest.param(form(part("a", b"1", "X: " + "y" * 20_000), B), None, id="part-header-too-long"),
    pytest.param(form(part("a", b"1", *[f"X{i}: y" for i in range(300)]), B), None, id="too-many-part-headers"),
    pytest.param(form(part("a", b"--zz--", "Content-Type: multipart/mixed; boundary=zz"), B), None, id="nested"),
    pytest.param(form(part("a", b"1", "Content-Type: multipart/mixed"), B), None, id="nested-without-boundary"),
    pytest.param(form(part("a", b"?", "Content-Transfer-Encoding: base64"), B), "a", id="not-base64"),
    pytest.param(form(part("a", b"1", "Content-Transfer-Encoding: uuencode"), B), "a", id="transfer-encoding"),
    pytest.param(form(part("a", b"1", "Content-Encoding: gzip"), B), "a", id="part-not-gzip"),
    pytest.param(form(part("a", gzip.compress(b"1" * 99)[:-9], "Content-Encoding: gzip"), B), "a", id="part-gzip-cut"),
    pytest.param(b"x" * 100_000 + b"\r\n" + form(A, B), None, id="endless-first-line"),
    pytest.param(b"x\r\n" * 100_000 + form(A, B), None, id="endless-preamble"),
    pytest.param(form(A, B, part("moves", b"1" * 2_000_000)), "moves", id="option-too-long"),
]

BAD_PARTS = [
    pytest.param(part("dxConfig", b"{"), 400, "invalid-json", {"part": "dxConfig", "column": 2}, id="config-not-json"),
    pytest.param(part("dxConfig", b""), 400, "invalid-json", {"part": "dxConfig"}, id="config-empty"),
    pytest.param(part("dxConfig", b"[" * 100_000), 422, "too-deep", {"part": "dxConfig"}, id="config-brackets"),
    pytest.param(part("dxConfig", b"[{}]"), 400, "invalid-request", {"field": "dxConfig[0]"}, id="config-unknown"),
    pytest.param(part("dxConfig", b"none"), 400, "invalid-json", {"part": "dxConfig"}, id="config-word"),
    pytest.param(part("moves", b"maybe"), 400, "invalid-request", {"field": "moves"}, id="moves-word"),
    pytest.param(part("moves", b"[tr"), 400, "invalid-json", {"part": "moves"}, id="moves-not-json"),
    pytest.param(part("keys", b"id"), 400, "invalid-request", {"field": "keys"}, id="keys-word"),
    pytest.param(part("tolerance", b"some"), 400, "invalid-request", {"field": "tolerance"}, id="tolerance-word"),
    pytest.param(part("moves", b"1"), 400, "invalid-request", {"field": "moves"}, id="moves-number"),
    pytest.param(part("patchDirection", b"up"), 400, "invalid-request", {"field": "patchDirection"}, id="direction"),
    pytest.param(part("patchDirection", b"\xff"), 400, "invalid-request", {"field": "patchDirection"}, id="not-utf-8"),
]

BAD_DOCUMENTS = [
    *(
        pytest.param(part("a", '{"é": 1}'.encode(charset)), 400, "invalid-json", {"input": "a"}, id=charset)
        for charset in ("utf-16", "utf-16-be", "utf-16-le", "utf-32")
    ),
    pytest.param(
        part("a", b"1", "Content-Encoding: br"), 415, "unsupported-media-type", {"part": "a"}, id="part-encoding"
    ),
    pytest.param(part("a", b"{"), 400, "invalid-json", {"input": "a", "line": 1, "column": 2}, id="unfinished"),
    pytest.param(part("a", b'{"x": 1, "x": 2}'), 400, "invalid-json", {"input": "a", "pointer": "/x"}, id="duplicate"),
    pytest.param(part("a", b"[" * 100_000), 422, "too-deep", {"input": "a", "maximum": 200}, id="brackets"),
    pytest.param(part("a", b"[NaN]"), 400, "invalid-json", {"input": "a", "line": 1, "column": 2}, id="nan"),
    pytest.param(part("a", b'"\\ud800"'), 400, "invalid-json", {"input": "a"}, id="surrogate"),
]

MEDIA_TYPES = [
    pytest.param({}, id="none"),
    pytest.param({"Content-Type": ""}, id="empty"),
    pytest.param({"Content-Type": "text/plain"}, id="text"),
    pytest.param({"Content-Type": ";;;,"}, id="garbage"),
    pytest.param({"Content-Type": "application/json-patch+json"}, id="of-another-route"),
    pytest.param({"Content-Type": "multipart/mixed; boundary=xx"}, id="other-multipart"),
]

NO_BOUNDARY = [
    pytest.param("multipart/form-data", id="none"),
    pytest.param("multipart/form-data; boundary=", id="empty"),
    pytest.param('multipart/form-data; boundary=""', id="empty-quoted"),
    pytest.param("multipart/form-data; xboundary=xx", id="misspelt"),
    pytest.param("multipart/form-data; boundary=" + "x" * 100, id="too-long"),
]


async def problem_of(client: Client, body: bytes, headers: dict[str, str], path: str = ROUTE) -> dict[str, Any]:
    """Post, and check what holds for every refusal."""
    response = await client.post(path, data=io.BytesIO(body), headers=headers, skip_auto_headers=["Content-Type"])
    assert response.content_type == "application/problem+json", await response.text()
    problem: dict[str, Any] = await response.json()
    assert problem["status"] == response.status
    assert problem["requestId"] == response.headers["X-Request-Id"]
    assert problem["type"] == f"/problems/{problem['code']}"
    assert problem["instance"] == path.partition("?")[0]
    assert problem["errors"], "each refusal lists its violations"
    for hidden in ("msgspec", "aiohttp", "Traceback", "/tmp", "service/", "mongodb"):  # noqa: S108
        assert hidden not in json.dumps(problem)
    return problem


@pytest.mark.parametrize(("body", "named"), MALFORMED)
async def test_what_is_not_json_is_refused_with_its_place(client: Client, body: bytes, named: dict[str, Any]) -> None:
    problem = await problem_of(client, body, JSON)

    assert (problem["status"], problem["code"]) == (400, "invalid-json")
    assert problem["errors"][0] | named == problem["errors"][0]
    assert f"line {problem['errors'][0]['line']}, column {problem['errors'][0]['column']}" in problem["detail"]


@pytest.mark.parametrize(("body", "field"), INVALID)
async def test_what_is_not_a_request_is_refused_with_its_member(client: Client, body: bytes, field: str | None) -> None:
    problem = await problem_of(client, body, JSON)

    assert (problem["status"], problem["code"]) == (400, "invalid-request")
    assert problem["errors"][0].get("field") == field
    assert (field or "object").partition("[")[0] in problem["detail"]


async def test_all_violations_come_at_once(client: Client) -> None:
    problem = await problem_of(client, b'{"a": %s, "x": 1, "moves": 1, "keys": [1]}' % ONE, JSON)

    assert [each["field"] for each in problem["errors"]] == ["x", "moves", "keys", "b"]


async def test_all_violations_of_inputs_come_at_once(client: Client) -> None:
    in_json = await problem_of(client, b'{"a": {}, "b": {"type": "raw", "value": 1}}', JSON)
    typed = "Content-Type: application/vnd.patchbay.source+json"
    in_form = await problem_of(client, form(part("a", b"{}", typed), part("b", b'{"type": "x"}', typed)), FORM)

    assert [(each["input"], each["field"]) for each in in_json["errors"]] == [("a", "type"), ("b", "value")]
    assert [(each["input"], each["field"]) for each in in_form["errors"]] == [("a", "type"), ("b", "type")]
    assert all(each["detail"] in in_json["detail"] for each in in_json["errors"])


async def test_all_violations_of_instructions_come_at_once(client: Client) -> None:
    body = plus(b'"dxConfig": [{"x": 1}, {"only": "/a"}, {"moves": 1, "y": 1}, {"ignoreChanges": "delete"}]')

    problem = await problem_of(client, body, JSON)

    assert [each["field"] for each in problem["errors"]] == ["dxConfig[0]", "dxConfig[2]", "dxConfig[3]"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(plus(b'"%s": 1' % (b"x" * 900_000)), id="unknown member"),
        pytest.param(plus(b",".join(b'"m%d": 1' % number for number in range(60_000))), id="many unknown members"),
        pytest.param(plus(b'"patchDirection": "%s"' % (b"x" * 900_000)), id="direction"),
        pytest.param(with_a(b'{"%s": 1, "%s": 1}' % (b"x" * 400_000, b"x" * 400_000)), id="repeated name"),
        pytest.param(plus(b'"dxConfig": [{"%s": 1}]' % (b"x" * 900_000)), id="instruction"),
    ],
)
async def test_a_refusal_does_not_give_back_all_that_was_sent(client: Client, body: bytes) -> None:
    response = await client.post(ROUTE, data=body, headers=JSON)

    assert response.status == 400
    assert len(await response.read()) < 64 * 1024


async def test_an_unknown_direction_lists_both(client: Client) -> None:
    problem = await problem_of(client, plus(b'"patchDirection": "up"'), JSON)

    assert "aToB" in problem["detail"]
    assert "bToA" in problem["detail"]


async def test_an_unknown_type_lists_the_known_ones(client: Client) -> None:
    problem = await problem_of(client, b'{"a": {"type": "x"}, "b": %s}' % ONE, JSON)

    assert problem["errors"][0]["input"] == "a"
    assert "inline, raw, " in problem["detail"]


async def test_an_input_at_fault_is_named(client: Client) -> None:
    body = b'{"a": {"type": "raw", "value": "{\\n x"}, "b": %s}' % ONE

    problem = await problem_of(client, body, JSON)

    assert problem["code"] == "invalid-json"
    assert problem["errors"][0]["input"] == "a"
    assert (problem["errors"][0]["line"], problem["errors"][0]["column"]) == (2, 2)


@pytest.mark.parametrize("document", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000], ids=["open", "closed"])
async def test_a_hundred_thousand_brackets_are_refused(client: Client, document: bytes) -> None:
    problem = await problem_of(client, with_a(document), JSON)

    assert (problem["status"], problem["code"]) == (422, "too-deep")
    assert problem["errors"][0]["input"] == "a"
    assert (problem["errors"][0]["limit"], problem["errors"][0]["maximum"]) == ("max_depth", 200)


async def test_a_body_of_brackets_is_refused(client: Client) -> None:
    problem = await problem_of(client, b"[" * 100_000, JSON)

    assert (problem["status"], problem["code"]) == (422, "too-deep")


@pytest.mark.parametrize(("body", "named"), BAD_FORMS)
async def test_a_bad_form_is_refused_with_its_part(client: Client, body: bytes, named: str | None) -> None:
    problem = await problem_of(client, body, FORM)

    assert (problem["status"], problem["code"]) == (400, "invalid-multipart")
    assert problem["errors"][0].get("part") == named
    assert (named or "") in problem["detail"]


@pytest.mark.parametrize(("bad", "status", "code", "named"), BAD_PARTS)
async def test_a_bad_option_in_a_form_is_refused_by_name(
    client: Client, bad: bytes, status: int, code: str, named: dict[str, Any]
) -> None:
    problem = await problem_of(client, form(A, B, bad), FORM)

    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["errors"][0] | named == problem["errors"][0]


@pytest.mark.parametrize(("bad", "status", "code", "named"), BAD_DOCUMENTS)
async def test_a_bad_document_in_a_form_is_refused_by_name(
    client: Client, bad: bytes, status: int, code: str, named: dict[str, Any]
) -> None:
    problem = await problem_of(client, form(bad, B), FORM)

    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["errors"][0] | named == problem["errors"][0]


@pytest.mark.parametrize("content_type", NO_BOUNDARY)
async def test_a_form_without_a_usable_boundary_is_refused(client: Client, content_type: str) -> None:
    problem = await problem_of(client, form(A, B), {"Content-Type": content_type})

    assert (problem["status"], problem["code"]) == (400, "invalid-multipart")


@pytest.mark.parametrize("headers", MEDIA_TYPES)
async def test_other_media_types_are_refused_with_those_accepted(client: Client, headers: dict[str, str]) -> None:
    response = await client.post(ROUTE, data=GOOD, headers=headers, skip_auto_headers=["Content-Type"])

    assert response.status == 415
    assert (await response.json())["code"] == "unsupported-media-type"
    assert response.headers["Accept-Post"] == "application/json, multipart/form-data"


@pytest.mark.parametrize("accept", ["text/csv", "application/json;q=0", "*/*;q=0", "garbage", "image/*, audio/*"])
async def test_what_cannot_be_produced_is_refused(client: Client, accept: str) -> None:
    problem = await problem_of(client, GOOD, JSON | {"Accept": accept})

    assert (problem["status"], problem["code"]) == (406, "not-acceptable")
    assert "application/json-patch+json" in problem["detail"]


@pytest.mark.parametrize("query", ["store=maybe", "store=%ff", "store=1"])
async def test_a_flag_that_is_neither_true_nor_false_is_refused(client: Client, query: str) -> None:
    problem = await problem_of(client, GOOD, JSON, f"{ROUTE}?{query}")

    assert (problem["status"], problem["code"]) == (400, "invalid-request")
    assert problem["errors"][0]["field"] == "store"


ACCEPTED = [
    pytest.param(b"\xef\xbb\xbf" + GOOD, JSON, id="byte-order-mark"),
    pytest.param(GOOD, {"Content-Type": "APPLICATION/JSON; charset=klingon"}, id="charset-is-not-looked-at"),
    pytest.param(b" \r\n\t" + GOOD + b"\n", JSON, id="white-space-around"),
    pytest.param(form(A, B), FORM, id="form"),
    pytest.param(b"preamble\r\n" + form(A, B) + b"epilogue", FORM, id="form-with-preamble"),
    pytest.param(form(A, B)[:-2], FORM, id="form-without-last-line-end"),
    pytest.param(form(part("a", b"\xef\xbb\xbf1"), B), FORM, id="form-with-byte-order-mark"),
    pytest.param(form(part("a", b"MQ==", "Content-Transfer-Encoding: base64"), B), FORM, id="form-with-base64"),
    pytest.param(form(part("a", gzip.compress(b"1"), "Content-Encoding: gzip"), B), FORM, id="form-with-gzip-part"),
    pytest.param(form(A, B), {"Content-Type": 'multipart/form-data; boundary="xx"'}, id="quoted-boundary"),
]


@pytest.mark.parametrize(("body", "headers"), ACCEPTED)
async def test_what_is_unusual_but_right_is_taken(client: Client, body: bytes, headers: dict[str, str]) -> None:
    response = await client.post(ROUTE, data=body, headers=headers)

    assert (response.status, await response.json()) == (200, [])


@pytest.mark.parametrize("path", ["/v1/clinic/a%20b", "/v1/clinic/%C3%A9%7C1", "/none/%00"])
async def test_the_instance_is_an_address(client: Client, path: str) -> None:
    response = await client.get(URL(f"{path}?version=1", encoded=True))

    assert response.status == 404
    assert (await response.json())["instance"] == path


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("GET", "/v1/clinic/none", "GET /v1/clinic lists"),
        ("PUT", "/v1/clinic/none", "If-None-Match: *"),
        ("GET", "/resources/none", "/v1/{type}"),
        ("GET", "/resources/none/patches", "not an identifier"),
        ("GET", "/applications/none", "/applications lists"),
        ("GET", "/deliveries/none", "GET /deliveries lists"),
        ("GET", "/providers/none", "GET /providers lists"),
        ("GET", "/api/json/v1/jobs/none", "kept for a day"),
        ("GET", "/api/json/v1/comparisons/none", "store=true"),
    ],
)
async def test_what_is_not_there_is_said_with_where_to_look(client: Client, method: str, path: str, hint: str) -> None:
    response = await client.request(method, path, json={} if method == "PUT" else None)

    assert response.status == 404
    assert hint in (await response.json())["detail"]
