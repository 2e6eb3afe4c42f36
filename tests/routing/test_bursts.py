from datetime import UTC, datetime, timedelta

import pytest

from routing.bursts import BurstSort, chance_of, unusual

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def before(*hours: float) -> list[datetime]:
    return [NOW - timedelta(hours=hour) for hour in hours]


@pytest.mark.parametrize(
    ("cases", "usual", "chance"),
    [
        (1, 1.0, 0.6321),
        (5, 1.0, 0.00366),
        (10, 2.0, 4.65e-5),
        (4, 0.05, 2.503e-7),
        (2, 9.0, 0.99877),
    ],
)
def test_the_chance_is_that_of_the_poisson_distribution(
    cases: int, usual: float, chance: float
) -> None:
    assert chance_of(cases, usual) == pytest.approx(chance, rel=2e-3)


def test_four_alike_within_an_hour_where_there_never_was_one_are_a_burst() -> None:
    found = unusual(BurstSort.ALIKE, before(0, 0.2, 0.5, 0.9), NOW)
    assert found is not None
    assert (found.cases, found.stretch.length) == (4, timedelta(hours=1))
    assert unusual(BurstSort.ALIKE, before(0, 0.2, 0.5), NOW) is None


def test_what_comes_slower_is_seen_over_a_day() -> None:
    found = unusual(BurstSort.ALIKE, before(0, 3, 6, 9, 15, 20), NOW)
    assert found is not None
    assert found.stretch.length == timedelta(days=1)


def test_where_many_are_usual_the_same_number_is_none() -> None:
    """Half an hour apart for four weeks: forty-eight a day, two an hour."""
    usual = before(*(n / 2 for n in range(1, 2 * 24 * 29)))
    assert unusual(BurstSort.CATEGORY, [NOW, *usual], NOW) is None
    burst = [NOW - timedelta(minutes=n) for n in range(20)]
    found = unusual(BurstSort.CATEGORY, [*burst, *usual], NOW)
    assert found is not None
    assert found.usual == pytest.approx(2.0, rel=0.01)


def test_what_follows_a_case_is_not_counted_for_it() -> None:
    later = [NOW + timedelta(minutes=n) for n in range(1, 6)]
    assert unusual(BurstSort.ALIKE, [*later, NOW], NOW) is None
