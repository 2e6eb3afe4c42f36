"""What may be written into the duty log."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from routing.duty_log import PARTS, LogText, ToldBefore, impossible_times, lacks

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def test_an_entry_is_finished_when_it_says_what_happened() -> None:
    assert lacks(LogText(place="涪江三桥")) == ("course",)
    assert lacks(LogText(course="桥面积水")) == ()


def test_nothing_in_a_log_is_still_to_come() -> None:
    assert impossible_times(LogText(happened_at=NOW, course="x"), NOW) == ()
    told = (ToldBefore(whom="市应急局", at=LATER), ToldBefore(whom="市消防", at=LATER))
    assert impossible_times(LogText(happened_at=LATER, told=told), NOW) == ("happened_at", "told")


def test_the_words_have_bounds_and_lose_the_blanks_around_them() -> None:
    assert LogText(place=" 涪江三桥 ").place == "涪江三桥"
    for part in PARTS:
        with pytest.raises(ValidationError):
            LogText.model_validate({part: "长" * 2001})
    with pytest.raises(ValidationError):
        LogText(told=(ToldBefore(whom="市应急局"),) * 21)
