import pytest

from service.api.disposition import parse_disposition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('form-data; name="a"', ("form-data", {"name": "a"})),
        ('FORM-DATA ; Name = "a" ;', ("form-data", {"name": "a"})),
        ("form-data;; name=a; filename= b c.json ", ("form-data", {"name": "a", "filename": "b c.json"})),
        ('file; a="x;y;z"', ("file", {"a": "x;y;z"})),
        ('form-data; filename=""; name=a', ("form-data", {"filename": "", "name": "a"})),
        (r'form-data; name="a"; filename="\"\\;"', ("form-data", {"name": "a", "filename": r'"\;'})),
        ("form-data; name=a; filename*=utf-8'de'%C3%BC%3B.json", ("form-data", {"name": "a", "filename*": "ü;.json"})),
        ("form-data", ("form-data", {})),
    ],
)
def test_disposition_is_read(text: str, expected: tuple[str, dict[str, str]]) -> None:
    assert parse_disposition(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("form data; name=a", id="two words"),
        pytest.param("form-data; name", id="no value"),
        pytest.param('form-data; name="a', id="open quotes"),
        pytest.param('form-data; name="a"b', id="more behind quotes"),
        pytest.param('form-data; name="a"; NAME="b"', id="twice"),
        pytest.param("form-data" + ' ;  a="\\"' * 2_000, id="long"),
    ],
)
def test_malformed_disposition_says_nothing(text: str) -> None:
    assert parse_disposition(text) == ("", {})
