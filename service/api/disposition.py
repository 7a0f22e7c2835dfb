"""The Content-Disposition of a form's part (RFC 7578, section 4.2), as clients write it."""

import re
from urllib.parse import unquote

_NAME = r'[^\s=;"]++\s*+=\s*+'
_HEADER = re.compile(rf'\s*+([^\s;]*+)((?:\s*+;\s*+(?:{_NAME}(?:"(?:[^"\\]|\\.)*+"|[^";]*+))?+)*+)\s*+')
_PARAM = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^";]*+))')
_ESCAPED = re.compile(r"\\(.)")


def parse_disposition(text: str) -> tuple[str, dict[str, str]]:
    r"""Return the kind and the parameters, their names in small letters; no parameters where it is malformed.

    Whatever stands in quotes is part of a value. A value that names its character set (RFC 8187) is decoded as UTF-8.

    >>> parse_disposition('form-data; name="a"; filename="x; y \\"z\\".json"')
    ('form-data', {'name': 'a', 'filename': 'x; y "z".json'})
    >>> parse_disposition("form-data; name=a; filename*=UTF-8''%C3%A9.json")
    ('form-data', {'name': 'a', 'filename*': 'é.json'})
    """
    header = _HEADER.fullmatch(text)
    if header is None:
        return "", {}
    params: dict[str, str] = {}
    for name, quoted, plain in _PARAM.findall(header[2]):
        if name.lower() in params:
            return "", {}
        value = _ESCAPED.sub(r"\1", quoted) or plain.strip()
        params[name.lower()] = unquote(value.rpartition("'")[2]) if name.endswith("*") else value
    return header[1].lower(), params
