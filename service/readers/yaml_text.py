"""From YAML 1.2 to JSON: libyaml finds the structure, the core schema's rules for scalars are applied here.

Events are turned into JSON text one by one, so that nothing is constructed, integers of any size stay exact, repeated
names are refused, and an alias costs what it copies, bounded like any input.
"""

import re

import msgspec
import yaml

from service.errors import MalformedJsonError, TooDeepError, TooLargeError
from service.readers.budget import too_large
from service.readers.yaml_scalar import TAG, fault, scalar_to_json

MAX_YAML_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 200

_OTHER_BREAKS = re.compile("[\x85\u2028\u2029]")


def yaml_to_json(content: bytes, max_bytes: int) -> bytes:
    r"""Turn one YAML document into JSON text of at most `max_bytes`.

    Raises `MalformedJsonError` with line and column, `TooDeepError`, `TooLargeError`.

    >>> yaml_to_json(b"name: core\nports: [80, 0x1BB]\n", 100)
    b'{"name":"core","ports":[80,443]}'
    """
    if len(content) > MAX_YAML_BYTES:
        raise TooLargeError(
            f"YAML is read up to {MAX_YAML_BYTES} bytes; send larger documents as JSON.",
            limit="yaml",
            maximum=MAX_YAML_BYTES,
        )
    parser = yaml.CSafeLoader(_decode(content))
    try:
        return _Composer(max_bytes).compose(parser)
    except yaml.MarkedYAMLError as error:
        raise fault(error.problem or "unexpected text", error.problem_mark or error.context_mark) from error
    except yaml.YAMLError as error:
        raise MalformedJsonError("Not valid YAML: it has a character that YAML does not allow.") from error
    finally:
        parser.dispose()


def _decode(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise MalformedJsonError(f"Not valid YAML at line {line}: a byte that is not UTF-8.", line=line) from error
    # YAML 1.1 broke lines here and 1.2 does not; the parser still does, which would change the text in silence.
    other = _OTHER_BREAKS.search(text)
    if other:
        line = text.count("\n", 0, other.start()) + 1
        escape = f"\\u{ord(other[0]):04x}"
        raise MalformedJsonError(f'Not read as YAML at line {line}: write {escape} inside "…" instead.', line=line)
    return text


class _Frame(msgspec.Struct):
    """A container that is being written; `names` is None in a sequence."""

    anchor: str | None
    start: int
    names: set[bytes] | None
    is_empty: bool = True
    expects_value: bool = False


class _Composer:
    """Writes JSON while events come in; anchors remember what their node became: a scalar, or a stretch of the text."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._out = bytearray()
        self._anchors: dict[str, bytes | tuple[int, int]] = {}
        self._frames: list[_Frame] = []
        self._has_root = False

    def compose(self, parser: yaml.CSafeLoader) -> bytes:
        while not isinstance(event := parser.get_event(), yaml.StreamEndEvent):
            match event:
                case yaml.ScalarEvent():
                    if event.anchor:
                        self._anchors[event.anchor] = scalar_to_json(event, is_name=False)
                    self._put(scalar_to_json(event, is_name=self._awaits_name()), event)
                case yaml.AliasEvent():
                    self._put(self._copy(event), event)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._open(event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._close()
        return bytes(self._out) or b"null"

    def _awaits_name(self) -> bool:
        return bool(self._frames) and self._frames[-1].names is not None and not self._frames[-1].expects_value

    def _put(self, text: bytes, event: yaml.NodeEvent) -> None:
        if self._awaits_name() and text[:1] != b'"':
            text = b'"' + text + b'"'
        self._separate(text, event)
        if len(self._out) + len(text) > self._max_bytes:
            raise too_large(self._max_bytes)
        self._out += text

    def _separate(self, text: bytes, event: yaml.NodeEvent) -> None:
        """Write what stands between the last node and this one, and note a member's name."""
        if not self._frames:
            if self._has_root:
                raise fault("the text holds several documents; send one of them", event.start_mark)
            self._has_root = True
            return
        frame = self._frames[-1]
        if frame.expects_value:
            self._out += b":"
            frame.expects_value = False
            return
        if not frame.is_empty:
            self._out += b","
        frame.is_empty = False
        if frame.names is not None:
            if text in frame.names:
                raise fault(f"the name {_shown(text)} is repeated in its mapping", event.start_mark)
            frame.names.add(text)
            frame.expects_value = True

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if self._awaits_name():
            raise fault("a name is a scalar; JSON has no others", event.start_mark)
        if event.tag not in {None, "!", TAG + ("map" if is_mapping else "seq")}:
            raise fault(f"the tag {event.tag[:60]} has no meaning in JSON", event.start_mark)
        if len(self._frames) >= MAX_DEPTH:
            raise TooDeepError(
                f"The document is nested deeper than {MAX_DEPTH} levels.", limit="max_depth", maximum=MAX_DEPTH
            )
        self._separate(b"", event)
        self._frames.append(_Frame(event.anchor, len(self._out), set() if is_mapping else None))
        self._out += b"{" if is_mapping else b"["

    def _close(self) -> None:
        frame = self._frames.pop()
        self._out += b"]" if frame.names is None else b"}"
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.start, len(self._out))
        if len(self._out) > self._max_bytes:
            raise too_large(self._max_bytes)

    def _copy(self, event: yaml.AliasEvent) -> bytes:
        if event.anchor not in self._anchors:
            raise fault(f"the alias *{event.anchor[:60]} stands before the end of its anchor", event.start_mark)
        kept = self._anchors[event.anchor]
        if isinstance(kept, bytes):
            return kept
        if self._awaits_name():
            raise fault("a name is a scalar; JSON has no others", event.start_mark)
        start, end = kept
        if len(self._out) + end - start > self._max_bytes:
            raise too_large(self._max_bytes)
        return bytes(self._out[start:end])


def _shown(text: bytes) -> str:
    return text[:60].decode(errors="replace")
