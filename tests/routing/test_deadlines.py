from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.calendar import Calendar
from routing.cases import Case, CaseState, Kind, Urgency
from routing.deadlines import Standing, after, deadline_of, due, standing
from routing.errors import CalendarEnds, DataFault
from routing.policy import Limit, Policy, Unit, load_policies, newest, read_policy

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "policies" / "sichuan-2025.yaml"
STARTS = st.datetimes(
    datetime(2025, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(2026, 11, 30),  # noqa: DTZ001 - likewise
    timezones=st.just(UTC),
)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("kind", "urgency", "started", "ends"),
    [
        # The Sichuan rule: consult 3, help and suggestion 7, complaint and report 15 working days.
        (Kind.CONSULT, Urgency.NORMAL, "2026-11-23T12:00", "2026-11-26T18:00"),
        (Kind.HELP, Urgency.NORMAL, "2026-11-23T12:00", "2026-12-02T18:00"),
        (Kind.SUGGESTION, Urgency.NORMAL, "2026-11-23T12:00", "2026-12-02T18:00"),
        (Kind.COMPLAINT, Urgency.NORMAL, "2026-11-23T12:00", "2026-12-14T18:00"),
        (Kind.REPORT, Urgency.NORMAL, "2026-11-23T12:00", "2026-12-14T18:00"),
        # Over the Spring Festival of 2026 (15 to 23 February; the 14th and 28th are worked).
        (Kind.CONSULT, Urgency.NORMAL, "2026-02-12T09:00", "2026-02-24T18:00"),
        (Kind.HELP, Urgency.NORMAL, "2026-02-12T09:00", "2026-02-28T18:00"),
        # On a Saturday, late: the first day counted is Monday.
        (Kind.CONSULT, Urgency.NORMAL, "2026-11-21T23:59", "2026-11-25T18:00"),
        # Just after midnight in Shanghai it is still yesterday in UTC.
        (Kind.CONSULT, Urgency.NORMAL, "2026-11-24T00:10", "2026-11-27T18:00"),
        # Hours run through the National Day holiday.
        (Kind.HELP, Urgency.URGENT, "2026-10-01T10:00", "2026-10-02T10:00"),
        (Kind.INCIDENT, Urgency.EMERGENCY, "2026-10-01T10:00", "2026-10-01T11:00"),
        (Kind.HELP, Urgency.EMERGENCY, "2026-10-01T10:00", "2026-10-01T12:00"),
    ],
)
def test_the_sichuan_limits(  # noqa: PLR0917 - four columns of the table and two fixtures
    sichuan: Policy, calendar: Calendar, kind: Kind, urgency: Urgency, started: str, ends: str
) -> None:
    moment = due(kind, urgency, local(started).astimezone(UTC), sichuan, calendar)
    assert moment == local(ends)
    assert moment.tzinfo is UTC


@given(start=STARTS, days=st.integers(1, 15))
def test_working_days_equal_an_independent_count(
    sichuan: Policy, calendar: Calendar, start: datetime, days: int
) -> None:
    end = after(start, working_days(days), sichuan, calendar)
    first = start.astimezone(SHANGHAI).date() + timedelta(days=1)
    last = end.astimezone(SHANGHAI).date()
    assert len(chinese_calendar.get_workdays(first, last)) == days
    assert chinese_calendar.is_workday(last)


@given(start=STARTS, kind=st.sampled_from(Kind), urgency=st.sampled_from(Urgency))
def test_no_limit_ends_before_it_starts(
    sichuan: Policy, calendar: Calendar, start: datetime, kind: Kind, urgency: Urgency
) -> None:
    assert due(kind, urgency, start, sichuan, calendar) > start


@given(start=STARTS, later=st.timedeltas(timedelta(0), timedelta(days=20)))
def test_starting_later_never_ends_earlier(
    sichuan: Policy, calendar: Calendar, start: datetime, later: timedelta
) -> None:
    for days in (1, 3, 7):
        limit = working_days(days)
        try:
            second = after(start + later, limit, sichuan, calendar)
        except CalendarEnds:
            return
        assert after(start, limit, sichuan, calendar) <= second


@given(start=STARTS, days=st.integers(1, 14), unit=st.sampled_from(Unit))
def test_more_never_ends_earlier(
    sichuan: Policy, calendar: Calendar, start: datetime, days: int, unit: Unit
) -> None:
    shorter = working_days(days).model_copy(update={"unit": unit})
    longer = shorter.model_copy(update={"amount": days + 1})
    assert after(start, shorter, sichuan, calendar) < after(start, longer, sichuan, calendar)


def working_days(days: int) -> Limit:
    return Limit.model_validate(
        {"amount": days, "unit": "working_days", "basis": "test", "origin": "ours"}
    )


def test_a_promise_past_the_calendar_is_refused(sichuan: Policy, calendar: Calendar) -> None:
    with pytest.raises(CalendarEnds, match="2027"):
        due(Kind.COMPLAINT, Urgency.NORMAL, local("2026-12-20T10:00"), sichuan, calendar)


def test_a_start_without_zone_is_refused(sichuan: Policy, calendar: Calendar) -> None:
    naive = datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001 - the very mistake
    with pytest.raises(ValueError, match="time zone"):
        due(Kind.HELP, Urgency.NORMAL, naive, sichuan, calendar)


def open_case(**changes: object) -> Case:
    case = Case(
        id=1,
        number="n",
        call_id=None,
        line="mayor",
        state=CaseState.OPEN,
        owner="1001",
        kind=Kind.CONSULT,
        drafted_at=local("2026-11-23T11:00"),
        opened_at=local("2026-11-23T12:00"),
    )
    return replace(case, **changes)  # type: ignore[arg-type]


def test_a_case_stands_by_its_answer_not_its_closing(sichuan: Policy, calendar: Calendar) -> None:
    deadline = deadline_of(open_case(), sichuan, calendar)
    assert deadline is not None
    assert deadline.policy == "sichuan-2025/2"
    assert "咨询类3个工作日" in deadline.limit.basis
    limit = local("2026-11-26T18:00")
    before, later = limit - timedelta(seconds=1), limit + timedelta(days=3)
    answered = open_case(state=CaseState.ANSWERED, answered_at=before)
    closed = replace(answered, state=CaseState.CLOSED, closed_at=later)
    redo = open_case(state=CaseState.DISPATCHED)
    for case, now, expected in (
        (open_case(), before, Standing.RUNNING),
        (open_case(), later, Standing.OVERDUE),
        (answered, later, Standing.ON_TIME),
        (closed, later, Standing.ON_TIME),
        (open_case(state=CaseState.ANSWERED, answered_at=later), later, Standing.LATE),
        (redo, later, Standing.OVERDUE),
    ):
        assert standing(case, deadline, now) is expected


def test_a_draft_promises_nothing(sichuan: Policy, calendar: Calendar) -> None:
    assert deadline_of(open_case(opened_at=None), sichuan, calendar) is None


def test_every_limit_names_its_basis_and_what_is_ours_says_so(sichuan: Policy) -> None:
    for limit in sichuan.limits:
        assert limit.basis
        assert (limit.origin == "ours") == ("默认值" in limit.basis)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('day_ends: "18:00"', "day_ends: 18:00", "write the time in quotes"),
        ("amount: 3\n", "amount: 0\n", "limits.5.amount"),
        ("amount: 3\n", "amount: three\n", "limits.5.amount"),
        ("unit: working_days", "unit: weeks", "unit"),
        ("kinds: [consult]", "kinds: [question]", "limits.5.kinds"),
        ("kinds: [help, suggestion]", "kinds: [help]", "no limit is given for a suggestion"),
        ("    basis: 四川省", "    basic: 四川省", "basis"),
        ("version: 1", "version: one", "version"),
        ("policy: sichuan-2025", "policy: Sichuan 2025", "policy"),
    ],
)
def test_a_bad_policy_gives_one_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "policy.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DataFault) as caught:
        read_policy(path)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_case_finds_its_own_version_and_a_new_case_the_newest(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "two.yaml").write_text(text.replace("version: 1", "version: 2"), encoding="utf-8")
    packs = load_policies(tmp_path)
    assert newest(packs, "sichuan-2025").version == 2
    assert newest(packs, "sichuan-2025/1").version == 1
    with pytest.raises(DataFault, match="no policy pack called 'jinan'"):
        newest(packs, "jinan")
    (tmp_path / "three.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataFault, match="stands in two files"):
        load_policies(tmp_path)
