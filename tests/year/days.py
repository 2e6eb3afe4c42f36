"""The working days of 2025 and 2026 as the State Council published them, and due times by hand.

Written out from the notices (国务院办公厅关于2025年部分节假日安排的通知, 2024-11-12, and that for
2026, 2025-11-04). Nothing here comes from the service: its
calendar and its due times are held against this file.
"""

from datetime import UTC, date, datetime, time, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
DAY = timedelta(days=1)
CLOSING = time(18, 0)
FIRST, LAST = date(2025, 1, 1), date(2026, 12, 31)


def _days(first: date, last: date) -> frozenset[date]:
    return frozenset(first + DAY * n for n in range((last - first).days + 1))


OFF = frozenset().union(
    _days(date(2025, 1, 1), date(2025, 1, 1)),  # 元旦：1月1日放假1天
    _days(date(2025, 1, 28), date(2025, 2, 4)),  # 春节：1月28日至2月4日放假8天
    _days(date(2025, 4, 4), date(2025, 4, 6)),  # 清明节：4月4日至6日放假3天
    _days(date(2025, 5, 1), date(2025, 5, 5)),  # 劳动节：5月1日至5日放假5天
    _days(date(2025, 5, 31), date(2025, 6, 2)),  # 端午节：5月31日至6月2日放假3天
    _days(date(2025, 10, 1), date(2025, 10, 8)),  # 国庆节、中秋节：10月1日至8日放假8天
    _days(date(2026, 1, 1), date(2026, 1, 3)),  # 元旦：1月1日至3日放假3天
    _days(date(2026, 2, 15), date(2026, 2, 23)),  # 春节：2月15日至23日放假9天
    _days(date(2026, 4, 4), date(2026, 4, 6)),  # 清明节：4月4日至6日放假3天
    _days(date(2026, 5, 1), date(2026, 5, 5)),  # 劳动节：5月1日至5日放假5天
    _days(date(2026, 6, 19), date(2026, 6, 21)),  # 端午节：6月19日至21日放假3天
    _days(date(2026, 9, 25), date(2026, 9, 27)),  # 中秋节：9月25日至27日放假3天
    _days(date(2026, 10, 1), date(2026, 10, 7)),  # 国庆节：10月1日至7日放假7天
)
MADE_UP = frozenset(
    {
        *(date(2025, 1, 26), date(2025, 2, 8)),  # 1月26日（周日）、2月8日（周六）上班
        date(2025, 4, 27),  # 4月27日（周日）上班
        *(date(2025, 9, 28), date(2025, 10, 11)),  # 9月28日（周日）、10月11日（周六）上班
        date(2026, 1, 4),  # 1月4日（周日）上班
        *(date(2026, 2, 14), date(2026, 2, 28)),  # 2月14日（周六）、2月28日（周六）上班
        date(2026, 5, 9),  # 5月9日（周六）上班
        *(date(2026, 9, 20), date(2026, 10, 10)),  # 9月20日（周日）、10月10日（周六）上班
    }
)
SATURDAY = 5


def is_working(day: date) -> bool:
    """Whether the city's offices work on this day."""
    return day in MADE_UP or (day not in OFF and day.weekday() < SATURDAY)


def day_of(moment: datetime) -> date:
    """The day in China."""
    return moment.astimezone(CHINA).date()


def _closing(day: date) -> datetime:
    return datetime.combine(day, CLOSING, CHINA).astimezone(UTC)


def after_working_days(moment: datetime, days: int) -> datetime | None:
    """The close of the last of so many working days after a moment's own day."""
    day = day_of(moment)
    while days:
        day += DAY
        if day > LAST:
            return None
        days -= is_working(day)
    return _closing(day)


HOURS = (("incident", "emergency", 1), (None, "emergency", 2), ("incident", None, 4))
URGENT = frozenset({"help", "complaint", "report", "follow_up"})
WORKING_DAYS = {
    "follow_up": 1,
    "consult": 3,
    "help": 7,
    "suggestion": 7,
    "complaint": 15,
    "report": 15,
}
"""Sichuan 2025: 咨询3、求助和建议7、投诉和举报15个工作日; the rest are the shipped pack's own."""
PETITION_DAYS = 60


def due(
    kind: str, urgency: str, opened_at: datetime, *, law: str | None, extensions: list[int]
) -> datetime | None:
    """When a case is due that was opened then; None where the published calendars end before."""
    end = _first_end(kind, urgency, opened_at)
    if end is not None and law == "petition":
        # Calendar days need no calendar, so this end is known after the published ones, too.
        end = max(end, _closing(day_of(opened_at) + DAY * PETITION_DAYS))
    for days in extensions:
        end = None if end is None else after_working_days(end, days)
    return end


def _first_end(kind: str, urgency: str, opened_at: datetime) -> datetime | None:
    for its_kind, its_urgency, hours in HOURS:
        if its_kind in {None, kind} and its_urgency in {None, urgency}:
            return opened_at + timedelta(hours=hours)
    if urgency == "urgent" and kind in URGENT:
        return opened_at + timedelta(hours=24)
    return after_working_days(opened_at, WORKING_DAYS[kind])
