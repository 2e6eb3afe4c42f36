"""The checks of how a talk went: pace, silence, interruption, share, hold, answer. Pure."""

from typing import assert_never

from telephony.calls import Leg
from transcription.inspection import wording
from transcription.inspection.form import (
    Answer,
    AnyItem,
    Badge,
    Form,
    Hold,
    Interruptions,
    Never,
    Overlap,
    Pace,
    ReadBack,
    Said,
    Silence,
    TalkShare,
)
from transcription.inspection.judged import Reason
from transcription.inspection.seen import Found, Lost, Seen


def check(item: AnyItem, seen: Seen, form: Form) -> Found:
    """Ask one item of a call."""
    match item:
        case Said() | Badge() | ReadBack() | Never():
            return wording.check(item, seen, form)
        case Pace():
            return pace(item, seen)
        case Hold() | Answer():
            return hold(item, seen) if isinstance(item, Hold) else answer(item, seen)
        case _:
            return _of_both(item, seen)


def _of_both(item: Silence | Interruptions | Overlap | TalkShare, seen: Seen) -> Found:
    match item:
        case Silence():
            return silence(item, seen)
        case Interruptions():
            return interruptions(item, seen)
        case Overlap():
            return overlap(item, seen)
        case TalkShare():
            return talk_share(item, seen)
        case _:
            assert_never(item)


def pace(item: Pace, seen: Seen) -> Found:
    """The operator's pace over the whole talk; the moment is his fastest run."""
    side = seen.measures.sides.get(Leg.OPERATOR)
    if side is None:
        return seen.missing()
    if side.pace is None:
        return Found(reason=Reason.TOO_SHORT, judged=False)
    if side.pace <= item.fastest:
        return Found()
    fastest = max(side.paced, key=lambda one: one.pace).run
    return _lost(
        Reason.TOO_FAST,
        Leg.OPERATOR,
        fastest.span.start,
        fastest.span.end,
        words=fastest.text,
        found=round(side.pace),
        limit=item.fastest,
    )


def silence(item: Silence, seen: Seen) -> Found:
    """Every pause that is too long."""
    if seen.measures.silences is None:
        return seen.missing()
    long = [one for one in seen.measures.silences if one.seconds >= item.longest]
    return Found(
        lost=tuple(
            Lost(
                reason=Reason.TOO_SILENT,
                leg=None,
                start=one.start,
                end=one.end,
                facts={"found": round(one.seconds, 1), "limit": item.longest},
            )
            for one in long
        )
    )


def interruptions(item: Interruptions, seen: Seen) -> Found:
    """Every time the operator broke in, from the first that is not allowed on."""
    if seen.measures.interruptions is None:
        return seen.missing()
    ours = [one for one in seen.measures.interruptions if one.by is Leg.OPERATOR]
    return Found(
        lost=tuple(
            Lost(
                reason=Reason.BROKE_IN,
                leg=Leg.OPERATOR,
                start=one.span.start,
                end=one.span.end,
                words=one.words,
                facts={"found": at, "limit": item.allowed},
            )
            for at, one in enumerate(ours[item.allowed :], start=item.allowed + 1)
        )
    )


def overlap(item: Overlap, seen: Seen) -> Found:
    """Both at once for too much of the talk; the moment is the longest of it."""
    spans = seen.measures.overlaps
    if spans is None:
        return seen.missing()
    share = (seen.measures.overlap or 0.0) / seen.measures.seconds
    if share <= item.share:
        return Found()
    worst = max(spans, key=lambda one: one.seconds)
    return _lost(
        Reason.OVERLAPPED,
        None,
        worst.start,
        worst.end,
        found=round(share * 100),
        limit=round(item.share * 100),
    )


def talk_share(item: TalkShare, seen: Seen) -> Found:
    """The operator's part of all speech; the moment is his longest monologue."""
    if seen.measures.silences is None:
        return seen.missing()
    shares, side = seen.measures.shares, seen.measures.sides[Leg.OPERATOR]
    if shares is None or side.monologue is None:
        return Found(reason=Reason.TOO_SHORT, judged=False)
    if shares[Leg.OPERATOR] <= item.share:
        return Found()
    return _lost(
        Reason.TALKED_MOST,
        Leg.OPERATOR,
        side.monologue.start,
        side.monologue.end,
        found=round(shares[Leg.OPERATOR] * 100),
        limit=round(item.share * 100),
    )


def hold(item: Hold, seen: Seen) -> Found:
    """Holds that are too long, and those past the number allowed."""
    if seen.talk.holds is None:
        return Found(reason=Reason.UNKNOWN, judged=False)
    lost = []
    for at, one in enumerate(seen.measures.held, start=1):
        if one.seconds > item.longest:
            reason, found, limit = Reason.HELD_LONG, round(one.seconds, 1), item.longest
        elif at > item.times:
            reason, found, limit = Reason.HELD_OFTEN, float(at), float(item.times)
        else:
            continue
        facts = {"found": found, "limit": limit}
        lost.append(Lost(reason=reason, leg=None, start=one.start, end=one.end, facts=facts))
    return Found(lost=tuple(lost))


def answer(item: Answer, seen: Seen) -> Found:
    """How long the operator let it ring."""
    rang = seen.talk.rang
    if rang is None:
        return Found(reason=Reason.UNKNOWN, judged=False)
    if rang <= item.seconds:
        return Found()
    begin = max(0.0, seen.window.start - rang)
    end = seen.window.start
    return _lost(Reason.ANSWERED_LATE, None, begin, end, found=round(rang, 1), limit=item.seconds)


def _lost(
    reason: Reason,
    leg: Leg | None,
    start: float,
    end: float,
    *,
    words: str | None = None,
    **facts: float,
) -> Found:
    return Found(
        lost=(Lost(reason=reason, leg=leg, start=start, end=end, words=words, facts=facts),)
    )
