"""The Content-Disposition of a form's part (RFC 7578, section 4.2), as clients write it."""

from email.message import Message
from email.utils import collapse_rfc2231_value

_HEADER = "Content-Disposition"


def parse_disposition(text: str) -> tuple[str, dict[str, str]]:
    r"""Return the kind and the parameters, their names in small letters; nothing where it makes no sense.

    It makes none where `name` comes twice, or what is said in parts or by a character set cannot be put together.

    Whatever stands in quotes is part of a value. A value that names its character set (RFC 8187) is decoded, and goes
    before one that does not.

    >>> parse_disposition('form-data; name="a"; filename="x; y \\"z\\".json"')
    ('form-data', {'name': 'a', 'filename': 'x; y "z".json'})
    >>> parse_disposition("form-data; name=a; filename=e.json; filename*=UTF-8''%C3%A9.json")
    ('form-data', {'name': 'a', 'filename': 'é.json'})
    """
    message = Message()
    message[_HEADER] = text.encode(errors="surrogateescape").decode(errors="replace")  # it need not be UTF-8
    try:
        (kind, _), *found = message.get_params([("", "")], _HEADER)
        pairs = [(name.lower(), collapse_rfc2231_value(value)) for name, value in found if name]
    except (TypeError, ValueError):  # what the library makes of numbers of parts, and of codecs that are no charsets
        return "", {}
    is_twice = sum(name == "name" for name, _ in pairs) > 1
    return kind.lower(), {} if is_twice else dict(pairs)
