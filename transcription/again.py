"""Which stretches of a leg hold a number said digit by digit, to be heard again. Pure.

Vosk's language model has read no telephone numbers: it writes 一淋巴瘤 for 一零八六. Heard again
with a grammar of nothing but digits the same sound comes out right far more often (digit errors 54
against 11 % on spoken telephone numbers). A stretch is a run of words that sound like digits, with
unsure neighbours; what the second hearing is not sure of itself is thrown away.
"""

from collections.abc import Sequence
from itertools import pairwise

from transcription.numerals import DIGITS
from transcription.syllables import alike, cost
from transcription.transcripts import UNKNOWN_WORD, HeardAgain, Word

DIGIT_WORDS = ("零", "一", "幺", "二", "三", "四", "五", "六", "七", "八", "九", "洞", "拐")
"""What the grammar can hear; all of them stand in the small Chinese model's list of words."""
LEAST = 3
"""Digits in a stretch worth hearing again, and in an answer worth believing."""
_ALIKE = 0.3
"""Cost up to which a character sounds like a digit."""
_LINK = 0.6
"""Seconds between two words of one number: people breathe inside a telephone number."""
_NEIGHBOUR = 0.25
_UNSURE = 0.9
_AROUND = 0.2
"""Seconds of sound on either side."""
_NUMBERS = frozenset("十百千万亿")
LEAST_SURE = 0.6
LEAST_ALIKE = 0.4
"""A second hearing that sounds like nothing of the first one heard something else."""


def stretches(words: Sequence[Word]) -> tuple[tuple[float, float], ...]:
    """The seconds worth hearing again, in order, none touching another."""
    found: list[tuple[float, float]] = []
    for first, last in _runs(words):
        text = "".join(word.text for word in words[first : last + 1])
        if len(text) < LEAST or _NUMBERS & set(text) or not set(text) & DIGITS.keys():
            continue
        begin, finish = _with_neighbours(words, first, last)
        start, end = words[begin].start - _AROUND, words[finish].end + _AROUND
        if found and start <= found[-1][1]:
            start = found.pop()[0]
        found.append((max(0.0, round(start, 2)), round(end, 2)))
    return tuple(found)


def _runs(words: Sequence[Word]) -> list[tuple[int, int]]:
    """First and last word of each run that sounds like digits."""
    runs: list[tuple[int, int]] = []
    for at, word in enumerate(words):
        if not all(like_a_digit(char) for char in word.text):
            continue
        if runs and runs[-1][1] == at - 1 and word.start - words[at - 1].end <= _LINK:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((at, at))
    return runs


def like_a_digit(char: str) -> bool:
    """Whether a character is a digit word or sounds like one."""
    return min(cost(char, digit) for digit in DIGIT_WORDS) <= _ALIKE


def _with_neighbours(words: Sequence[Word], first: int, last: int) -> tuple[int, int]:
    """One unsure word more at either end: it may be the digits that sounded least alike."""

    def joins(one: int, other: int, added: Word) -> bool:
        close = words[other].start - words[one].end <= _NEIGHBOUR
        return close and (added.conf is None or added.conf < _UNSURE)

    if first > 0 and joins(first - 1, first, words[first - 1]):
        first -= 1
    if last + 1 < len(words) and joins(last, last + 1, words[last + 1]):
        last += 1
    return first, last


def believed(heard: Sequence[Word], words: Sequence[Word]) -> tuple[HeardAgain, ...]:
    """The numbers of a second hearing that hold together and sound like what was heard first."""
    parts = (_without_words(part, words) for part in _parts(heard))
    return tuple(HeardAgain(words=part) for part in parts if _holds(part, words))


def _holds(part: tuple[Word, ...], words: Sequence[Word]) -> bool:
    if len(part) < LEAST or sum(word.conf or 0.0 for word in part) / len(part) < LEAST_SURE:
        return False
    one = HeardAgain(words=part)
    return alike(_first_heard(one, words), one.text) >= LEAST_ALIKE


def _without_words(part: tuple[Word, ...], words: Sequence[Word]) -> tuple[Word, ...]:
    """Without digits at the ends that were surely words before: 是 sounds like 四."""
    while part and _surely_a_word(part[0], words):
        part = part[1:]
    while part and _surely_a_word(part[-1], words):
        part = part[:-1]
    return part


def _surely_a_word(digit: Word, words: Sequence[Word]) -> bool:
    middle = (digit.start + digit.end) / 2
    return any(
        word.start <= middle < word.end
        and (word.conf or 0.0) >= _UNSURE
        and len(word.text) == 1
        and word.text not in DIGITS
        for word in words
    )


def _first_heard(one: HeardAgain, words: Sequence[Word]) -> str:
    return "".join(
        word.text for word in words if one.start <= (word.start + word.end) / 2 < one.end
    )


def _parts(heard: Sequence[Word]) -> list[tuple[Word, ...]]:
    """Runs of digits between what fits no digit and what lies too far apart."""
    parts: list[list[Word]] = [[]]
    for before, word in pairwise([None, *heard]):
        apart = before is not None and word is not None and word.start - before.end > _LINK
        if word is None or word.text == UNKNOWN_WORD or apart:
            parts.append([])
        if word is not None and word.text != UNKNOWN_WORD:
            parts[-1].append(word)
    return [tuple(part) for part in parts if part]
