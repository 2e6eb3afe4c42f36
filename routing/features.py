"""A text as the counts a linear model learns from; pure.

Five views of the same text: its words (where it comes with spaces, as segmented text does), runs of
one to four characters, the sounds of those runs, and both for the opening, where people say what
they want. Sounds make the model stand firm when a recogniser writes other characters that sound the
same.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from routing.sounds import exact

BLOCKS = ("word", "char", "sound", "head", "head_sound")
OPENING = 24  # characters
LONGEST = 4000  # characters; what is told later repeats itself
SEGMENTED = 0.25  # share of spaces above which a text counts as segmented


def runs(text: str, shortest: int, longest: int) -> Counter[str]:
    """Count the runs of `shortest` to `longest` characters."""
    found: Counter[str] = Counter()
    for length in range(shortest, longest + 1):
        found.update([text[i : i + length] for i in range(len(text) - length + 1)])
    return found


def counts(text: str) -> Mapping[str, Counter[str]]:
    """Return the five views of a text."""
    text = text[:LONGEST].lower()
    words = text.split()
    plain = "".join(words)
    heard = exact(plain)
    return {
        "word": _words(words) if _segmented(words, plain) else Counter(),
        "char": runs(plain, 1, 4),
        "sound": runs(heard, 2, 4),
        "head": runs(plain[:OPENING], 1, 3),
        "head_sound": runs(heard[:OPENING], 1, 3),
    }


def _segmented(words: list[str], plain: str) -> bool:
    """Whether spaces stand between words; people and recognised speech write none or few."""
    return len(words) > SEGMENTED * len(plain)


def _words(words: list[str]) -> Counter[str]:
    found = Counter(words)
    found.update(f"{a} {b}" for a, b in pairwise(words))
    return found
