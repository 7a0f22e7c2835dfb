from service.api.naming import Names

NAMES = Names(
    {
        "Side": {"enum": ["a", "b"]},
        "Sides": {"type": "array", "items": {"enum": ["a", "b"]}},
    },
    "#/{name}",
)


def test_a_shape_that_has_a_name_is_referred_to_wherever_it_stands() -> None:
    assert NAMES.refer({"properties": {"side": {"enum": ["a", "b"]}}}) == {"properties": {"side": {"$ref": "#/Side"}}}


def test_a_shape_that_holds_a_named_one_is_known_by_its_own_name() -> None:
    assert NAMES.refer([{"type": "array", "items": {"enum": ["a", "b"]}}]) == [{"$ref": "#/Sides"}]
    assert NAMES.components["Sides"] == {"type": "array", "items": {"$ref": "#/Side"}}


def test_choices_are_the_same_in_any_order() -> None:
    assert NAMES.refer({"type": "string", "enum": ["b", "a"]}) == {"$ref": "#/Side"}


def test_what_is_said_about_the_place_stays() -> None:
    place = {"enum": ["a", "b"], "default": "a", "description": "which one"}

    assert NAMES.refer(place) == {"$ref": "#/Side", "default": "a", "description": "which one"}


def test_values_are_left_alone() -> None:
    node = {"example": {"enum": ["a", "b"]}, "examples": [{"enum": ["a", "b"]}], "type": "object"}

    assert NAMES.refer(node) == node


def test_a_reference_says_all_about_a_shape() -> None:
    assert NAMES.refer({"type": "object", "$ref": "#/Other"}) == {"$ref": "#/Other"}
