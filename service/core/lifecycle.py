"""The lifecycle of an application: one patch on one target.

                    apply               confirm
        ┌─────────┐ ───────▶ dispatched ───────▶ ┌─────────┐  revert  ┌──────────┐
        │ pending │                              │ applied │ ───────▶ │ reverted │
        └─────────┘ ───── apply (built in) ────▶ └─────────┘          └──────────┘
             │                                                             │ apply
             │ apply, cancel      dispatched                               ▼
             ▼                        │ confirm, cancel, expire      as from pending
        ┌─────────┐ ◀─────────────────┘
        │ failed  │ ── retry ──▶ as from pending
        └─────────┘

A pair of patch and target without an application is `pending`. A reverted application still shows the status
`applied`: the patch was applied, and another patch took it back. `MOVES` is this picture as data; nothing else
decides what is legal.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from service.errors import InvalidTransitionError, Violation

Status = Literal["pending", "dispatched", "applied", "failed"]
State: TypeAlias = Literal["pending", "dispatched", "applied", "failed", "reverted"]
Verb = Literal["apply", "retry", "confirm", "cancel", "expire", "revert"]

_STARTED: frozenset[State] = frozenset({"dispatched", "applied", "failed"})

MOVES: Mapping[State, Mapping[Verb, frozenset[State]]] = {
    "pending": {"apply": _STARTED, "cancel": frozenset({"failed"})},
    "dispatched": {
        "confirm": frozenset({"applied", "failed"}),
        "cancel": frozenset({"failed"}),
        "expire": frozenset({"failed"}),
    },
    "applied": {"revert": frozenset({"reverted"})},
    "failed": {"retry": _STARTED},
    "reverted": {"apply": _STARTED},
}
"""From a state, by a verb, to the states it may lead to."""


def check_verb(state: State, verb: Verb, what: str = "The application") -> None:
    """Raise `InvalidTransitionError` naming the state and what is legal in it, unless `verb` is.

    >>> check_verb("failed", "retry")
    """
    if verb in MOVES[state]:
        return
    legal = ", ".join(MOVES[state])
    detail = f"{what} is {state}: '{verb}' is not possible; legal in this state: {legal}."
    violation = Violation(code=InvalidTransitionError.code, detail=detail, expected=list(MOVES[state]), actual=state)
    raise InvalidTransitionError(detail, violations=(violation,))


def check_move(state: State, verb: Verb, outcome: State) -> None:
    """Raise `InvalidTransitionError` unless the verb is legal in the state and may lead to the outcome.

    >>> check_move("pending", "apply", "applied")
    """
    check_verb(state, verb)
    if outcome not in MOVES[state][verb]:
        possible = ", ".join(sorted(MOVES[state][verb]))
        raise InvalidTransitionError(f"'{verb}' leads from {state} to {possible}, not to {outcome}.")


def status_of(state: State) -> Status:
    """Give the status that a state shows.

    >>> status_of("reverted")
    'applied'
    """
    return "applied" if state == "reverted" else state
