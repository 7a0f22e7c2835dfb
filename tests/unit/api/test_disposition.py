"""Dispositions of parts as clients write them."""

import pytest

from service.api.disposition import parse_disposition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('form-data; name="a"', ("form-data", {"name": "a"})),
        ('FORM-DATA ; Name = "a" ;', ("form-data", {"name": "a"})),
        ("form-data;; name=a; filename= b c.json ", ("form-data", {"name": "a", "filename": "b c.json"})),
        ('file; A="x;y;z"', ("file", {"a": "x;y;z"})),
        ('form-data; filename=""; name=a', ("form-data", {"filename": "", "name": "a"})),
        (r'form-data; name="a"; filename="\"\\;"', ("form-data", {"name": "a", "filename": '"\\;'})),
        (r'form-data; name=a; filename="C:\b.json"', ("form-data", {"name": "a", "filename": r"C:\b.json"})),
        ("form-data; name=a; filename*=utf-8'de'%C3%BC%3B.json", ("form-data", {"name": "a", "filename": "ü;.json"})),
        ("form-data; name=a; filename=u; filename*=utf-8''%C3%BC", ("form-data", {"name": "a", "filename": "ü"})),
        ("form-data; name=a; filename*=nowhere''%ff%", ("form-data", {"name": "a", "filename": "ÿ%"})),
        ('form-data; name="a"; filename="\udcff"', ("form-data", {"name": "a", "filename": "\ufffd"})),
        ('form-data; name="a"; NAME="b"', ("form-data", {})),
        ("form-data; name", ("form-data", {"name": ""})),
        ("form-data", ("form-data", {})),
        ("", ("", {})),
        (";", ("", {})),
    ],
)
def test_disposition_is_read(text: str, expected: tuple[str, dict[str, str]]) -> None:
    assert parse_disposition(text) == expected
