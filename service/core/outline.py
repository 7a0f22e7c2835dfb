"""The outline of a JSON text: its brackets and the quotes around its strings, which tell much at little cost."""

from collections.abc import Iterator

_OTHER = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_SQUARE = bytes.maketrans(b"{}", b"[]")


def outline_of(text: bytes) -> bytes:
    r"""Give the brackets of a valid text, and its quotes but for those that are escaped.

    >>> outline_of(b'{"a\\"]": [1, "}"]}')
    b'{"]"["}"]}'
    """
    return without_escapes(text).translate(None, _OTHER)


def without_escapes(text: bytes) -> bytes:
    r"""Leave out every backslash and the character it escapes.

    >>> without_escapes(b'["a\\\\", "\\"b"]')
    b'["a", "b"]'
    """
    return b"".join(_between_escapes(text)) if b"\\" in text else text


def may_be_deeper(outline: bytes, max_depth: int) -> bool:
    """Say whether containers may nest deeper than that; where they do, the answer is yes.

    The brackets are counted in blocks: within one, depth rises by less than there are brackets in it.
    """
    if len(outline) <= 2 * max_depth or outline.count(b"[") + outline.count(b"{") <= max_depth:
        return False
    brackets = _brackets(outline)
    block = max_depth // 2 + 1
    depth = 0
    for start in range(0, len(brackets), block):
        if depth + block > max_depth:
            return True
        depth += 2 * brackets.count(b"[", start, start + block) - block
    return False


def _brackets(outline: bytes) -> bytes:
    """Give the brackets outside strings, all of them square."""
    if 2 * outline.count(b'""') != outline.count(b'"'):  # some string holds brackets
        outline = b"".join(outline.split(b'"')[::2])
    return outline.translate(_SQUARE, b'"')


def _between_escapes(text: bytes) -> Iterator[bytes]:
    pieces = iter(text.split(b"\\"))
    yield next(pieces)
    for piece in pieces:
        yield piece[1:] if piece else next(pieces)  # nothing between two backslashes: the second is escaped
