"""What each move of a case asks for, as a form needs it: made from the table of moves itself."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Literal

from pydantic import Field

from hotline.console.case_shapes import FACTS, Days, Ids, Names
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.shapes import Id, Name, Told
from routing.cases import Explanation, Move, Reached, Role, Solved
from routing.moves import MOVES

# fmt: off
Sort = Literal[
    "text", "name", "choice", "flag", "time", "days", "level1", "area", "unit", "units", "person",
    "case", "statutory", "evidence",
]
# fmt: on


class Condition(Told):
    """Another field of the same form and the value that calls for this one."""

    field: str
    value: str | bool


class FieldView(Told):
    """One field of a move's form."""

    name: str
    sort: Sort
    must: bool = Field(description="The move is refused without it.")
    choices: tuple[str, ...] = Field(description="Of a choice: what may be chosen.")
    when: Condition | None = Field(
        description="Asked for only where another field holds this value, and needed there."
    )
    unless: str | None = Field(description="Needed where that other field is empty.")


class MoveFormView(Told):
    """The form of one move."""

    move: Move
    fields: tuple[FieldView, ...]


class Forms(Told):
    """The forms of all moves that people make, in the table's order."""

    forms: tuple[MoveFormView, ...]


_SORTS: Mapping[str, Sort] = {
    "level1": "level1",
    "area": "area",
    "unit": "unit",
    "statutory": "statutory",
    "person": "person",
}
_BY_TYPE: tuple[tuple[Any, Sort], ...] = (
    (Names, "units"),
    (Ids, "evidence"),
    (Days, "days"),
    (Id, "case"),
    (bool, "flag"),
    (Name, "name"),
)
_NARROWED: Mapping[tuple[Move, str], tuple[StrEnum, ...]] = {
    (Move.ANSWER, "solved"): (Solved.YES, Solved.NO),
    (Move.CALL_BACK_TRIED, "result"): (Reached.NOT_REACHED, Reached.REFUSED, Reached.LATER),
    (Move.CLOSE, "result"): (Reached.REACHED, Reached.NOT_REACHED, Reached.REFUSED),
}
"""What the guards of a move leave of a choice (routing/guards.py)."""
_WHEN: Mapping[tuple[Move, str], tuple[str, str | bool]] = {
    (Move.ANSWER, "withheld_reason"): ("publish", False),
    (Move.ANSWER, "beyond_duty_reason"): ("beyond_duty", True),
    (Move.ANSWER, "unsolved_reason"): ("solved", Solved.NO),
    (Move.CLOSE, "solved"): ("result", Reached.REACHED),
    (Move.CLOSE, "satisfied"): ("result", Reached.REACHED),
    (Move.EXPLAIN, "same_as"): ("explanation", Explanation.SAME_MATTER),
}
"""What the guards of a move ask for beside the table, and when."""
_UNLESS: Mapping[tuple[Move, str], str] = {(Move.ANSWER, "not_contacted"): "contacted_at"}


async def move_forms(asked: Request) -> Forms:  # noqa: ARG001 - the table is the same for all
    """What each move asks for, with its choices and what one field makes of another."""
    return Forms(forms=_forms())


@cache
def _forms() -> tuple[MoveFormView, ...]:
    return tuple(
        MoveFormView(move=move, fields=tuple(_in_order(move)))
        for move, rule in MOVES.items()
        if rule.roles != {Role.SYSTEM}
    )


def _in_order(move: Move) -> Iterator[FieldView]:
    """The fields of a move, each followed by those that it calls for."""
    rule = MOVES[move]
    names = (*rule.carries, *rule.takes)
    called = {name for name in names if (move, name) in _WHEN}
    for name in names:
        if name not in called:
            yield _field(move, name)
            yield from (_field(move, it) for it in names if _when(move, it) == name)


def _when(move: Move, name: str) -> str | None:
    return _WHEN[move, name][0] if (move, name) in _WHEN else None


def _field(move: Move, name: str) -> FieldView:
    kind = FACTS.get(name, str)
    chosen = isinstance(kind, type) and issubclass(kind, StrEnum)
    when = _WHEN.get((move, name))
    return FieldView(
        name=name,
        sort="choice" if chosen else _sort(name, kind),
        must=name in MOVES[move].carries,
        choices=tuple(_NARROWED.get((move, name), tuple(kind))) if chosen else (),
        when=Condition(field=when[0], value=when[1]) if when else None,
        unless=_UNLESS.get((move, name)),
    )


def _sort(name: str, kind: object) -> Sort:
    if name in _SORTS:
        return _SORTS[name]
    if name == "contacted_at":
        return "time"
    return next((sort for known, sort in _BY_TYPE if kind == known), "text")


ENDPOINTS = (get("/api/catalogue/moves", move_forms, Forms),)
