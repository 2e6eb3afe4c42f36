"""The page of definitions is made from the definitions; figures are shown with both numbers."""

from datetime import UTC, date, datetime

import asyncpg

from hotline.catalogue import LANGUAGES
from hotline.cli_indicators import of_days, page, shown
from metrics.indicators.every import INDICATORS
from metrics.indicators.store import figures


def test_the_page_tells_every_definition_whole() -> None:
    for language in LANGUAGES:
        text = "\n".join(page(language))
        for it in INDICATORS:
            told = text.split(f"(`{it.key}`)")[1].split("\n## ")[0]
            words = [it.name, it.formula, it.basis, *(fact.words for fact in it.facts)]
            for one in words[1:]:
                assert one.zh in told
                assert one.en in told
            assert f"## {it.name.zh} / {it.name.en} (`{it.key}`)" in text


async def test_days_are_the_citys_own_and_nothing_counted_is_no_rate(
    conn: asyncpg.Connection,
) -> None:
    scope = of_days(date(2026, 10, 1), date(2026, 10, 31), line=None, unit=None, lines=())
    assert scope.since == datetime(2026, 9, 30, 16, tzinfo=UTC)
    assert scope.until == datetime(2026, 10, 31, 16, tzinfo=UTC)
    found = await figures(conn, scope, INDICATORS)
    assert {shown(it) for it in found.values()} == {"—"}
