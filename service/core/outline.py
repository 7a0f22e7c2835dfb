"""The outline of a JSON text: its brackets and the quotes around its strings, which tell much at little cost."""

from collections.abc import Iterator

_OTHER = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_BACKSLASH = ord("\\")  # a byte is found faster than bytes
_SQUARE = bytes.maketrans(b"{}", b"[]")


def outline_of(text: bytes) -> bytes:
    r"""Give the brackets, all as square ones, and the quotes of a valid text, those in strings too.

    >>> outline_of(b'{"a\\"]": [1, "}"]}')
    b'[""]"["]"]]'
    """
    return text.translate(_SQUARE, _OTHER)


def has_more_strings(text: bytes, outline: bytes, encoded: bytes) -> bool:
    """Say whether a text has more strings than what `msgspec` wrote of its value."""
    if has_escaped_quotes(text):
        return without_escapes(encoded).count(b'"') < without_escapes(text).count(b'"')
    return encoded.count(b'"') < outline.count(b'"')  # quotes in strings are escaped alike in both


def has_escaped_quotes(text: bytes) -> bool:
    """Say whether a text may spell quotes by their code, as `msgspec` never does."""
    return _BACKSLASH in text and text.find(b"u0022") >= 0


def without_escapes(text: bytes) -> bytes:
    r"""Leave out every backslash and the character it escapes.

    >>> without_escapes(b'["a\\\\", "\\"b"]')
    b'["a", "b"]'
    """
    return b"".join(_between_escapes(text)) if _BACKSLASH in text else text


def may_be_deeper(text: bytes, outline: bytes, max_depth: int) -> bool:
    """Say whether containers may nest deeper than that; where they do, the answer is yes.

    The brackets are counted in blocks: within one, depth rises by no more than open in it.
    """
    if outline.count(b"[") <= max_depth:
        return False
    if _BACKSLASH in text:
        outline = outline_of(without_escapes(text))
    if 2 * outline.count(b'""') != outline.count(b'"'):  # some string holds brackets
        outline = b"".join(outline.split(b'"')[::2])
    brackets = outline.translate(None, b'"')
    block = max_depth + max_depth // 2 + 1  # half of them open, as a rule
    depth = 0
    for start in range(0, len(brackets), block):
        opening = brackets.count(b"[", start, start + block)
        if depth + opening > max_depth:
            return True
        depth += 2 * opening - block
    return False


def _between_escapes(text: bytes) -> Iterator[bytes]:
    pieces = iter(text.split(b"\\"))
    yield next(pieces)
    for piece in pieces:
        yield piece[1:] if piece else next(pieces)  # nothing between two backslashes: the second is escaped
