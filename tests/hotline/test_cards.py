"""Cards in a real database: versions, search, feedback, telling, and the defect of a card."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from hotline import card_rows, cards, told_rows
from hotline.card_rows import CardState, CardVersion, Verdict
from hotline.database import Pool, transaction
from hotline.errors import (
    CallUnknownError,
    CardChangedError,
    CardIncompleteError,
    CardUnknownError,
)
from routing.cards import MANDATORY, Block, CardText

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 25)


def text(title: str = "社会保障卡补办", **more: object) -> CardText:
    facts: dict[str, object] = {
        "title": title,
        "unit": "labour",
        "category": "劳动和社会保障",
        "materials": ("身份证",),
        "procedure": ("到窗口申请",),
        "limit": "当场办结",
        "address": "政务中心",
        "transport": "乘3路",
        "hours": "工作日",
        "review": date(2027, 3, 31),
    }
    return CardText.model_validate({**facts, **more})


async def published(pool: Pool, key: str, card: CardText) -> CardVersion:
    async with transaction(pool) as tx:
        return await cards.publish(tx, key, card, "li", NOW)


async def called(pool: Pool, number: int, at: datetime, caller: str | None = "u") -> None:
    """A call by one of two people, or by somebody whose number was withheld."""
    token = None
    if caller is not None:
        token = await pool.fetchval(
            "SELECT caller FROM calls WHERE linked_id LIKE $1 LIMIT 1", f"{caller}-%"
        ) or await pool.fetchval("INSERT INTO identities DEFAULT VALUES RETURNING token")
    await pool.execute(
        """INSERT INTO calls (id, system, linked_id, line, caller, started_at)
           VALUES ($1, 'x', $2, 'mayor', $3, $4)""",
        number,
        f"{caller}-{number}",
        token,
        at,
    )


async def tell(pool: Pool, card: CardVersion, call_id: int, at: datetime = NOW) -> told_rows.Told:
    async with transaction(pool) as tx:
        return await cards.tell(
            tx, card.card_id, card.version, call_id=call_id, blocks=MANDATORY, by="1001", at=at
        )


async def events(pool: Pool) -> list[str]:
    return [row["event"] for row in await pool.fetch("SELECT event FROM journal ORDER BY id")]


async def test_a_change_is_a_new_version_and_the_old_one_stays(pool: Pool) -> None:
    first = await published(pool, "social-card", text())
    async with transaction(pool) as tx:
        second = await cards.change(
            tx, first.card_id, 1, text(limit="3 日"), by="wang", at=NOW, reason="核实"
        )
        assert await card_rows.one_version(tx, first.card_id, 1) == first
        assert await card_rows.get(tx, first.card_id) == second
        assert [it.version for it in await card_rows.versions(tx, first.card_id)] == [2, 1]
    assert (second.version, second.by, second.reason, second.text.limit) == (
        2,
        "wang",
        "核实",
        "3 日",
    )
    assert await events(pool) == ["card.published", "card.published"]
    with pytest.raises(asyncpg.PostgresError, match="stay as they are"):
        await pool.execute("UPDATE card_versions SET title = 'x'")


async def test_of_two_who_change_one_version_one_is_told_so(pool: Pool) -> None:
    first = await published(pool, "social-card", text())

    async def change(limit: str) -> bool:
        try:
            async with transaction(pool) as tx:
                await cards.change(tx, first.card_id, 1, text(limit=limit), by="li", at=NOW)
        except CardChangedError as error:
            return "version 2" not in str(error)
        return True

    done = await asyncio.gather(*(change(f"{n} 日") for n in range(4)))
    assert sum(done) == 1
    with pytest.raises(CardChangedError, match="social-card already"):
        await published(pool, "social-card", text())
    async with transaction(pool) as tx:
        with pytest.raises(CardUnknownError):
            await cards.change(tx, 999, 1, text(), by="li", at=NOW)


async def test_typing_finds_the_card_that_fits_best_first(pool: Pool) -> None:
    social = await published(pool, "a", text(keywords=("社保卡丢了",)))
    licence = await published(
        pool, "b", text("驾驶证换证", category="政法/交通管理", unit="police")
    )
    house = await published(
        pool, "c", text("公租房申请", materials=("社保卡复印件",), unit="housing")
    )

    async def found(typed: str | None, **more: object) -> list[int]:
        async with transaction(pool) as tx:
            rows = await card_rows.search(tx, typed=typed, **more)  # type: ignore[arg-type]
        return [it.card.card_id for it in rows]

    assert await found("社保卡丢了怎么办") == [social.card_id, house.card_id]
    assert await found("社") == [social.card_id, house.card_id]
    assert await found("驾驶") == [licence.card_id]
    assert await found("，？") == await found("火星") == []
    assert len(await found(None)) == 3
    assert await found(None, unit="police") == [licence.card_id]
    assert await found(None, category="政法") == [licence.card_id]
    assert await found(None, category="政") == []
    assert await found("卡", limit=1) == [social.card_id]


async def test_a_thousand_cards_are_searched_by_the_index(pool: Pool) -> None:
    async with transaction(pool) as tx:
        for n in range(1000):
            title = f"事项{chr(0x4E00 + n)}{chr(0x5E00 + n)}办理"
            await card_rows.add(tx, f"card-{n}", text(title), by="li", at=NOW)
    async with transaction(pool) as tx:
        await tx.execute("SET LOCAL enable_seqscan = off")  # a thousand rows fit few pages
        plan = await tx.fetch(
            "EXPLAIN SELECT card_id FROM card_versions WHERE grams && $1::text[]", ["一帀"]
        )
    assert "card_versions_grams" in "\n".join(row[0] for row in plan)
    async with transaction(pool) as tx:
        (one,) = await card_rows.search(tx, typed=f"{chr(0x4E07)}{chr(0x5E07)}")
    assert one.card.key == "card-7"


async def test_stale_and_doubted_and_retired_cards_are_listed_apart(pool: Pool) -> None:
    old = await published(pool, "old", text("旧卡", review=date(2026, 11, 24)))
    new = await published(pool, "new", text("新卡", review=TODAY))
    async with transaction(pool) as tx:
        given = await cards.report(
            tx, new.card_id, 1, verdict=Verdict.OUTDATED, remark="地址已搬迁", by="1001", at=NOW
        )
        assert [it.card.key for it in await card_rows.search(tx, stale_on=TODAY)] == ["old"]
        (doubted,) = await card_rows.search(tx, reported=True)
        assert (doubted.card.key, doubted.reported) == ("new", 1)
        assert await card_rows.feedback(tx, new.card_id) == [given]
        # The next version answers what was said of the one before.
        await cards.change(tx, new.card_id, 1, text("新卡", address="新址"), by="li", at=NOW)
        assert await card_rows.search(tx, reported=True) == []
        with pytest.raises(CardUnknownError):
            await cards.report(
                tx, new.card_id, 9, verdict=Verdict.WRONG, remark="x", by="1001", at=NOW
            )
    async with transaction(pool) as tx:
        gone = await cards.retire(tx, old.card_id, 1, reason="事项取消", by="li", at=NOW)
        assert (gone.version, gone.state, gone.text) == (2, CardState.RETIRED, old.text)
        assert [it.card.key for it in await card_rows.search(tx)] == ["new"]
        (retired,) = await card_rows.search(tx, state=CardState.RETIRED)
        assert retired.card.key == "old"
        with pytest.raises(CardChangedError, match="retired already"):
            await cards.retire(tx, old.card_id, 2, reason="x", by="li", at=NOW)


@pytest.mark.parametrize("left_out", MANDATORY)
async def test_a_card_is_told_all_at_once_or_not(pool: Pool, left_out: Block) -> None:
    card = await published(pool, "a", text())
    await called(pool, 1, NOW)
    blocks = [block for block in Block if block is not left_out]
    async with transaction(pool) as tx:
        with pytest.raises(CardIncompleteError) as caught:
            await cards.tell(tx, card.card_id, 1, call_id=1, blocks=blocks, by="1001", at=NOW)
    assert caught.value.missing == (left_out.value,)
    assert await pool.fetchval("SELECT count(*) FROM cards_told") == 0


async def test_telling_is_noted_once_with_its_version(pool: Pool) -> None:
    card = await published(pool, "a", text())
    await called(pool, 1, NOW)
    first = await tell(pool, card, 1)
    assert (first.version, first.title, first.blocks) == (1, "社会保障卡补办", MANDATORY)
    again = await tell(pool, card, 1, NOW + timedelta(minutes=1))
    assert again == first
    assert (await events(pool)).count("card.told") == 1
    async with transaction(pool) as tx:
        changed = await cards.change(tx, card.card_id, 1, text(limit="3 日"), by="li", at=NOW)
    await tell(pool, changed, 1)
    async with transaction(pool) as tx:
        assert [it.version for it in await told_rows.of_call(tx, 1)] == [1, 2]
        with pytest.raises(CallUnknownError):
            await cards.tell(tx, card.card_id, 2, call_id=77, blocks=MANDATORY, by="1001", at=NOW)
        await cards.retire(tx, card.card_id, 2, reason="x", by="li", at=NOW)
        with pytest.raises(CardUnknownError, match="retired"):
            await cards.tell(tx, card.card_id, 3, call_id=1, blocks=MANDATORY, by="1001", at=NOW)


async def test_what_was_told_on_the_call_is_told_in_its_case(pool: Pool) -> None:
    card = await published(pool, "a", text())
    await called(pool, 1, NOW)
    await pool.execute(
        """INSERT INTO cases (number, call_id, line, state, owner) VALUES
           ('1', 1, 'mayor', 'draft', '1001'), ('2', NULL, 'mayor', 'draft', '1001')"""
    )
    with_call, without = [row["id"] for row in await pool.fetch("SELECT id FROM cases ORDER BY id")]
    async with transaction(pool) as tx:
        first = await cards.tell(
            tx, card.card_id, 1, case_id=with_call, blocks=MANDATORY, by="1001", at=NOW
        )
        assert (first.call_id, first.case_id) == (1, with_call)
        alone = await cards.tell(
            tx, card.card_id, 1, case_id=without, blocks=tuple(Block), by="1001", at=NOW
        )
        assert (alone.call_id, alone.case_id, alone.blocks) == (None, without, tuple(Block))
        assert await told_rows.of_case(tx, with_call) == [first]
        assert await told_rows.of_case(tx, without) == [alone]


async def test_a_caller_who_rings_again_on_the_matter_is_the_cards_defect(pool: Pool) -> None:
    card = await published(pool, "a", text())
    other = await published(pool, "b", text("驾驶证换证", category="政法/交通管理"))
    hour = timedelta(hours=1)
    # u is told and rings again on the matter; v is told another matter and rings on this one;
    # an unknown caller is told; w is told and rings again, but about something else, then late.
    for number, caller, at in (
        (1, "u", NOW - 2 * hour),
        (2, "u", NOW - hour),
        (3, "v", NOW - 2 * hour),
        (4, "v", NOW - hour),
        (5, None, NOW - 2 * hour),
        (6, "w", NOW - 2 * hour),
        (7, "w", NOW - hour),
        (8, "w", NOW + timedelta(days=40)),
    ):
        await called(pool, number, at, caller)
    category = {2: "劳动和社会保障", 4: "劳动和社会保障", 7: "城乡建设", 8: "劳动和社会保障"}
    for number, level1 in category.items():
        await pool.execute(
            """INSERT INTO cases (number, call_id, line, state, owner, level1)
               VALUES ($1, $2, 'mayor', 'draft', '1001', $3)""",
            str(number),
            number,
            level1,
        )
    for told, number in ((card, 1), (other, 3), (card, 5), (card, 6)):
        await tell(pool, told, number, NOW - 2 * hour + timedelta(minutes=1))
    span = (NOW - timedelta(days=1), NOW + timedelta(days=50))
    async with transaction(pool) as tx:
        repeats = await told_rows.repeats(tx, *span, within=timedelta(days=14))
        effects = await told_rows.effects(tx, *span, within=timedelta(days=14))
    assert [(it.told.call_id, it.again_call_id, it.told_again) for it in repeats] == [(1, 2, False)]
    assert [(it.title, it.told, it.repeats) for it in effects] == [
        ("社会保障卡补办", 2, 1),
        ("驾驶证换证", 1, 0),
    ]
    # The same card told again is the same matter whatever the call's category is.
    await tell(pool, card, 7, NOW - hour + timedelta(minutes=1))
    async with transaction(pool) as tx:
        again = await told_rows.repeats(tx, *span, within=timedelta(days=14), card_id=card.card_id)
    assert {(it.told.call_id, it.again_call_id, it.told_again) for it in again} == {
        (1, 2, False),
        (6, 7, True),
    }
