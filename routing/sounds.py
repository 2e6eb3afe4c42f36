"""How words sound: toneless syllables with the mergers of Sichuan ears and of recognisers; pure.

A recogniser that does not know a place's name writes others that sound like it (涪城区 becomes
佛城区). Compared by sound the name is found again. Readings come from pypinyin's table, one most
usual reading a character; characters without a reading stand for themselves.
"""

import unicodedata
from functools import lru_cache

from pypinyin.constants import PINYIN_DICT

# Place names in which the table's first reading is not the one people say.
READINGS = {"荄": "gai", "枧": "jian", "漩": "xuan", "圌": "chui", "嫘": "lei", "郪": "qi"}

# What Sichuan speakers do not tell apart, and recognisers confuse: retroflex and flat sibilants,
# n and l, f and h before u, front and back nasals.
INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
SAME_INITIAL = {"zh": "z", "ch": "c", "sh": "s", "n": "l"}
SAME_FINAL = {"ing": "in", "eng": "en", "ang": "an", "uang": "uan", "iang": "ian", "ong": "ong"}


@lru_cache(maxsize=65536)
def syllable(char: str) -> str:
    """Return a character's toneless reading, or the character itself when it has none."""
    if char in READINGS:
        return READINGS[char]
    readings = PINYIN_DICT.get(ord(char))
    if not readings:
        return char
    plain = unicodedata.normalize("NFD", readings.split(",", 1)[0])
    letters = "".join(c for c in plain if c == "\u0308" or not unicodedata.combining(c))
    return letters.replace("u\u0308", "v")


@lru_cache(maxsize=4096)
def split(sound: str) -> tuple[str, str]:
    """Return a syllable's initial and final, merged; a character without a reading stays whole."""
    if not sound.isascii():
        return sound, sound
    initial = next((i for i in INITIALS if sound.startswith(i)), "")
    final = sound[len(initial) :]
    if initial in {"f", "h"} and final.startswith("u"):
        initial = "f"  # 湖 and 浮 are one sound in much of Sichuan
    return SAME_INITIAL.get(initial, initial), SAME_FINAL.get(final, final)


@lru_cache(maxsize=65536)
def merged(char: str) -> str:
    """Return a character's sound after the mergers, the key for equal-sounding words."""
    initial, final = split(syllable(char))
    return initial if initial == final else initial + final


def syllables(text: str) -> tuple[str, ...]:
    """Return the toneless reading of each character, without any merger."""
    return tuple(map(syllable, text))


NEAR_FINALS = {
    frozenset(pair)
    for pair in (
        ("in", "ian"),
        ("en", "an"),
        ("u", "o"),
        ("uo", "o"),
        ("u", "ou"),
        ("v", "i"),
        ("e", "uo"),
        ("ai", "ei"),
        ("ian", "an"),
        ("uan", "an"),
        ("ue", "ie"),
        ("ui", "ei"),
        ("un", "en"),
        ("ao", "iao"),
        ("ou", "iu"),
        ("ong", "en"),
    )
}
NEAR_INITIALS = {
    frozenset(pair)
    for pair in (
        ("b", "p"),
        ("b", "f"),
        ("p", "f"),
        ("d", "t"),
        ("g", "k"),
        ("j", "q"),
        ("j", "z"),
        ("q", "c"),
        ("x", "s"),
        ("q", "x"),
        ("z", "c"),
        ("f", "h"),
        ("r", "l"),
        ("w", "f"),
        ("w", "h"),
    )
}


@lru_cache(maxsize=65536)
def likeness(a: str, b: str) -> float:
    """Return how alike two characters sound: 1.0 the same after the mergers, 0.0 nothing alike."""
    if merged(a) == merged(b):
        return 1.0
    first, second = split(syllable(a)), split(syllable(b))
    return 0.45 * _near(first[0], second[0], NEAR_INITIALS, 0.6) + 0.55 * _near(
        first[1], second[1], NEAR_FINALS, 0.6
    )


def _near(a: str, b: str, near: set[frozenset[str]], part: float) -> float:
    if a == b:
        return 1.0
    return part if frozenset((a, b)) in near else 0.0


def alike(said: str, name: str) -> float:
    """Return the mean likeness of two texts of one length, character by character."""
    return sum(map(likeness, said, name)) / len(name) if len(said) == len(name) else 0.0
