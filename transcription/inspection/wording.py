"""The checks of what was said: phrases that should be, and phrases that should not. Pure."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from telephony.calls import Leg, Side
from transcription.inspection.form import Badge, Form, Never, ReadBack, Said
from transcription.inspection.judged import Reason
from transcription.inspection.phrases import Ear, Match, excused, find, unsure
from transcription.inspection.seen import Found, Lost, Seen
from transcription.inspection.spans import Span
from transcription.inspection.talk import Run, Spoken
from transcription.numerals import DIGITS
from transcription.syllables import key

ECHO_RUN = 3
"""Syllables in a row that are an echo; fewer are chance."""
SPOKEN_DIGITS = {
    str(value): word for word, value in DIGITS.items() if word in "零一二三四五六七八九"
}


def check(item: Said | Badge | ReadBack | Never, seen: Seen, form: Form) -> Found:
    """Ask an item about the operator's words."""
    match item:
        case Said():
            return said(item, seen, form)
        case Badge():
            return badge(item, seen, form)
        case ReadBack():
            return read_back(item, seen, form)
        case Never():
            return never(item, seen, form)
        case _:
            assert_never(item)


def said(item: Said, seen: Seen, form: Form) -> Found:
    """Whether one phrase of each group was said where it belongs."""
    if item.caller_hung_up and seen.talk.hung_up_by is Side.CALLER:
        return Found(reason=Reason.CALLER_HUNG_UP, asked=False)
    ours = seen.legs.get(Leg.OPERATOR)
    if ours is None:
        return seen.missing()
    where = _where(item.when, item.seconds, seen.window, ours)
    ear = Ear(alike=form.sound.wanted)
    missing = [group for group in item.groups if not find(ours, group, ear, where)]
    if not missing:
        return Found()
    return _absent(ours, missing, where, form, Reason.MISSING)


def badge(item: Badge, seen: Seen, form: Form) -> Found:
    """Whether the caller learnt a badge: from the operator, or from the exchange before him."""
    if seen.talk.told:
        return Found(reason=Reason.TOLD)
    ours = seen.legs.get(Leg.OPERATOR)
    if ours is None:
        return seen.missing()
    where = _where("opening", item.seconds, seen.window, ours)
    phrases = [*item.words]
    if seen.talk.badge is not None:
        number = "".join(SPOKEN_DIGITS.get(char, char) for char in seen.talk.badge)
        phrases += [word + number for word in item.words]
    if find(ours, phrases, Ear(alike=form.sound.wanted), where):
        return Found()
    return _absent(ours, [item.words], where, form, Reason.NO_BADGE)


def _where(when: str, size: float, window: Span, ours: Spoken) -> Span:
    """The seconds in which something belongs: the opening begins with the operator's first word."""
    if when == "opening":
        first = ours.spans[0].start if ours.spans else window.start
        return Span(start=window.start, end=max(first, window.start) + size)
    if when == "closing":
        last = ours.spans[-1].end if ours.spans else window.end
        return Span(start=min(last, window.end) - size, end=window.end)
    return window


def _absent(
    ours: Spoken, missing: list[tuple[str, ...]], where: Span, form: Form, reason: Reason
) -> Found:
    """Missing is lost, unless it may stand where the recogniser was not sure of its words."""
    shortest = min(len(phrase) for group in missing for phrase in group)
    if unsure(ours, shortest, where, form.least.sure) is not None:
        return Found(reason=Reason.UNSURE, judged=False)
    facts = {"phrase": " / ".join(group[0] for group in missing)}
    start, end = max(0.0, where.start), where.end
    return Found(lost=(Lost(reason=reason, leg=Leg.OPERATOR, start=start, end=end, facts=facts),))


def never(item: Never, seen: Seen, form: Form) -> Found:
    """Every forbidden phrase that the operator said."""
    ours = seen.legs.get(Leg.OPERATOR)
    if ours is None:
        return seen.missing()
    ear = Ear(alike=form.sound.forbidden, surest=form.sound.surest)
    found = [one for one in find(ours, item.phrases, ear) if not excused(ours, one, item.unless_in)]
    return Found(lost=tuple(_forbidden(one) for one in found))


def _forbidden(one: Match) -> Lost:
    return Lost(
        reason=Reason.FORBIDDEN,
        leg=Leg.OPERATOR,
        start=one.span.start,
        end=one.span.end,
        words=one.words,
        facts={"phrase": one.phrase, "likeness": one.likeness},
    )


def read_back(item: ReadBack, seen: Seen, form: Form) -> Found:
    """Whether the operator repeated the matter, by a phrase of it or in the caller's own words."""
    ours, theirs = seen.legs.get(Leg.OPERATOR), seen.legs.get(Leg.CALLER)
    if ours is None or theirs is None:
        return seen.missing()
    if theirs.length < item.after:
        return Found(reason=Reason.NO_MATTER, asked=False)
    if find(ours, item.phrases, Ear(alike=form.sound.forbidden)):
        return Found()
    if any(echoed(ours, theirs, turn) >= item.echo for turn in _turns(ours.runs, theirs.runs)):
        return Found()
    end = seen.window.end
    where = Span(start=theirs.spans[0].end, end=end)
    return Found(
        lost=(
            Lost(
                reason=Reason.NOT_READ_BACK,
                leg=Leg.OPERATOR,
                start=where.start,
                end=where.end,
                facts={"phrase": item.phrases[0]},
            ),
        )
    )


def _turns(ours: Iterable[Run], theirs: Iterable[Run]) -> Iterator[Span]:
    """What one side said until the other side began to speak."""
    span: Span | None = None
    for run in sorted([*ours, *theirs], key=lambda one: one.span):
        if run.leg is not Leg.OPERATOR:
            if span is not None:
                yield span
            span = None
        else:
            span = Span(start=span.start if span else run.span.start, end=run.span.end)
    if span is not None:
        yield span


def echoed(ours: Spoken, theirs: Spoken, turn: Span) -> int:
    """Syllables of a turn that the caller said before it, in runs of `ECHO_RUN` or more."""
    before = [key(c.text) for c in theirs.characters if c.end <= turn.start]
    heard = {tuple(before[at : at + ECHO_RUN]) for at in range(len(before) - ECHO_RUN + 1)}
    said_now = [key(c.text) for c in ours.characters if turn.start <= c.start < turn.end]
    echo: set[int] = set()
    for at in range(len(said_now) - ECHO_RUN + 1):
        if tuple(said_now[at : at + ECHO_RUN]) in heard:
            echo.update(range(at, at + ECHO_RUN))
    return len(echo)
