"""The finished text of a leg as it is kept: sentence by sentence, each character with its second.

    words + vocabulary -> finishing.py -> sentences -> rows for JSON -> sentences -> turns

Finishing takes a fifth of a second of a processor for a minute's talk, so it is done once and
kept beside the raw words, which are never changed. Pure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from telephony.calls import Leg
from transcription.finishing import Character, Correction, Finished, finish
from transcription.personal import Muted, PersonalSort, muted
from transcription.transcripts import Transcript, Turn
from transcription.vocabulary import Vocabulary

RULES = "2"
"""Of this file and those below it; another number has everything finished anew."""
_HUNDREDTHS = 100
MASK = "*"
_NO_NAMES = Vocabulary(())
_LIKE_A_NUMBER = re.compile(r"(?<![\d.])\d{7,}(?![\d.]|元|块|多|万|亿|人民币)")
"""Digits that are no amount: a telephone number of which the recogniser lost some, as a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A text of which each character knows when it begins; seconds of the recording."""

    text: str
    starts: tuple[float, ...]

    def after(self, seconds: float) -> "Line":
        """What begins no earlier than this."""
        first = next((n for n, at in enumerate(self.starts) if at >= seconds), len(self.text))
        return Line(text=self.text[first:], starts=self.starts[first:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What was said without a pause of `SEGMENT_GAP`: for reading, as it sounds, as it was heard.

    `text` has marks and digits, `spoken` neither, `raw` is what the engine wrote. `muted` are
    seconds in which personal data was said, with its characters in `text`.
    """

    leg: Leg
    start: float
    end: float
    text: Line
    spoken: Line
    raw: Line
    corrections: tuple[Correction, ...] = ()
    muted: tuple[Muted, ...] = ()

    def second(self, line: Line, first: int, last: int) -> tuple[float, float]:
        """When characters `first` to `last` (not included) of one of its lines were said."""
        end = line.starts[last] if last < len(line.starts) else self.end
        return line.starts[first], max(end, line.starts[last - 1])

    def hides(self, line: Line) -> frozenset[int]:
        """The characters of one of its lines that are personal data."""
        if line is self.text:
            return frozenset(n for one in self.muted for n in range(one.first, one.last))
        return frozenset(
            n
            for n, at in enumerate(line.starts)
            if any(one.start - 0.01 <= at < one.end - 0.01 for one in self.muted)
        )

    def shown(self, line: Line) -> str:
        """One of its lines with the personal data hidden."""
        hidden = self.hides(line)
        return "".join(MASK if n in hidden else char for n, char in enumerate(line.text))


def sentences(heard: Transcript, vocabulary: Vocabulary) -> tuple[Sentence, ...]:
    """The finished sentences of a leg, in order of time."""
    found = finish(heard.leg, heard.words, vocabulary, heard.again)
    silent = muted(found)
    return tuple(
        replace(
            _sentence(one),
            muted=_with_numbers(one, at, tuple(it for it in silent if it.segment == at)),
        )
        for at, one in enumerate(found)
    )


def _with_numbers(one: Finished, at: int, silent: tuple[Muted, ...]) -> tuple[Muted, ...]:
    """What must not be heard, and what looks like a number of somebody that was not heard whole."""
    more = []
    for number in _LIKE_A_NUMBER.finditer(one.text):
        first, last = number.span()
        if all(last <= it.first or it.last <= first for it in silent):
            start, end = one.seconds(first, last)
            more.append(
                Muted(
                    sort=PersonalSort.LONG_NUMBER,
                    segment=at,
                    first=first,
                    last=last,
                    start=round(start, 2),
                    end=round(end, 2),
                )
            )
    return tuple(sorted((*silent, *more), key=lambda it: it.first))


def unfinished(heard: Transcript) -> tuple[Sentence, ...]:
    """A leg whose text is not kept yet: numbers and marks, the names as they were heard."""
    return sentences(heard, _NO_NAMES)


def _sentence(one: Finished) -> Sentence:
    return Sentence(
        leg=one.leg,
        start=one.start,
        end=one.end,
        text=_line(one.characters),
        spoken=_line(one.said),
        raw=_line(one.heard),
        corrections=one.corrections,
    )


def _line(characters: Sequence[Character]) -> Line:
    return Line(
        text="".join(one.text for one in characters),
        starts=tuple(round(one.start, 2) for one in characters),
    )


def after(said: Iterable[Sentence], seconds: float) -> tuple[Sentence, ...]:
    """What is said from a moment on; a sentence that goes on over it loses its beginning."""
    kept = []
    for one in said:
        if one.start >= seconds:
            kept.append(one)
        elif one.end > seconds and one.text.after(seconds).text.strip("，。？"):
            kept.append(_cut(one, seconds))
    return tuple(kept)


def _cut(one: Sentence, seconds: float) -> Sentence:
    text = one.text.after(seconds)
    gone = len(one.text.text) - len(text.text)
    return replace(
        one,
        start=max(one.start, seconds),
        text=text,
        spoken=one.spoken.after(seconds),
        raw=one.raw.after(seconds),
        corrections=tuple(it for it in one.corrections if it.start >= seconds),
        muted=tuple(
            replace(it, first=it.first - gone, last=it.last - gone)
            for it in one.muted
            if it.first >= gone
        ),
    )


def turns(
    caller: Sequence[Sentence], operator: Sequence[Sentence], answered_after: float | None
) -> tuple["SaidTurn", ...]:
    """Both legs as one dialogue; of the operator's leg nothing from before the answer.

    `answered_after` as in `transcripts.merge`: None where nobody answered.
    """
    said = [*caller, *(() if answered_after is None else after(operator, answered_after))]
    said.sort(key=lambda one: (one.start, one.end, one.leg))
    return tuple(SaidTurn(sentences=tuple(part)) for _, part in groupby(said, lambda one: one.leg))


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidTurn:
    """Sentences of one side until the other side spoke."""

    sentences: tuple[Sentence, ...]

    @property
    def leg(self) -> Leg:
        """Who said it."""
        return self.sentences[0].leg

    @property
    def start(self) -> float:
        """Seconds from the start of the recording."""
        return self.sentences[0].start

    @property
    def end(self) -> float:
        """The same, where it ends."""
        return max(one.end for one in self.sentences)

    @property
    def turn(self) -> Turn:
        """As whoever suggests and reads takes it."""
        return Turn(
            leg=self.leg,
            start=self.start,
            end=self.end,
            text="".join(one.text.text for one in self.sentences),
            finished="".join(one.spoken.text for one in self.sentences),
        )


def to_rows(said: Iterable[Sentence]) -> list[dict[str, Any]]:
    """Write sentences as plain rows for JSON; times are hundredths of a second."""
    return [
        {
            "s": _hundredths(one.start),
            "e": _hundredths(one.end),
            **{
                name: {"t": line.text, "at": [_hundredths(at) for at in line.starts]}
                for name, line in (("text", one.text), ("said", one.spoken), ("raw", one.raw))
            },
            "corrections": [_correction_row(it) for it in one.corrections],
            "muted": [
                [it.sort, it.segment, it.first, it.last, it.start, it.end] for it in one.muted
            ],
        }
        for one in said
    ]


def _correction_row(it: Correction) -> list[Any]:
    return [it.by, it.sort, it.first, it.last, it.original, it.text, it.score, it.start, it.end]


def from_rows(leg: Leg, rows: Iterable[Mapping[str, Any]]) -> tuple[Sentence, ...]:
    """Read sentences back from the rows `to_rows` wrote."""
    return tuple(
        Sentence(
            leg=leg,
            start=row["s"] / _HUNDREDTHS,
            end=row["e"] / _HUNDREDTHS,
            text=_read_line(row["text"]),
            spoken=_read_line(row["said"]),
            raw=_read_line(row["raw"]),
            corrections=tuple(_read_correction(it) for it in row["corrections"]),
            muted=tuple(_read_muted(it) for it in row["muted"]),
        )
        for row in rows
    )


def _read_line(row: Mapping[str, Any]) -> Line:
    return Line(text=row["t"], starts=tuple(at / _HUNDREDTHS for at in row["at"]))


def _read_correction(it: Sequence[Any]) -> Correction:
    by, sort, first, last, original, text, score, start, end = it
    return Correction(
        by=by,
        sort=sort,
        first=first,
        last=last,
        original=original,
        text=text,
        score=score,
        start=start,
        end=end,
    )


def _read_muted(it: Sequence[Any]) -> Muted:
    sort, segment, first, last, start, end = it
    return Muted(
        sort=PersonalSort(sort), segment=segment, first=first, last=last, start=start, end=end
    )


def _hundredths(seconds: float) -> int:
    return round(seconds * _HUNDREDTHS)
