"""How words sound: toneless syllables with the mergers of Sichuan ears and of recognisers; pure.

A recogniser that does not know a place's name writes others that sound like it (涪城区 becomes
佛城区). Compared by sound the name is found again. Readings come from pypinyin's table, one most
usual reading a character; characters without a reading stand for themselves.
"""

import unicodedata
from functools import lru_cache

from pypinyin.constants import PINYIN_DICT

# Place names in which the table's first reading is not the one people say.
READINGS = {"荄": "gai", "枧": "jian", "漩": "xuan", "嫘": "lei", "郪": "qi"}

# What Sichuan speakers do not tell apart, and recognisers confuse: retroflex and flat sibilants,
# n and l, f and h before u, front and back nasals.
INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
SAME_INITIAL = {"zh": "z", "ch": "c", "sh": "s", "n": "l"}
SAME_FINAL = {"ing": "in", "eng": "en", "ang": "an", "uang": "uan", "iang": "ian"}
# After these initials a written u is the sound ü.
ROUNDED = {"u": "v", "uan": "van", "un": "vn", "ue": "ve"}
ROUNDING = frozenset("jqxy")

# Finals and initials that are heard for one another, though most people tell them apart.
# Pairs with a stroke between them.
HEARD_FINALS = (
    "in/ian in/i en/an u/o uo/o u/uo u/ou uo/ou v/i v/u e/uo e/o ai/ei ian/an "
    "uan/an ue/ie ve/ie ui/ei un/en vn/in van/ian ao/iao ou/iu iu/u ong/en ong/un ai/a uai/ai "
    "ie/ian"
)
HEARD_INITIALS = (
    "b/p b/f p/f b/m d/t g/k j/q j/z q/c x/s q/x z/c z/s c/s f/h r/l w/f w/h d/l y/r j/g"
)


def _pairs(written: str) -> frozenset[frozenset[str]]:
    return frozenset(frozenset(pair.split("/")) for pair in written.split())


NEAR_FINALS, NEAR_INITIALS = _pairs(HEARD_FINALS), _pairs(HEARD_INITIALS)
INITIAL_SHARE, FINAL_SHARE, NEAR = 0.45, 0.55, 0.6

FIRST_PRIVATE = 0xF0000
PRIVATE = 0x1FFF0


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
    if not sound.isascii() or not sound.isalpha():
        return sound, sound
    initial = next((i for i in INITIALS if sound.startswith(i)), "")
    final = sound[len(initial) :]
    if initial in ROUNDING:
        final = ROUNDED.get(final, final)
    if initial == "h" and final.startswith("u"):
        initial = "f"  # 湖 and 浮 are one sound in much of Sichuan
    return SAME_INITIAL.get(initial, initial), SAME_FINAL.get(final, final)


@lru_cache(maxsize=4096)
def _sign(sound: str) -> str:
    """Return one private character for a syllable, the same in every process."""
    number = 0
    for letter in sound:
        number = number * 27 + ord(letter) - ord("a") + 1
    return chr(FIRST_PRIVATE + number % PRIVATE)


def _has_sound(sound: str) -> bool:
    return len(sound) > 1 and sound.isascii() and sound.isalpha()


@lru_cache(maxsize=65536)
def _exact_sign(char: str) -> str:
    sound = syllable(char)
    return _sign(sound) if _has_sound(sound) else char


@lru_cache(maxsize=65536)
def _merged_sign(char: str) -> str:
    sound = syllable(char)
    return _sign("".join(split(sound))) if _has_sound(sound) else char


def exact(text: str) -> str:
    """Return one sign for each character's toneless sound, so that sounds compare as strings."""
    return "".join(map(_exact_sign, text))


def merged(text: str) -> str:
    """Return one sign for each character's sound after the mergers."""
    return "".join(map(_merged_sign, text))


@lru_cache(maxsize=262144)
def likeness(a: str, b: str) -> float:
    """Return how alike two characters sound: 1.0 the same after the mergers, 0.0 nothing alike."""
    if _merged_sign(a) == _merged_sign(b):
        return 1.0
    first, second = split(syllable(a)), split(syllable(b))
    return INITIAL_SHARE * _near(first[0], second[0], NEAR_INITIALS) + FINAL_SHARE * _near(
        first[1], second[1], NEAR_FINALS
    )


def _near(a: str, b: str, near: frozenset[frozenset[str]]) -> float:
    if a == b:
        return 1.0
    return NEAR if frozenset((a, b)) in near else 0.0


def alike(said: str, name: str) -> float:
    """Return the mean likeness of two texts of one length, character by character."""
    return sum(map(likeness, said, name)) / len(name) if len(said) == len(name) else 0.0
