"""What is typed into the search, and what it is taken for."""

import pytest

from routing.numbers import case_number
from routing.searching import Sought, can_be_found, sought
from tests.routing.life import NOON

NUMBER = case_number(42, NOON)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (NUMBER, Sought(number=NUMBER)),
        (NUMBER.replace("-", ""), Sought(number=NUMBER)),
        (
            f" {NUMBER} ".translate(str.maketrans("0123456789", "０１２３４５６７８９")),
            Sought(number=NUMBER),
        ),
        ("20261123", Sought(begins="20261123-")),
        ("20261123-0000", Sought(begins="20261123-0000")),
        ("5678", Sought(tail="5678")),
        ("５６７８", Sought(tail="5678")),
        ("567", Sought(words="567")),
        ("13890115678", Sought(words="13890115678")),
        ("路灯坏了", Sought(words="路灯坏了")),
        ("12路公交", Sought(words="12路公交")),
    ],
)
def test_what_is_typed_is_taken_for_one_thing(typed: str, found: Sought) -> None:
    assert sought(typed, callers=True) == found


def test_who_may_not_see_callers_finds_no_caller() -> None:
    assert sought("5678", callers=False) == Sought(words="5678")
    assert sought(NUMBER, callers=False) == Sought(number=NUMBER)


@pytest.mark.parametrize(("words", "enough"), [("路灯", True), ("路", False), ("，。！", False)])
def test_one_character_is_not_enough(words: str, *, enough: bool) -> None:
    assert can_be_found(words) is enough
