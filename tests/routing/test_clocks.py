"""The clocks of the stages, extensions, reminders and previews: examples and properties."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.asking import check_extension, check_return, check_statutory
from routing.calendar import Calendar
from routing.cases import Channel, Kind, Urgency
from routing.clocks import (
    Clock,
    ClockFacts,
    Entered,
    Extension,
    clocks_of,
    extended,
    main_clock,
    moment_of,
    share_used,
    stage_clock,
    stages_of,
)
from routing.deadlines import Standing, after
from routing.errors import CalendarEnds, LimitMissing, NotLonger, TooLate
from routing.limits import Limit, Stage, Starts, Unit
from routing.policy import Policy, load_policies, newest
from routing.preview import Preview, preview
from routing.reminding import (
    SHARES,
    Mark,
    held_until,
    next_look,
    reminders_of,
    warnings_due,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
PACKS = load_policies(Path(__file__).resolve().parents[2] / "deploy" / "policies")
STARTS = st.datetimes(
    datetime(2025, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(2026, 10, 31),  # noqa: DTZ001 - likewise
    timezones=st.just(UTC),
)
EACH = st.sampled_from(sorted(PACKS))
HELP = ClockFacts(kind=Kind.HELP, urgency=Urgency.NORMAL)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def opened(at: datetime, **more: object) -> ClockFacts:
    return replace(HELP, opened_at=at, **more)  # type: ignore[arg-type]


def main(facts: ClockFacts, policy: Policy, calendar: Calendar) -> Clock:
    clock = main_clock(facts, policy, calendar)
    assert clock is not None
    return clock


# --- stages ----------------------------------------------------------------------------------
def test_the_stages_follow_from_the_moves(sichuan: Policy, calendar: Calendar) -> None:
    at = [local(f"2026-11-23T{hour:02}:00") for hour in range(8, 20)]
    moves = zip(
        at,
        (
            *("draft", "open", "consulting", "consulting", "open", "dispatched"),
            *("return_asked", "dispatched", "handling", "answered", "calling_back", "closed"),
        ),
        strict=True,
    )
    stages = stages_of(moves)
    assert [(one.stage, one.at.hour, one.left_at and one.left_at.hour) for one in stages] == [
        (Stage.INTAKE, 8, 9),
        (Stage.DISPATCH, 9, 10),
        (Stage.CONSULTATION, 10, 12),
        (Stage.DISPATCH, 12, 13),
        (Stage.SIGN, 13, 14),
        (Stage.RETURN_RULING, 14, 15),
        (Stage.SIGN, 15, 16),
        (Stage.AUDIT, 17, 18),
        (Stage.CALL_BACK, 18, 19),
    ]
    found = clocks_of(opened(at[1], stages=stages, stopped_at=at[9]), sichuan, calendar)
    assert found.running() == ()
    assert [clock.standing(at[11]) for clock in found.clocks] == [Standing.ON_TIME] * 9
    assert len(found.missing) == 1  # a telephone call is taken in while it lasts
    assert "no limit for the stage intake" in found.missing[0]


def test_a_stage_that_lasts_is_running_and_then_overdue(
    sichuan: Policy, calendar: Calendar
) -> None:
    stages = stages_of(
        [(local("2026-11-23T10:00"), "open"), (local("2026-11-23T11:00"), "dispatched")]
    )
    found = clocks_of(opened(local("2026-11-23T10:00"), stages=stages), sichuan, calendar)
    handling, sign = found.running()
    assert (handling.stage, sign.stage) == (Stage.HANDLING, Stage.SIGN)
    end = local("2026-11-24T18:00")
    assert sign.standing(end) is Standing.RUNNING
    assert sign.standing(end + timedelta(seconds=1)) is Standing.OVERDUE
    late = replace(sign, stopped_at=end + timedelta(seconds=1))
    assert late.standing(end + timedelta(days=9)) is Standing.LATE
    assert "天津" in sign.rule.basis


def test_a_limit_may_start_with_the_dispatch_or_the_next_working_day(
    sichuan: Policy, calendar: Calendar
) -> None:
    limit = sichuan.limit(Kind.HELP, Urgency.NORMAL)
    with_dispatch = limit.model_copy(update={"starts": Starts.DISPATCH})
    pack = sichuan.model_copy(update={"limits": (with_dispatch,)})
    facts = opened(local("2026-11-20T10:00"))
    assert main_clock(facts, pack, calendar) is None
    sent = replace(facts, dispatched_at=local("2026-11-23T10:00"))
    assert main(sent, pack, calendar).ends_at == local("2026-12-02T18:00")

    def ends(amount: int, unit: Unit) -> datetime:
        update = {"starts": Starts.NEXT_WORKING_DAY, "amount": amount, "unit": unit}
        return after(local("2026-11-20T22:00"), limit.model_copy(update=update), sichuan, calendar)

    # Friday evening: Monday is the first day.
    assert ends(1, Unit.WORKING_DAYS) == local("2026-11-23T18:00")
    assert ends(3, Unit.WORKING_DAYS) == local("2026-11-25T18:00")
    assert ends(1, Unit.CALENDAR_DAYS) == local("2026-11-23T18:00")
    assert ends(7, Unit.CALENDAR_DAYS) == local("2026-11-29T18:00")
    assert ends(2, Unit.HOURS) == local("2026-11-23T11:00")
    assert ends(30, Unit.MINUTES) == local("2026-11-23T09:30")


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.HANDLING])
def test_no_stage_is_computed_past_the_calendar(
    sichuan: Policy, calendar: Calendar, stage: Stage
) -> None:
    entered = Entered(stage=stage, at=local("2026-12-31T10:00"))
    facts = replace(HELP, channel=Channel.WEB)
    if sichuan.stage_limit(stage, Kind.HELP, Urgency.NORMAL, channel="web").unit in {
        Unit.HOURS,
        Unit.MINUTES,
    }:
        needs_no_holiday = stage_clock(entered, facts, sichuan, calendar)
        assert needs_no_holiday.ends_at > entered.at
        return
    with pytest.raises(CalendarEnds, match="2027"):
        stage_clock(entered, facts, sichuan, calendar)


def test_neither_main_limit_nor_extension_is_computed_past_the_calendar(
    sichuan: Policy, calendar: Calendar
) -> None:
    with pytest.raises(CalendarEnds, match="2027"):
        main_clock(opened(local("2026-12-28T10:00")), sichuan, calendar)
    longer = Extension(amount=10, unit=Unit.WORKING_DAYS)
    facts = opened(local("2026-12-14T10:00"), extensions=(longer,))
    assert main_clock(replace(facts, extensions=()), sichuan, calendar)
    with pytest.raises(CalendarEnds, match="2027"):
        main_clock(facts, sichuan, calendar)


# --- extensions, returns, statutes -----------------------------------------------------------
def extension(amount: int, unit: Unit = Unit.WORKING_DAYS) -> Extension:
    return Extension(amount=amount, unit=unit)


def test_an_extension_gives_a_new_end_and_keeps_the_old(
    sichuan: Policy, calendar: Calendar
) -> None:
    facts = opened(local("2026-11-23T12:00"), extensions=(extension(5),))
    clock = main(facts, sichuan, calendar)
    assert clock.first_end == local("2026-12-02T18:00")
    assert clock.extensions == (clock.first_end,)
    assert clock.ends_at == local("2026-12-09T18:00")


def test_an_extension_is_asked_for_in_time_once_and_not_too_long(
    sichuan: Policy, calendar: Calendar
) -> None:
    clock = main(opened(local("2026-11-23T12:00")), sichuan, calendar)
    asked = local("2026-12-02T18:00")
    new = check_extension(clock, extension(10), asked, sichuan, calendar)
    assert new == local("2026-12-16T18:00")
    with pytest.raises(TooLate, match="before the limit ends; this one ended on 2026-12-02 18:00"):
        check_extension(clock, extension(5), asked + timedelta(seconds=1), sichuan, calendar)
    with pytest.raises(TooLate, match=r"at most 10 working days .* 11 working days were asked"):
        check_extension(clock, extension(11), asked, sichuan, calendar)
    with pytest.raises(TooLate, match=r"at most 10 working days .* 20 calendar days were asked"):
        check_extension(clock, extension(20, Unit.CALENDAR_DAYS), asked, sichuan, calendar)
    again = main(opened(local("2026-11-23T12:00"), extensions=(extension(5),)), sichuan, calendar)
    with pytest.raises(TooLate, match="was extended 1 times, and 1 is the most"):
        check_extension(again, extension(1), asked, sichuan, calendar)
    with pytest.raises(TooLate, match="jinan-2018/1 gives no rule on extensions"):
        check_extension(clock, extension(1), asked, newest(PACKS, "jinan-2018"), calendar)


def test_beijings_ordinary_seven_days_become_the_complex_fifteen(calendar: Calendar) -> None:
    pack = newest(PACKS, "beijing-2021")
    eight = extension(8, Unit.CALENDAR_DAYS)
    clock = main(opened(local("2026-11-23T12:00"), extensions=(eight,)), pack, calendar)
    assert clock.first_end == local("2026-11-30T18:00")
    assert clock.ends_at == local("2026-12-08T18:00")


def test_a_return_is_asked_for_within_its_days(sichuan: Policy, calendar: Calendar) -> None:
    given_at, last = local("2026-11-23T10:00"), local("2026-11-25T18:00")
    assert check_return(HELP, given_at, last, sichuan, calendar).ends_at == last
    with pytest.raises(TooLate, match="had to be asked for until 2026-11-25 18:00"):
        check_return(HELP, given_at, last + timedelta(seconds=1), sichuan, calendar)
    with pytest.raises(LimitMissing):
        check_return(HELP, given_at, last, newest(PACKS, "weifang-2021"), calendar)


def test_a_laws_longer_limit_counts_with_its_basis_and_a_shorter_one_does_not(
    sichuan: Policy, calendar: Calendar
) -> None:
    plain = main(opened(local("2026-05-25T12:00")), sichuan, calendar)
    law = check_statutory(plain, "petition", sichuan, calendar)
    clock = main(opened(local("2026-05-25T12:00"), statutory="petition"), sichuan, calendar)
    assert clock.rule == law
    assert clock.ends_at == local("2026-07-24T18:00")
    assert "信访工作条例" in clock.rule.basis
    complaint = replace(opened(local("2026-05-25T12:00")), kind=Kind.COMPLAINT)
    same = main(complaint, sichuan, calendar)
    with pytest.raises(NotLonger, match="does not end later than the policy's own"):
        check_statutory(same, "market-report-check", sichuan, calendar)
    cited = main(replace(complaint, statutory="market-report-check"), sichuan, calendar)
    assert cited == same
    with pytest.raises(LimitMissing, match=r"knows no statutory limit 'tax' .*petition"):
        check_statutory(plain, "tax", sichuan, calendar)


@given(start=STARTS, amount=st.integers(1, 20), unit=st.sampled_from(Unit), pack=EACH)
def test_an_extension_never_shortens(
    calendar: Calendar, start: datetime, amount: int, unit: Unit, pack: str
) -> None:
    policy = PACKS[pack]
    clock = main(opened(start), policy, calendar)
    assert extended(clock.ends_at, extension(amount, unit), policy, calendar) > clock.ends_at


@given(
    start=STARTS,
    later=st.timedeltas(timedelta(0), timedelta(days=20)),
    pack=EACH,
    stage=st.sampled_from(Stage),
    kind=st.sampled_from(Kind),
    urgency=st.sampled_from(Urgency),
)
def test_no_clock_that_starts_later_ends_earlier(  # noqa: PLR0917 - what Hypothesis draws
    calendar: Calendar,
    start: datetime,
    later: timedelta,
    pack: str,
    stage: Stage,
    kind: Kind,
    urgency: Urgency,
) -> None:
    policy = PACKS[pack]
    try:
        limit = policy.stage_limit(stage, kind, urgency)
    except LimitMissing:
        return
    first = after(start, limit, policy, calendar)
    assert start < first <= after(start + later, limit, policy, calendar)
    if limit.unit is Unit.WORKING_DAYS:
        assert calendar.is_working(first.astimezone(SHANGHAI).date())


# --- shares and reminders --------------------------------------------------------------------
def test_nothing_is_used_up_in_a_holiday(sichuan: Policy, calendar: Calendar) -> None:
    # Opened on the last working day before the Spring Festival of 2026, at noon.
    clock = main(opened(local("2026-02-14T12:00")), sichuan, calendar)
    before, after_it = local("2026-02-15T00:00"), local("2026-02-24T00:00")
    assert share_used(clock, calendar, clock.starts_at) == 0.0
    assert share_used(clock, calendar, before) == share_used(clock, calendar, after_it) > 0
    assert share_used(clock, calendar, clock.ends_at) == 1.0
    assert share_used(clock, calendar, clock.ends_at + timedelta(days=1)) > 1.0


@given(
    start=STARTS,
    pack=EACH,
    kind=st.sampled_from(Kind),
    urgency=st.sampled_from(Urgency),
    percents=st.tuples(st.integers(1, 100), st.integers(1, 100)),
)
def test_the_moment_of_a_share_is_that_share(  # noqa: PLR0917 - what Hypothesis draws
    calendar: Calendar,
    start: datetime,
    pack: str,
    kind: Kind,
    urgency: Urgency,
    percents: tuple[int, int],
) -> None:
    facts = ClockFacts(kind=kind, urgency=urgency, opened_at=start)
    clock = main(facts, PACKS[pack], calendar)
    less, more = sorted(percents)
    at = moment_of(clock, calendar, less)
    assert share_used(clock, calendar, at) == pytest.approx(less / 100, abs=1e-6)
    assert clock.starts_at < at <= moment_of(clock, calendar, more) <= clock.ends_at
    if clock.rule.unit is Unit.WORKING_DAYS:
        assert calendar.is_working((at - timedelta(microseconds=1)).astimezone(SHANGHAI).date())


def test_a_reminder_comes_at_50_80_and_100_per_cent_once(
    sichuan: Policy, calendar: Calendar
) -> None:
    urgent = replace(opened(local("2026-11-23T22:00")), urgency=Urgency.URGENT)
    clock = main(urgent, sichuan, calendar)  # 24 hours
    reminders = reminders_of([clock], Urgency.URGENT, sichuan, calendar)
    assert [(one.mark.share, one.at) for one in reminders] == [
        (50, local("2026-11-24T10:00")),
        (80, local("2026-11-24T17:12")),
        (100, local("2026-11-24T22:00")),
    ]

    def due(now: datetime, sent: int = 0) -> list[int]:
        marks = [one.mark for one in reminders[:sent]]
        found = warnings_due(reminders, marks, Urgency.URGENT, sichuan, now)
        return [one.mark.share for one in found]

    assert due(local("2026-11-24T09:59")) == []
    assert due(local("2026-11-24T10:00")) == [50]
    assert due(local("2026-11-24T10:00"), sent=1) == []
    assert due(local("2026-11-25T03:00"), sent=1) == [80, 100]  # at night, for it is urgent
    assert due(local("2026-11-25T03:00"), sent=3) == []
    stopped = replace(clock, stopped_at=local("2026-11-24T01:00"))
    assert reminders_of([stopped], Urgency.URGENT, sichuan, calendar) == ()


def test_an_ordinary_reminder_waits_for_the_morning(sichuan: Policy, calendar: Calendar) -> None:
    clock = main(opened(local("2026-11-23T12:00")), sichuan, calendar)
    half = reminders_of([clock], Urgency.NORMAL, sichuan, calendar)[0]
    night = replace(half, at=local("2026-11-24T23:00"))
    morning = local("2026-11-25T08:00")
    assert held_until(night.at, Urgency.NORMAL, sichuan) == morning
    assert held_until(night.at, Urgency.URGENT, sichuan) == night.at
    assert held_until(local("2026-11-25T07:59"), Urgency.NORMAL, sichuan) == morning
    held = replace(night, send_at=held_until(night.at, Urgency.NORMAL, sichuan))
    now = night.at + timedelta(minutes=1)
    assert warnings_due([held], [], Urgency.NORMAL, sichuan, now) == ()
    assert next_look([held], [], Urgency.NORMAL, sichuan, now) == morning
    assert warnings_due([held], [], Urgency.NORMAL, sichuan, morning) == (held,)
    # One that was missed in the evening is not sent at night either.
    missed = replace(half, at=local("2026-11-24T20:00"), send_at=local("2026-11-24T20:00"))
    assert warnings_due([missed], [], Urgency.NORMAL, sichuan, now) == ()
    assert next_look([missed], [], Urgency.NORMAL, sichuan, now) == morning
    assert next_look([missed], [missed.mark], Urgency.NORMAL, sichuan, now) is None
    no_quiet = newest(PACKS, "sichuan-2025/1")
    assert held_until(night.at, Urgency.NORMAL, no_quiet) == night.at


@given(start=STARTS, steps=st.lists(st.timedeltas(timedelta(0), timedelta(days=4)), max_size=12))
def test_however_often_one_looks_each_share_is_told_once_and_none_is_lost(
    sichuan: Policy, calendar: Calendar, start: datetime, steps: list[timedelta]
) -> None:
    clock = main(opened(start), sichuan, calendar)
    reminders = reminders_of([clock], Urgency.NORMAL, sichuan, calendar)
    now = start
    told: list[Mark] = []
    for step in [*steps, timedelta(days=60), timedelta(hours=12)]:
        now += step
        told += [one.mark for one in warnings_due(reminders, told, Urgency.NORMAL, sichuan, now)]
        waits = next_look(reminders, told, Urgency.NORMAL, sichuan, now)
        assert waits is None or waits > now
    assert [mark.share for mark in told] == list(SHARES)


# --- preview ---------------------------------------------------------------------------------
def test_a_preview_counts_what_a_change_does(sichuan: Policy, calendar: Calendar) -> None:
    now = local("2026-12-01T12:00")
    weifang = newest(PACKS, "weifang-2021")
    cases = [
        (1, opened(local("2026-11-23T12:00"))),  # 7 days -> 5: was due tomorrow, now yesterday
        (2, opened(local("2026-11-30T12:00"))),  # 7 -> 5, still in time
        (3, replace(opened(local("2026-11-24T12:00")), kind=Kind.CONSULT)),  # 3 -> 5, late before
        (4, replace(opened(local("2026-11-30T12:00")), urgency=Urgency.EMERGENCY)),  # the same
        (5, HELP),  # a draft
        (6, opened(local("2026-11-23T12:00"), stopped_at=local("2026-11-24T12:00"))),  # answered
        (7, opened(local("2026-12-24T12:00"))),  # past the calendar under one of them
    ]

    def under(old: Policy | None, new: Policy) -> Preview:
        return preview([(*case, old) for case in cases], new, calendar, now)

    found = under(sichuan, weifang)
    assert (found.cases, found.earlier, found.later, found.same, found.undated) == (6, 2, 1, 1, 2)
    assert (found.now_overdue, found.no_longer_overdue) == ([1], [3])
    assert [one.case_id for one in found.moved] == [1, 2, 3]
    back = under(weifang, sichuan)
    assert (back.earlier, back.later) == (1, 2)
    assert (back.now_overdue, back.no_longer_overdue) == ([3], [1])
    assert under(sichuan, sichuan).same == 4
    gone = under(None, sichuan)
    assert (gone.undated, gone.moved) == (6, [])
    gone.add(found)
    assert (gone.cases, gone.undated, gone.moved) == (12, 8, found.moved)


def test_limits_know_no_summer_time(sichuan: Policy, calendar: Calendar) -> None:
    """Shanghai has had one offset since 1991, so that a day always has 24 hours."""
    offsets = {
        (datetime(2025, 1, 1, tzinfo=SHANGHAI) + timedelta(days=n)).utcoffset() for n in range(730)
    }
    assert offsets == {timedelta(hours=8)}
    day = Limit.model_validate({"amount": 24, "unit": "hours", "basis": "t", "origin": "ours"})
    start = local("2026-03-29T00:30")
    assert after(start, day, sichuan, calendar) == local("2026-03-30T00:30")
