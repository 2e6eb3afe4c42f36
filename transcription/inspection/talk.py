"""A call as inspection needs it, and what each side of it said. Pure.

Times are seconds from the start of the recordings; both legs begin together.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from telephony.calls import Leg, Side
from transcription.finishing import Character, characters_of
from transcription.inspection.spans import Span, both, longest, union, without
from transcription.syllables import key
from transcription.transcripts import Transcript, Word, join

BRIDGED = 0.3
"""Seconds; words closer than this are one run of speech (a breath, a plosive)."""
SHORTEST = 0.12
"""Seconds; a run shorter than this is a click or a cough, not speech."""
SAME = str.maketrans({"您": "你"})
"""Characters that are one for phrases: the recogniser writes 你 where 您 was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What is known of a call; a leg that was not heard is None.

    `answered` and `ended` bound the talk; `badge` is the number the operator should name, `told`
    says that the exchange named it for him. `holds` is None where nothing is known of them.
    `wait` and `rang` are the seconds in the queue and of
    ringing before the answer.
    """

    line: str
    caller: Transcript | None
    operator: Transcript | None
    answered: float | None
    ended: float | None = None
    holds: tuple[Span, ...] | None = ()
    hung_up_by: Side | None = None
    wait: float | None = None
    rang: float | None = None
    badge: str | None = None
    told: bool = False

    @property
    def window(self) -> Span | None:
        """From the answer to the end of the talk; None where nobody answered or nothing is left."""
        if self.answered is None:
            return None
        end = self.ended
        if end is None:
            heard = [one.audio_seconds for one in (self.caller, self.operator) if one]
            end = max(heard, default=0.0)
        begin = max(0.0, self.answered)
        return Span(start=begin, end=end) if end > begin else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Words of one leg that no pause longer than `BRIDGED` divides."""

    leg: Leg
    span: Span
    text: str
    length: int
    """Characters, unknown words not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What one leg said in the talk: its runs, and its characters ready to be searched."""

    leg: Leg
    runs: tuple[Run, ...]
    characters: tuple[Character, ...]
    text: str
    """One character for each of `characters`, 您 written 你."""
    at: dict[str, list[int]] = field(repr=False, compare=False)
    """Where the syllables of each sound stand."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """When this leg spoke."""
        return tuple(run.span for run in self.runs)

    @property
    def length(self) -> int:
        """How many characters it spoke."""
        return sum(run.length for run in self.runs)

    def words(self, first: int, last: int) -> str:
        """The characters `first` to `last` (not included) as the recogniser wrote them."""
        return "".join(one.text for one in self.characters[first:last])

    def span(self, first: int, last: int) -> Span:
        """When these characters were said."""
        part = self.characters[first:last]
        return Span(start=part[0].start, end=max(one.end for one in part))


def spoken(heard: Transcript, window: Span, holds: Sequence[Span] = ()) -> Spoken:
    """What a leg said between two moments and not on hold, where there is music.

    A word that reaches over an edge counts as far as it lies inside.
    """
    words = [part for word in heard.words for part in _inside(word, window, holds)]
    kept = tuple(_runs(heard.leg, words))
    inside = [w for w in words if any(r.span.start <= w.start <= r.span.end for r in kept)]
    chars = tuple(one for one in characters_of(inside) if one.text.strip())
    text = "".join(one.text[-1] for one in chars).translate(SAME)
    at: dict[str, list[int]] = defaultdict(list)
    for place, char in enumerate(text):
        at[key(char)].append(place)
    return Spoken(leg=heard.leg, runs=kept, characters=chars, text=text, at=dict(at))


def _inside(word: Word, window: Span, holds: Sequence[Span]) -> list[Word]:
    """The longest part of a word that was said in the talk; nothing where there is none."""
    whole = both([Span(start=word.start, end=word.end)], [window])
    left = longest(without(whole, holds))
    return [replace(word, start=left.start, end=left.end)] if left else []


def _runs(leg: Leg, words: Sequence[Word]) -> list[Run]:
    spans = union((Span(start=w.start, end=w.end) for w in words), BRIDGED)
    found, at = [], 0
    for span in spans:
        part = []
        while at < len(words) and words[at].start < span.end:
            part.append(words[at])
            at += 1
        if span.seconds >= SHORTEST:
            text = join(w.text for w in part)
            found.append(Run(leg=leg, span=span, text=text, length=count(text)))
    return found


def count(text: str) -> int:
    """Characters as one speaks them: each letter or digit, no unknown word, mark or space."""
    return sum(char.isalnum() for char in text)
