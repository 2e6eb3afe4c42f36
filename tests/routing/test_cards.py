from dataclasses import fields
from datetime import date

import pytest
from pydantic import ValidationError

from routing.cards import CardText, asked_grams, grams, stale, text_grams, title_grams
from routing.city_changes import PARTS, Changes, Delta, changes
from routing.city_files import CityData
from routing.directory import City


def card(**more: object) -> CardText:
    facts: dict[str, object] = {
        "title": "社会保障卡补办",
        "unit": "labour",
        "category": "劳动和社会保障",
        "keywords": ("社保卡丢了",),
        "materials": ("身份证",),
        "procedure": ("到窗口申请",),
        "limit": "当场办结",
        "address": "政务中心",
        "transport": "乘3路",
        "hours": "工作日",
        "review": date(2027, 3, 31),
    }
    return CardText.model_validate({**facts, **more})


def test_pairs_of_characters_are_what_is_found() -> None:
    assert grams("社保卡") == {"社", "保", "卡", "社保", "保卡"}
    assert grams("公交 3路，站") == {"公", "交", "公交", "3", "路", "3路", "站"}
    assert grams("ＡＢ") == grams("ab") == {"a", "b", "ab"}
    assert asked_grams("社保卡") == {"社保", "保卡"}
    assert asked_grams("社") == {"社"}
    assert asked_grams("，。") == frozenset()


def test_a_card_is_found_by_what_it_says() -> None:
    assert title_grams(card()) >= {"社会", "补办", "丢了"}
    assert "窗口" in text_grams(card()) - title_grams(card())
    assert text_grams(card()) >= title_grams(card())


@pytest.mark.parametrize("block", ["materials", "procedure", "limit", "address", "transport"])
def test_a_card_lacks_no_block(block: str) -> None:
    with pytest.raises(ValidationError):
        card(**{block: () if block in {"materials", "procedure"} else " "})


def test_a_card_is_stale_when_its_day_has_passed() -> None:
    assert not stale(card(), date(2027, 3, 31))
    assert stale(card(), date(2027, 4, 1))


def test_changes_name_what_was_added_changed_and_removed(city: City, data: CityData) -> None:
    assert [field.name for field in fields(Changes)] == list(PARTS)
    first = changes(None, data)
    assert first.units.added == tuple(unit.name for unit in city.units)
    assert len(first.cards.added) == len(city.cards)
    assert not any(getattr(changes(data, data), part) for part in PARTS)
    left = tuple(it for it in data.units.units if it.id != "power")
    units = data.units.model_copy(update={"units": left})
    cards = data.cards.model_copy(
        update={
            "cards": (
                data.cards.cards[0].model_copy(update={"limit": "3 日"}),
                *data.cards.cards[1:],
            )
        }
    )
    second = changes(data, data.model_copy(update={"units": units, "cards": cards}))
    assert second.units == Delta(removed=("国网供电公司",))
    assert second.cards.changed == (data.cards.cards[0].id,)


def test_a_card_changes_with_the_address_of_its_unit(data: CityData) -> None:
    moved = tuple(
        it.model_copy(update={"address": "新址"}) if it.id == "labour" else it
        for it in data.units.units
    )
    units = data.units.model_copy(update={"units": moved})
    found = changes(data, data.model_copy(update={"units": units}))
    assert found.units.changed == ("市人力资源和社会保障局",)
    assert found.cards.changed == ("social-card-replace", "wages-complaint", "unemployment-benefit")
