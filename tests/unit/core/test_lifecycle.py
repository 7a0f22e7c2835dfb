from typing import Any, get_args

import pytest

from service.core.lifecycle import MOVES, State, Verb, check_move, check_verb, status_of
from service.errors import InvalidTransitionError

STATES = get_args(State)
VERBS = get_args(Verb)
LEGAL = {
    ("pending", "apply"),
    ("pending", "cancel"),
    ("dispatched", "confirm"),
    ("dispatched", "cancel"),
    ("dispatched", "expire"),
    ("applied", "revert"),
    ("failed", "retry"),
    ("reverted", "apply"),
}


@pytest.mark.parametrize(("state", "verb"), sorted(LEGAL))
def test_legal_verbs_pass(state: Any, verb: Any) -> None:
    check_verb(state, verb)


@pytest.mark.parametrize(
    ("state", "verb"), [(state, verb) for state in STATES for verb in VERBS if (state, verb) not in LEGAL]
)
def test_every_other_verb_is_refused_with_the_legal_ones(state: Any, verb: Any) -> None:
    with pytest.raises(InvalidTransitionError) as caught:
        check_verb(state, verb)

    assert f"is {state}" in caught.value.detail
    assert set(caught.value.violations[0].expected) == {each for legal_in, each in LEGAL if legal_in == state}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("outcome", STATES)
def test_a_move_is_legal_only_if_the_table_has_it(state: Any, verb: Any, outcome: Any) -> None:
    if outcome in MOVES[state].get(verb, ()):
        check_move(state, verb, outcome)
    else:
        with pytest.raises(InvalidTransitionError):
            check_move(state, verb, outcome)


def test_every_state_is_reached_and_left() -> None:
    reached = {outcome for verbs in MOVES.values() for outcomes in verbs.values() for outcome in outcomes}

    assert reached | {"pending"} == set(STATES) == set(MOVES)
    assert all(MOVES.values())


def test_reverted_shows_as_applied() -> None:
    assert [status_of(state) for state in STATES] == ["pending", "dispatched", "applied", "failed", "applied"]
