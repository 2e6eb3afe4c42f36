"""A text as the counts a linear model learns from; pure.

Five views of the same text: its words (where it comes with spaces, as segmented text does), runs of
one to four characters, the sounds of those runs, and both for the opening, where people say what
they want. Sounds make the model stand firm when a recogniser writes other characters that sound the
same.
"""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

from routing.sounds import syllable

BLOCKS = ("word", "char", "sound", "head", "head_sound")
OPENING = 24  # characters
LONGEST = 4000  # characters; what is told later repeats itself
FIRST_PRIVATE = 0xF0000  # each syllable becomes one private character, so that runs are slices
PRIVATE = 0x1FFF0
SEGMENTED = 0.25  # share of spaces above which a text counts as segmented


@lru_cache(maxsize=4096)
def _symbol(sound: str) -> str:
    """Return one private character for a syllable, the same in every process."""
    number = 0
    for letter in sound:
        number = number * 27 + ord(letter) - ord("a") + 1
    return chr(FIRST_PRIVATE + number % PRIVATE)


@lru_cache(maxsize=65536)
def _sound(char: str) -> str:
    sound = syllable(char)
    return _symbol(sound) if sound.isascii() and sound.isalpha() and len(sound) > 1 else char


def sounds(text: str) -> str:
    """Return the text with each character replaced by a sign for its toneless sound."""
    return "".join(map(_sound, text))


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
    heard = sounds(plain)
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
