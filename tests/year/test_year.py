"""A short year, lived through the real code and counted anew; the long one is `make case-year`."""

from datetime import timedelta

from hotline.database import Pool
from tests.year.run import Year


async def test_a_year_counted_anew_from_its_journal_is_the_same_to_the_last_digit(
    pool: Pool,
) -> None:
    report = await Year(pool, seed=8).live(250, timedelta(hours=24))
    assert report.differences == []
    assert report.counts["cases"] == 250
    # It was no quiet year: what is to be shown did happen.
    for what in ("refuse_return", "accept_return", "grant_extension", "redo", "reopen"):
        assert report.counts[what] > 0, what
    assert report.events["reminder.due"] > 20
    assert report.events["supervision.opened"] > 10
    for figure in ("moves by deputies", "limits that ended unkept"):
        assert report.figures[figure] != 0, figure
