"""Erlang C and Erlang A against the published vector, a chain of states, and each other."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.erlang import Traffic, erlang_b, rostered, seats_needed, service
from metrics.errors import NoSuchStaffing

LOADS = st.floats(1, 600)
SECONDS = st.floats(20, 900)
PATIENCE = st.floats(5, 1200)


def traffic(calls: float, seconds: float = 210, patience: float | None = None) -> Traffic:
    return Traffic(calls_per_hour=calls, handling_seconds=seconds, patience=patience)


def test_erlang_c_meets_the_published_check_vector() -> None:
    """80 calls in 8 h of 270 s, two seats, 20 s: domain facts 3.4."""
    found = service(traffic(10, 270), 2, 20)
    assert traffic(10, 270).erlangs == pytest.approx(0.75)
    assert found.waits == pytest.approx(0.2045, abs=5e-5)
    assert found.mean_wait == pytest.approx(44.2, abs=0.05)
    assert found.in_time == pytest.approx(0.8135, abs=5e-5)
    assert found.occupancy == pytest.approx(0.375)


@pytest.mark.parametrize(
    ("calls", "usual", "promised", "mean_wait"),
    [(10, 2, 3, 2.0), (20, 3, 4, 2.5), (60, 6, 8, 1.4), (120, 10, 12, 2.6), (264, 20, 22, 2.5)],
)
def test_the_seats_of_the_table_are_found(
    calls: int, usual: int, promised: int, mean_wait: float
) -> None:
    assert seats_needed(traffic(calls), target=20, share=0.80).seats == usual
    found = seats_needed(traffic(calls), target=15, share=0.95)
    assert (found.seats, round(found.mean_wait, 1)) == (promised, mean_wait)


def by_states(calls: float, seconds: float, patience: float, seats: int) -> tuple[float, float]:
    """Who waits and who hangs up, from the balance of each state of the line with the next."""
    logs, found = [0.0], 0.0
    for there in range(1, seats + 4000):
        out = min(there, seats) / seconds + max(0, there - seats) / patience
        found += math.log(calls / 3600 / out)
        logs.append(found)
        if there > seats and found < max(logs) - 60:
            break
    most = max(logs)
    shares = [math.exp(one - most) for one in logs]
    whole = math.fsum(shares)
    waits = math.fsum(shares[seats:]) / whole
    queue = math.fsum((n - seats) * it for n, it in enumerate(shares) if n > seats) / whole
    return waits, queue / patience / (calls / 3600)


@given(calls=LOADS, seconds=SECONDS, patience=PATIENCE, seats=st.integers(1, 60))
def test_erlang_a_is_what_the_balance_of_states_says(
    calls: float, seconds: float, patience: float, seats: int
) -> None:
    found = service(traffic(calls, seconds, patience), seats, 15)
    waits, lost = by_states(calls, seconds, patience, seats)
    assert found.waits == pytest.approx(waits, abs=1e-6)
    assert found.lost == pytest.approx(lost, abs=1e-6)


@given(calls=LOADS, seconds=SECONDS, seats=st.integers(1, 60))
def test_endless_patience_is_erlang_c(calls: float, seconds: float, seats: int) -> None:
    load = traffic(calls, seconds).erlangs
    if load > 0.9 * seats:
        return
    patient = service(traffic(calls, seconds, 1e9), seats, 15)
    endless = service(traffic(calls, seconds), seats, 15)
    assert patient.waits == pytest.approx(endless.waits, abs=1e-5)
    assert patient.in_time == pytest.approx(endless.in_time, abs=1e-5)


@settings(max_examples=20)
@given(calls=LOADS, seconds=SECONDS, patience=st.none() | PATIENCE, target=st.floats(0, 120))
def test_a_seat_more_never_makes_anybody_wait_longer(
    calls: float, seconds: float, patience: float | None, target: float
) -> None:
    some = traffic(calls, seconds, patience)
    rows = [service(some, seats, target) for seats in range(1, 40, 3)]
    for fewer, more in pairwise(rows):
        assert more.in_time >= fewer.in_time - 1e-6
        assert more.mean_wait <= fewer.mean_wait + 1e-6
    for one in rows:
        assert 0 <= one.in_time <= 1
        assert 0 <= one.lost <= 1
        assert one.occupancy <= 1


@settings(max_examples=20)
@given(calls=LOADS, seconds=SECONDS, patience=st.none() | PATIENCE)
def test_the_seats_needed_are_enough_and_one_less_is_not(
    calls: float, seconds: float, patience: float | None
) -> None:
    some = traffic(calls, seconds, patience)
    found = seats_needed(some, target=15, share=0.95)
    assert found.in_time >= 0.95
    if found.seats > 1:
        assert service(some, found.seats - 1, 15).in_time < 0.95


def test_an_overfull_line_without_patience_only_fills_up() -> None:
    found = service(traffic(120), 7, 15)
    assert (found.in_time, found.mean_wait, found.occupancy) == (0, math.inf, 1)
    assert erlang_b(7, 7) == pytest.approx(0.2489, abs=1e-4)


def test_very_large_and_very_quiet_lines_are_answered_too() -> None:
    assert service(traffic(0), 1, 15).in_time == 1
    assert service(traffic(0.01, 60, 60), 300, 15).in_time == pytest.approx(1)
    crowd = service(traffic(2_000_000, 300, 30), 100, 15)
    assert crowd.lost == pytest.approx(1 - 100 / traffic(2_000_000, 300).erlangs, abs=1e-6)


def test_what_makes_no_sense_is_said_in_a_sentence() -> None:
    for bad in (
        lambda: traffic(-1),
        lambda: traffic(10, 0),
        lambda: traffic(10, 60, 0),
        lambda: traffic(float("nan")),
        lambda: service(traffic(10), 0, 15),
        lambda: seats_needed(traffic(10), target=15, share=1.0),
        lambda: seats_needed(traffic(1e9), target=15, share=0.95),
        lambda: rostered(5, 1.0),
    ):
        with pytest.raises(NoSuchStaffing):
            bad()
    assert rostered(7, 0.3) == 10
