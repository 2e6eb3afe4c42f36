"""What the two legs of a talk tell of pace, silence, overlap and interruption. Pure.

Every measure treats both legs alike: legs exchanged, the results are exchanged. Word ends of a
recogniser are right to about 0.2 s, so an overlap or an interruption is a sign, not a proof.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from telephony.calls import Leg
from transcription.inspection.spans import Span, both, longest, seconds, union, without
from transcription.inspection.talk import Run, Spoken, Talk, spoken

GRACE = 0.5
"""Seconds that two may speak at once before it is an interruption."""
FADING = 0.3
"""Seconds before the end of a run in which the other may begin: people come in on the last word."""
LEAST_SAID = 4
"""Characters of a run that takes the floor; fewer are 嗯, 好的, 对."""
LEAST_PACED = 8
"""Characters of a run whose pace is measured."""
TURN_GAP = 3.0
"""Seconds of silence that end a monologue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """`by` began to speak while the other was speaking and went on; `span` is when both spoke."""

    by: Leg
    span: Span
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """A run and its pace, in characters a minute."""

    run: Run
    pace: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One leg alone: seconds it spoke, characters, characters a minute, longest monologue.

    `pace` is None where no run is long enough to tell.
    """

    seconds: float
    characters: int
    pace: float | None
    paced: tuple[Paced, ...]
    monologue: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """A talk measured; what needs both legs is None where one was not heard.

    `seconds` is the talk without its holds. `silences` are the pauses in which nobody spoke and
    nobody was on hold; `shares` is each leg's part of all speech, together 1.
    """

    seconds: float
    held: tuple[Span, ...]
    sides: Mapping[Leg, Side]
    silences: tuple[Span, ...] | None
    overlaps: tuple[Span, ...] | None
    interruptions: tuple[Interruption, ...] | None
    shares: Mapping[Leg, float] | None

    @property
    def silence(self) -> float | None:
        """Seconds in which nobody spoke."""
        return None if self.silences is None else seconds(self.silences)

    @property
    def longest_silence(self) -> Span | None:
        """The longest pause."""
        return longest(self.silences or ())

    @property
    def overlap(self) -> float | None:
        """Seconds in which both spoke."""
        return None if self.overlaps is None else seconds(self.overlaps)


def legs_of(talk: Talk) -> dict[Leg, Spoken]:
    """What each heard leg said in the talk."""
    window = talk.window
    heard = {Leg.CALLER: talk.caller, Leg.OPERATOR: talk.operator}
    return {
        leg: spoken(one, window, talk.holds or ()) for leg, one in heard.items() if one and window
    }


def measure(talk: Talk, legs: Mapping[Leg, Spoken]) -> Measures | None:
    """Measure a talk; None where there was none."""
    window = talk.window
    if window is None:
        return None
    held = both([window], talk.holds or ())
    talking = without([window], held)
    sides = {leg: _side(one) for leg, one in legs.items()}
    if len(legs) < len(Leg):
        return Measures(
            seconds=seconds(talking),
            held=held,
            sides=sides,
            silences=None,
            overlaps=None,
            interruptions=None,
            shares=None,
        )
    said = {leg: one.spans for leg, one in legs.items()}
    spoke = {leg: seconds(one) for leg, one in said.items()}
    every = sum(spoke.values())
    return Measures(
        seconds=seconds(talking),
        held=held,
        sides=sides,
        silences=without(talking, union([*said[Leg.CALLER], *said[Leg.OPERATOR]])),
        overlaps=both(said[Leg.CALLER], said[Leg.OPERATOR]),
        interruptions=interruptions(legs[Leg.CALLER], legs[Leg.OPERATOR]),
        shares={leg: one / every for leg, one in spoke.items()} if every else None,
    )


def _side(one: Spoken) -> Side:
    paced = tuple(
        Paced(run=run, pace=60.0 * run.length / run.span.seconds)
        for run in one.runs
        if run.length >= LEAST_PACED
    )
    spoke = sum(it.run.span.seconds for it in paced)
    return Side(
        seconds=seconds(one.spans),
        characters=one.length,
        pace=60.0 * sum(it.run.length for it in paced) / spoke if spoke else None,
        paced=paced,
        monologue=longest(union(one.spans, TURN_GAP)),
    )


def interruptions(ours: Spoken, theirs: Spoken) -> tuple[Interruption, ...]:
    """Who broke in on whom, in order of time."""
    found = [*_broke_in(ours, theirs), *_broke_in(theirs, ours)]
    return tuple(sorted(found, key=lambda one: (one.span, one.by)))


def _broke_in(by: Spoken, on: Spoken) -> list[Interruption]:
    """Where `by` began inside a run of `on` and both went on for longer than `GRACE`."""
    found, at = [], 0
    for run in by.runs:
        while at < len(on.runs) and on.runs[at].span.end <= run.span.start:
            at += 1
        if at == len(on.runs):
            break
        other = on.runs[at].span
        began_inside = other.start < run.span.start < other.end - FADING
        together = min(run.span.end, other.end) - run.span.start
        if began_inside and together >= GRACE and run.length >= LEAST_SAID:
            span = Span(start=run.span.start, end=run.span.start + together)
            found.append(Interruption(by=by.leg, span=span, words=run.text))
    return found
