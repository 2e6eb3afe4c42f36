"""A short year, lived through the real code and counted anew; the long one is `make case-year`."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hotline.database import Connection, Pool, borrowed
from tests.year import city, compare
from tests.year.recount import Recount
from tests.year.run import Year


async def test_a_year_counted_anew_from_its_journal_is_the_same_to_the_last_digit(
    pool: Pool, tmp_path: Path
) -> None:
    year = Year(pool, seed=13, logs=[tmp_path / "log.jsonl"], reported=(2, 8))
    report = await year.live(250, timedelta(hours=24))
    assert report.differences == []
    assert report.counts["cases"] == 250
    # It was no quiet year: what is to be shown did happen.
    for what in ("refuse_return", "accept_return", "grant_extension", "redo", "reopen"):
        assert report.counts[what] > 0, what
    assert report.events["reminder.due"] > 20
    assert report.events["supervision.opened"] > 10
    for figure in ("moves by deputies", "limits that ended unkept"):
        assert report.figures[figure] != 0, figure
    async with borrowed(pool) as conn:
        assert len(year.log.talks) == report.counts["calls"]
        year.log.talks.pop()
        year.log.lives.pop(0)
        wrong = await city.differences(conn, year.log, year.now, past=True)
        for word in ("connect: asked is", "connect is", "direct is", "handling: due is"):
            assert any(word in it for it in wrong), word
        year.log.talks.clear()
        assert await year.shown_otherwise(conn)
        await what_is_wrong_is_found(conn, year)


async def what_is_wrong_is_found(conn: Connection, year: Year) -> None:
    """Each comparison, with one thing made wrong."""
    await conn.execute(
        """UPDATE supervisions SET ends_at = ends_at + interval '1 s'
            WHERE id = (SELECT min(id) FROM supervisions WHERE trigger = 'overdue'
                           AND stage = 'handling')"""
    )
    assert len(await compare.supervision(conn, year.recount)) == 2
    told = await year.told_anew(conn, year.now)
    late = next(it for it in year.recount.lives if it.answers and it.due and it.due < year.now)
    late.answers.clear()
    assert any("handled is" in it for it in compare.rates(told, year.recount, year.now))
    late.due = late.due and late.due + timedelta(days=1)
    assert len(year.recount.wrongly_dated()) == 1
    away = year.staff.absences[0]
    move = replace(year.recount.moves[0], actor=away.who, at=away.since)
    year.recount.moves.append(move)
    assert any("while away" in it for it in compare.absences(year.staff, year.recount)[0])
    await conn.execute("UPDATE cases SET owner = 'nobody' WHERE id = 7")
    assert any("owner" in it for it in await compare.journal(conn, year.recount))
    await conn.execute("ALTER TABLE journal DISABLE TRIGGER journal_kept")
    await conn.execute("UPDATE journal SET actor = 'nobody' WHERE id = 500")
    found = Recount()
    await found.read(conn)
    assert any("row 500 was changed" in it for it in found.faults)
