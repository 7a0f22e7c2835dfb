"""What the options of a comparison say about one place of a document: a lazy automaton over their patterns."""

from service.core.options import ArrayRule, FamilyOptions, Pattern
from service.core.values import Json

_COVERED = frozenset({-1})
"""The state of a pattern that has matched at this place or above it."""

States = tuple[frozenset[int], ...]
Token = str | int


class Place:
    """A place as the options see it; places that the patterns cannot tell apart are one object.

    `outside`: what is here takes no part. `passing`: only something deeper can take part (`only`).
    """

    __slots__ = ("_next", "_rules", "_states", "outside", "passing", "rule", "tolerance")

    def __init__(self, rules: "_Rules", states: States, *, outside: bool = False) -> None:
        self._rules, self._states = rules, states
        self._next: dict[tuple[bool, str], Place] = {}
        self.outside = outside or rules.is_outside(states)
        self.passing = rules.is_passing(states)
        self.rule = rules.array_rule(states)
        self.tolerance = rules.tolerance(states)

    def child(self, token: Token) -> "Place":
        """Give the place of a member (a name) or an item (an index)."""
        rules = self._rules
        if not rules.vocabulary or self.outside:
            return self
        key = rules.classify(token)
        found = self._next.get(key)
        if found is None:
            found = self._next[key] = rules.enter(self._states, key)
        return found

    @property
    def strips(self) -> bool:
        """Whether anything can be outside at all."""
        return self._rules.strips


class _Rules:
    """The patterns of all options in one row, so that one state of each makes a place."""

    def __init__(self, options: FamilyOptions) -> None:
        diff = options.diff
        self.names = diff.ignored_names
        arrays = [rule for rule in diff.arrays if rule.path is not None]
        tolerances = [each for each in diff.tolerances if each.path is not None]
        self._rules: list[ArrayRule] = arrays
        self._distances = [each.distance for each in tolerances]
        self._default_rule = next(
            (rule for rule in reversed(diff.arrays) if rule.path is None), ArrayRule(options.alignment)
        )
        self._default_distance = next((each.distance for each in reversed(diff.tolerances) if each.path is None), 0.0)
        self._patterns: list[Pattern] = [
            *diff.ignored_paths,
            *diff.only,
            *(rule.path or () for rule in arrays),
            *(each.path or () for each in tolerances),
        ]
        self._ignored = slice(0, len(diff.ignored_paths))
        self._only = slice(self._ignored.stop, self._ignored.stop + len(diff.only))
        self._arrays = slice(self._only.stop, self._only.stop + len(arrays))
        self._tolerances = slice(self._arrays.stop, len(self._patterns))
        self.strips = bool(self.names or diff.ignored_paths or diff.only)
        self.vocabulary = {*self.names, *(token for pattern in self._patterns for token in pattern)}
        if self._patterns:
            self.vocabulary.add("*")
        self._places: dict[tuple[States, bool], Place] = {}

    def root(self) -> Place:
        return self._place(tuple(_closed({0}, pattern) for pattern in self._patterns), outside=False)

    def classify(self, token: Token) -> tuple[bool, str]:
        """Make one of all tokens that no pattern names."""
        is_index = isinstance(token, int)
        text = str(token)
        return is_index, text if text in self.vocabulary else "\0"

    def enter(self, states: States, key: tuple[bool, str]) -> Place:
        is_index, token = key
        following = tuple(map(_step, states, self._patterns, [token] * len(states), self._sticky()))
        return self._place(following, outside=not is_index and token in self.names)

    def is_outside(self, states: States) -> bool:
        only = states[self._only]
        return any(map(self._covered, states[self._ignored], self._patterns[self._ignored])) or (
            bool(only) and not any(only)
        )

    def is_passing(self, states: States) -> bool:
        only = states[self._only]
        return bool(only) and not any(map(self._covered, only, self._patterns[self._only]))

    def array_rule(self, states: States) -> ArrayRule:
        """Give the last rule whose pattern matches here, not above."""
        fitting = zip(self._rules, states[self._arrays], self._patterns[self._arrays], strict=True)
        return [self._default_rule, *(rule for rule, state, pattern in fitting if len(pattern) in state)][-1]

    def tolerance(self, states: States) -> float:
        fitting = zip(self._distances, states[self._tolerances], self._patterns[self._tolerances], strict=True)
        return [self._default_distance, *(each for each, state, pattern in fitting if self._covered(state, pattern))][
            -1
        ]

    def _sticky(self) -> list[bool]:
        """Say for each pattern whether it covers what lies below its match; rules for arrays do not."""
        return [not self._arrays.start <= index < self._arrays.stop for index in range(len(self._patterns))]

    @staticmethod
    def _covered(state: frozenset[int], pattern: Pattern) -> bool:
        return state == _COVERED or len(pattern) in state

    def _place(self, states: States, *, outside: bool) -> Place:
        key = (states, outside)
        if key not in self._places:
            self._places[key] = Place(self, states, outside=outside)
        return self._places[key]


def root_place(options: FamilyOptions) -> Place:
    """Give the place of the whole document."""
    return _Rules(options).root()


def strip(value: Json, place: Place) -> Json:
    """Give the value without what takes no part; the value itself where everything does.

    >>> from service.core.options import DiffOptions
    >>> strip({"a": 1, "b": 2}, root_place(FamilyOptions(DiffOptions(ignored_names=frozenset({"b"})))))
    {'a': 1}
    """
    if not place.strips:
        return value
    kind = type(value)
    if kind is dict:
        kept: dict[str, Json] = {}
        for name, member in value.items():
            inner = place.child(name)
            if not _leaves(member, inner):
                kept[name] = strip(member, inner)
        return kept
    if kind is list:
        items: list[Json] = []
        for index, item in enumerate(value):
            inner = place.child(index)
            if not _leaves(item, inner):
                items.append(strip(item, inner))
        return items
    return value


def _leaves(value: Json, place: Place) -> bool:
    return place.outside or (place.passing and type(value) not in {dict, list})


def _step(state: frozenset[int], pattern: Pattern, token: str, sticky: bool) -> frozenset[int]:
    if sticky and (state == _COVERED or len(pattern) in state):
        return _COVERED
    return _closed(
        {
            position if pattern[position] == "**" else position + 1
            for position in state
            if position < len(pattern) and pattern[position] in {"*", "**", token}
        },
        pattern,
    )


def _closed(states: set[int], pattern: Pattern) -> frozenset[int]:
    """Add the states that `**` reaches by standing for nothing."""
    for state in sorted(states):
        following = state
        while following < len(pattern) and pattern[following] == "**":
            following += 1
            states.add(following)
    return frozenset(states)
