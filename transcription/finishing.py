"""The raw words of a leg made into a text worth reading, step by step, each step kept. Pure.

    words -> characters -> numbers heard again -> names recovered by sound -> digits -> punctuation

Every character of the result knows its seconds and its confidence, so that any part of the text
can be played, masked or looked up in the sound. The raw words are never changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from telephony.calls import Leg
from transcription.numerals import numerals
from transcription.transcripts import COMMA_GAP, HeardAgain, Segment, Word, asks, join, segments
from transcription.vocabulary import Replacement, Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """One character of a text; seconds from the start of the recording, `pause` after it.

    `begins` is true where a word of the recogniser begins.
    """

    text: str
    start: float
    end: float
    conf: float | None
    begins: bool = True
    pause: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Something that stands in the finished text instead of what the engine wrote.

    `first` and `last` (not included) are characters of the segment's `spoken`; `score` is the
    likeness of sound, 0 to 1, or the confidence of the second hearing.
    """

    by: str
    first: int
    last: int
    original: str
    text: str
    score: float
    start: float
    end: float
    sort: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One segment finished: `text` for reading, `spoken` without punctuation and digits.

    `characters` are those of `text`, marks included, one to one; `said` those of `spoken`, and
    `heard` those of `raw`.
    """

    leg: Leg
    start: float
    end: float
    raw: str
    spoken: str
    text: str
    characters: tuple[Character, ...]
    said: tuple[Character, ...]
    heard: tuple[Character, ...]
    corrections: tuple[Correction, ...]

    def seconds(self, first: int, last: int) -> tuple[float, float]:
        """When characters `first` to `last` (not included) of `text` were said."""
        part = self.characters[first:last]
        return part[0].start, max(one.end for one in part)


def finish(
    leg: Leg,
    words: Sequence[Word],
    vocabulary: Vocabulary,
    again: Sequence[HeardAgain] = (),
) -> tuple[Finished, ...]:
    """Finish the words of one leg, segment by segment, in order of time."""
    return tuple(_segment(part, vocabulary, again) for part in segments(leg, words))


def _segment(part: Segment, vocabulary: Vocabulary, again: Sequence[HeardAgain]) -> Finished:
    heard = tuple(characters_of(part.words))
    said, numbers = _heard_again(heard, again)
    said, corrections = _recovered(said, vocabulary, numbers)
    shown = _marked(_written(said))
    return Finished(
        leg=part.leg,
        start=part.start,
        end=part.end,
        raw=part.text,
        spoken=_text(said),
        text=_text(shown),
        characters=shown,
        said=said,
        heard=heard,
        corrections=tuple(sorted(corrections, key=lambda it: it.first)),
    )


def _text(characters: Iterable[Character]) -> str:
    return "".join(one.text for one in characters)


def characters_of(words: Sequence[Word]) -> Iterable[Character]:
    """The characters of joined words, the time of each word shared out evenly among its own."""
    for at, word in enumerate(words):
        shown = join([word.text])
        if at and join([words[at - 1].text, word.text]).endswith(" " + shown):
            shown = " " + shown
        after = words[at + 1].start - word.end if at + 1 < len(words) else 0.0
        step = (word.end - word.start) / len(shown) if shown else 0.0
        for place, char in enumerate(shown):
            yield Character(
                text=char,
                start=word.start + place * step,
                end=word.start + (place + 1) * step,
                conf=word.conf,
                begins=place == 0,
                pause=max(0.0, after) if place == len(shown) - 1 else 0.0,
            )


def _heard_again(
    said: tuple[Character, ...], again: Sequence[HeardAgain]
) -> tuple[tuple[Character, ...], list[Correction]]:
    """Put in the digits that the second hearing found in these seconds."""
    corrections: list[Correction] = []
    for one in again:
        inside = [
            at for at, char in enumerate(said) if one.start <= (char.start + char.end) / 2 < one.end
        ]
        if not inside or not one.words:
            continue
        first, last = inside[0], inside[-1] + 1
        new = tuple(characters_of(one.words))
        original = _text(said[first:last])
        if original != _text(new):
            score = _mean(new)
            corrections.append(
                _correction("digits", said[first:last], new, at=first, score=score, sort="number")
            )
        new = (*new[:-1], replace(new[-1], pause=said[last - 1].pause))
        said = (*said[:first], *new, *said[last:])
    return said, corrections


def _mean(characters: Sequence[Character]) -> float:
    known = [one.conf for one in characters if one.conf is not None]
    return sum(known) / len(known) if known else 0.0


def _correction(
    by: str,
    over: Sequence[Character],
    new: Sequence[Character],
    *,
    at: int,
    score: float,
    sort: str,
) -> Correction:
    """What stands instead of the characters `over`, from character `at` on."""
    return Correction(
        by=by,
        first=at,
        last=at + len(new),
        original=_text(over),
        text=_text(new),
        score=round(score, 3),
        start=over[0].start,
        end=over[-1].end,
        sort=sort,
    )


def _recovered(
    said: tuple[Character, ...], vocabulary: Vocabulary, numbers: Sequence[Correction]
) -> tuple[tuple[Character, ...], list[Correction]]:
    """Put in the names recovered by sound; corrections that stand behind one move with it."""
    text = _text(said)
    edges = frozenset([at for at, one in enumerate(said) if one.begins] + [len(said)])
    found = vocabulary.recover(text, [one.conf for one in said], edges)
    corrections = list(numbers)
    grown = 0
    for one in found:
        first, last = one.first + grown, one.last + grown
        new = _spread(one, said[first:last])
        more = len(new) - (last - first)
        corrections = [
            replace(it, first=it.first + more, last=it.last + more) if it.first >= last else it
            for it in corrections
        ]
        corrections.append(
            _correction(
                "vocabulary", said[first:last], new, at=first, score=one.score, sort=one.name.sort
            )
        )
        said = (*said[:first], *new, *said[last:])
        grown += more
    return said, corrections


def _spread(one: Replacement, over: Sequence[Character]) -> tuple[Character, ...]:
    """The characters of a name over the seconds of what it replaces; sure as the sound is alike."""
    name = one.name.text
    start, end = over[0].start, over[-1].end
    step = (end - start) / len(name)
    return tuple(
        Character(
            text=char,
            start=start + at * step,
            end=start + (at + 1) * step,
            conf=min(0.9, one.score),
            begins=at == 0,
            pause=over[-1].pause if at == len(name) - 1 else 0.0,
        )
        for at, char in enumerate(name)
    )


def _written(said: tuple[Character, ...]) -> tuple[Character, ...]:
    """Numbers as digits, each digit over its share of the seconds."""
    shown: list[Character] = []
    reached = 0
    for one in numerals(_text(said)):
        over = said[one.first : one.last]
        shown += said[reached : one.first]
        step = (over[-1].end - over[0].start) / len(one.text)
        known = [char.conf for char in over if char.conf is not None]
        shown += [
            Character(
                text=char,
                start=over[0].start + at * step,
                end=over[0].start + (at + 1) * step,
                conf=min(known) if known else None,
                begins=at == 0,
                pause=over[-1].pause if at == len(one.text) - 1 else 0.0,
            )
            for at, char in enumerate(one.text)
        ]
        reached = one.last
    return (*shown, *said[reached:])


def _marked(shown: tuple[Character, ...]) -> tuple[Character, ...]:
    """Punctuation by rules: a pause is a comma, the end a full stop, or "？" where it asks."""
    marked: list[Character] = []
    clause = ""
    for at, one in enumerate(shown):
        marked.append(one)
        clause += one.text
        if at + 1 < len(shown) and one.pause >= COMMA_GAP:
            marked.append(_mark("，", one))
            clause = ""
    if shown:
        marked.append(_mark("？" if asks(clause) else "。", shown[-1]))
    return tuple(marked)


def _mark(text: str, after: Character) -> Character:
    return Character(text=text, start=after.end, end=after.end, conf=None)
