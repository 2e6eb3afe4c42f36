"""Phrases found in what one leg said: as written, and as they sound. Pure.

A recogniser without the words of the office writes 功耗 for 工号 and 公担 for 工单. So a phrase is
looked for twice: in its characters, and by sound (syllables.py) where words of the recogniser
begin and end about where the phrase does. By sound it counts only as alike as the check asks, and
where a phrase would be a fault, only where the recogniser was unsure of what it wrote instead: a
word it heard surely is that word.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transcription.finishing import Character
from transcription.inspection.spans import Span
from transcription.inspection.talk import SAME, Spoken
from transcription.syllables import alike, key

BREATH = 1.0
"""Seconds of pause inside what can still be one phrase."""
SHORT = 3
"""Syllables; a phrase as short as this must begin and end where words do."""
FORGIVES = 4
"""Syllables from which on a phrase may have lost or won one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """How phrases may be heard: `alike` how much they must sound alike (above 1: only as written).

    `surest` is the mean confidence of the recogniser in other words above which they stay those.
    """

    alike: float
    surest: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A phrase at characters `first` to `last` (not included) of a leg; 1.0 is as written."""

    phrase: str
    first: int
    last: int
    likeness: float
    words: str
    span: Span


def find(said: Spoken, phrases: Sequence[str], ear: Ear, within: Span | None = None) -> list[Match]:
    """Every place where one of the phrases was said, in order; of two that overlap the better."""
    found = [one for phrase in phrases for one in _all(said, phrase, ear)]
    if within is not None:
        found = [
            one for one in found if one.span.start < within.end and one.span.end > within.start
        ]
    chosen: list[Match] = []
    for one in sorted(found, key=lambda it: (-it.likeness, it.first - it.last, it.first)):
        if all(one.last <= it.first or it.last <= one.first for it in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda it: it.first)


def _all(said: Spoken, phrase: str, ear: Ear) -> Iterator[Match]:
    wanted = phrase.translate(SAME)
    at = said.text.find(wanted)
    while at >= 0:
        if _in_one_breath(said.characters[at : at + len(wanted)]):
            yield _match(said, phrase, at, at + len(wanted), 1.0)
        at = said.text.find(wanted, at + 1)
    if ear.alike <= 1.0:
        yield from _by_sound(said, phrase, wanted, ear)


def _by_sound(said: Spoken, phrase: str, wanted: str, ear: Ear) -> Iterator[Match]:
    for start in _starts(said, wanted):
        best: tuple[float, int] | None = None
        for last in _ends(start, len(wanted)):
            if start >= 0 and last <= len(said.text) and _may_be(said, start, last, wanted, ear):
                score = alike(said.text[start:last], wanted)
                if score >= ear.alike and (best is None or score > best[0]):
                    best = (score, last)
        if best is not None:
            yield _match(said, phrase, start, best[1], round(best[0], 3))


def _starts(said: Spoken, wanted: str) -> list[int]:
    """Where about half of the syllables stand in their order; one may be missing or too many."""
    votes: dict[int, int] = defaultdict(int)
    shifts = (0,) if len(wanted) < FORGIVES else (-1, 0, 1)
    for offset, char in enumerate(wanted):
        for at in said.at.get(key(char), ()):
            for shift in shifts:
                votes[at - offset + shift] += 1
    return sorted(start for start, count in votes.items() if 2 * count >= len(wanted))


def _ends(start: int, size: int) -> tuple[int, ...]:
    end = start + size
    return (end,) if size < FORGIVES else (end, end - 1, end + 1)


def _may_be(said: Spoken, first: int, last: int, wanted: str, ear: Ear) -> bool:
    """Whether words begin and end here, and the recogniser was unsure of those that differ."""
    part = said.characters[first:last]
    if said.text[first:last] == wanted or not _in_one_breath(part):
        return False
    begins = part[0].begins
    ends = last == len(said.characters) or said.characters[last].begins
    if not (begins or ends) or (len(wanted) <= SHORT and not (begins and ends)):
        return False
    other = [one.conf for one in part if one.text.translate(SAME) not in wanted]
    known = [conf for conf in other if conf is not None]
    return not known or sum(known) / len(known) <= ear.surest


def _in_one_breath(part: Sequence[Character]) -> bool:
    return all(one.pause < BREATH for one in part[:-1])


def _match(said: Spoken, phrase: str, first: int, last: int, likeness: float) -> Match:
    return Match(
        phrase=phrase,
        first=first,
        last=last,
        likeness=likeness,
        words=said.words(first, last),
        span=said.span(first, last),
    )


def excused(said: Spoken, found: Match, contexts: Sequence[str]) -> bool:
    """Whether a phrase stands inside other words that make it harmless (知不知道, 不知道您是)."""
    for context in contexts:
        wanted = context.translate(SAME)
        at = said.text.find(wanted, max(0, found.last - len(wanted)))
        while 0 <= at <= found.first:
            if at + len(wanted) >= found.last:
                return True
            at = said.text.find(wanted, at + 1)
    return False


def unsure(said: Spoken, size: int, within: Span, sure: float) -> Span | None:
    """The first stretch of unsure words in which `size` syllables could have been said."""
    first: int | None = None
    for at, one in enumerate(said.characters):
        low = one.conf is not None and one.conf < sure
        if low and one.start < within.end and one.end > within.start:
            first = at if first is None else first
            if at - first + 1 >= size:
                return said.span(first, at + 1)
        else:
            first = None
    return None
