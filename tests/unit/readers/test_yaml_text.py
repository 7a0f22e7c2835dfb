import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import values
from service.errors import MalformedJsonError, ServiceError, TooDeepError, TooLargeError
from service.readers.yaml_text import MAX_DEPTH, MAX_YAML_BYTES, yaml_to_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('aé"\\ :#-'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aé ?:", max_size=3), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", b"null", id="empty"),
        pytest.param("# only a comment", b"null", id="comment"),
        pytest.param("a: 1\nb: [x, 'y']\n", b'{"a":1,"b":["x","y"]}', id="block and flow"),
        pytest.param('{"a":1,"b":[true,null]}', b'{"a":1,"b":[true,null]}', id="json"),
        pytest.param("\ufeffa: 1", b'{"a":1}', id="byte order mark"),
        pytest.param("- yes\n- on\n- No", b'["yes","on","No"]', id="words of YAML 1.1 are text"),
        pytest.param("[true, True, FALSE, ~, null, '']", b'[true,true,false,null,null,""]', id="core schema words"),
        pytest.param("- \n- 1", b"[null,1]", id="empty item"),
        pytest.param("[017, 0o17, 0x1F, +1, -0]", b"[17,15,31,1,-0]", id="integers"),
        pytest.param("[.5, 5., 1.5e+3, -1.10]", b"[0.5,5.0,1.5e+3,-1.10]", id="fractions"),
        pytest.param(
            "[1_000, 1e, e1, ., 0x, 190:20:30]", b'["1_000","1e","e1",".","0x","190:20:30"]', id="not numbers"
        ),
        pytest.param("123456789012345678901234567890", b"123456789012345678901234567890", id="big integer"),
        pytest.param("2020-01-01", b'"2020-01-01"', id="date"),
        pytest.param("1: a\nnull: b\nyes: c", b'{"1":"a","null":"b","yes":"c"}', id="names are their own text"),
        pytest.param("a: &x {k: 1}\nb: *x", b'{"a":{"k":1},"b":{"k":1}}', id="alias"),
        pytest.param("&n 5: 1\nb: {*n : 2, c: *n}", b'{"5":1,"b":{"5":2,"c":5}}', id="anchored name"),
        pytest.param("a: &v true\n*v : 2", b'{"a":true,"true":2}', id="alias as a name"),
        pytest.param("[&a 1, *a, &a 2, *a]", b"[1,1,2,2]", id="anchor used again"),
        pytest.param("<<: {a: 1}", b'{"<<":{"a":1}}', id="merge keys are no part of YAML 1.2"),
        pytest.param("[!!str 1, !!int '3', !!null '', ! 4]", b'["1",3,null,"4"]', id="tags of the core schema"),
        pytest.param("a: |\n  1\n  2\n", b'{"a":"1\\n2\\n"}', id="block scalar"),
        pytest.param("0x" + "f" * 800, str(16**800 - 1).encode(), id="integer of any size"),
        pytest.param("%YAML 1.2\n---\na: 1\n...\n", b'{"a":1}', id="directive"),
    ],
)
def test_yaml_becomes_json(text: str, expected: bytes) -> None:
    assert yaml_to_json(text.encode(), 1000) == expected


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        pytest.param("a: 1\nb: 2\na: 3", 3, 1, '"a" is repeated', id="repeated name"),
        pytest.param('1: a\n"1": b', 2, 1, '"1" is repeated', id="repeated name, other spelling"),
        pytest.param("a: [1, 2\nb: 3", 2, 2, "expected", id="unclosed"),
        pytest.param("a: .inf", 1, 4, ".inf", id="infinity"),
        pytest.param("- -.INF", 1, 3, "-.INF", id="minus infinity"),
        pytest.param("- .NaN", 1, 3, ".NaN", id="not a number"),
        pytest.param("- 1e400", 1, 3, "1e400 is out of range", id="beyond doubles"),
        pytest.param("- " + "0x" + "f" * 3571, 1, 3, "is out of range", id="too many digits"),
        pytest.param("? [a]\n: 1", 1, 3, "scalar", id="array as a name"),
        pytest.param("a: &x [1]\n*x : 2", 2, 1, "scalar", id="alias of an array as a name"),
        pytest.param("a: *b", 1, 4, "*b", id="unknown alias"),
        pytest.param("&a [*a]", 1, 5, "*a", id="alias inside its anchor"),
        pytest.param("a: !!binary aGk=", 1, 4, "binary", id="binary"),
        pytest.param("a: !!python/object/apply:os.system [ls]", 1, 4, "python", id="object"),
        pytest.param("!mine {}", 1, 1, "!mine", id="application tag"),
        pytest.param("a: !!int abc", 1, 4, "'abc'", id="tag that does not fit"),
        pytest.param("a: !!int 1.5", 1, 4, "'1.5'", id="tag of another number"),
        pytest.param("a: !!bool 1", 1, 4, "'1'", id="tag of a truth"),
        pytest.param("--- a\n--- b", 2, 5, "several documents", id="two documents"),
        pytest.param('a: "\\ud800"', 1, 7, "Unicode", id="lone surrogate"),
    ],
)
def test_yaml_is_refused_with_line_and_column(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(MalformedJsonError) as caught:
        yaml_to_json(text.encode(), 1000)

    assert (caught.value.violations[0].line, caught.value.violations[0].column) == (line, column)
    assert says in caught.value.detail


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"a: 1\nb: \xff", "line 2: a byte", id="not UTF-8"),
        pytest.param("a: 1\nb: x\u2028y".encode(), r"line 2: write \u2028", id="line break of YAML 1.1"),
        pytest.param(b"a: \x01", "does not allow", id="control character"),
    ],
)
def test_characters_that_are_not_yaml_are_refused(content: bytes, says: str) -> None:
    with pytest.raises(MalformedJsonError) as caught:
        yaml_to_json(content, 1000)

    assert says in caught.value.detail


def test_aliases_are_bounded_by_what_they_copy() -> None:
    """The billion laughs: nine aliases, each of nine aliases, and so on."""
    rows = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20))]

    with pytest.raises(TooLargeError):
        yaml_to_json("\n".join(rows).encode(), 1_000_000)


def test_result_at_the_limit_passes() -> None:
    assert yaml_to_json(b"[1, 2]", 5) == b"[1,2]"


@pytest.mark.parametrize("text", [b"[1, 2]", b"abc", b"[&a 1, *a]"])
def test_result_above_the_limit_is_refused(text: bytes) -> None:
    with pytest.raises(TooLargeError):
        yaml_to_json(text, 4)


def test_long_yaml_is_refused_unread() -> None:
    with pytest.raises(TooLargeError, match="JSON"):
        yaml_to_json(b" " * (MAX_YAML_BYTES + 1), 100_000_000)


def test_nesting_at_the_limit_passes() -> None:
    text = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH

    assert yaml_to_json(text, 1000) == text


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_above_the_limit_is_refused_before_the_rest_is_read(opening: str) -> None:
    with pytest.raises(ServiceError) as caught:
        yaml_to_json((opening * 300_000).encode(), 10_000_000)

    assert isinstance(caught.value, TooDeepError | MalformedJsonError)


@given(JSON)
def test_json_reads_as_yaml(value: values.Json) -> None:
    text = values.encode(value)

    assert values.decode(yaml_to_json(text, 10_000), max_depth=200) == value


@given(st.text("ab:[]{}-? &*!|>'\"#\n%,.01\t") | st.text())
def test_any_text_is_json_or_a_refusal(text: str) -> None:
    try:
        result = yaml_to_json(text.encode(), 10_000)
    except ServiceError:
        return

    values.check(result, MAX_DEPTH)
