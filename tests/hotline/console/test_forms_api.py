"""The forms of the moves: what the table of moves and its guards ask for, and nothing else."""

from aiohttp import ClientSession

from routing.cases import Move, Role
from routing.moves import MOVES


async def _forms(visitor: ClientSession) -> dict[str, dict[str, dict[str, object]]]:
    async with visitor.get("/api/catalogue/moves") as answer:
        assert answer.status == 200
        told = await answer.json()
    return {form["move"]: {it["name"]: it for it in form["fields"]} for form in told["forms"]}


async def test_each_move_of_a_person_has_the_fields_of_its_row(visitor: ClientSession) -> None:
    forms = await _forms(visitor)
    people = {move for move, rule in MOVES.items() if rule.roles != {Role.SYSTEM}}
    assert set(forms) == people
    for move in people:
        rule = MOVES[move]
        assert set(forms[move]) == {*rule.carries, *rule.takes}
        assert {name for name, it in forms[move].items() if it["must"]} == set(rule.carries)


async def test_an_answer_asks_for_its_reasons_where_the_guards_do(visitor: ClientSession) -> None:
    answer = (await _forms(visitor))[Move.ANSWER]
    assert answer["solved"]["choices"] == ["yes", "no"]
    assert answer["unsolved_reason"]["when"] == {"field": "solved", "value": "no"}
    assert answer["withheld_reason"]["when"] == {"field": "publish", "value": False}
    assert answer["not_contacted"]["unless"] == "contacted_at"
    names = list(answer)
    assert names.index("unsolved_reason") == names.index("solved") + 1
    sorts = {name: answer[name]["sort"] for name in ("reply", "publish", "truth", "evidence")}
    assert sorts == {"reply": "text", "publish": "flag", "truth": "choice", "evidence": "evidence"}


async def test_every_field_has_a_sort_of_its_own(visitor: ClientSession) -> None:
    forms = await _forms(visitor)
    sorts = {name: it["sort"] for form in forms.values() for name, it in form.items()}
    expected = {"unit": "unit", "units": "units", "helpers": "units", "days": "days"}
    expected |= {"lead": "case", "same_as": "case", "contacted_at": "time", "person": "person"}
    assert {name: sorts[name] for name in expected} == expected
