"""How far apart two characters sound, to Sichuan speakers and to recognisers. Pure.

A character is its readings (initial, final, tone) from pypinyin's table. What Sichuan speakers do
not tell apart (n/l, zh/z, sh/s, ch/c, f/h before u, in/ing, en/eng, an/ang) costs little, what a
recogniser on the telephone band confuses costs more, anything else costs half a syllable. Tones
cost least: the telephone and the dialect bend them first.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from pypinyin.constants import PINYIN_DICT

ALWAYS = {"荄": "gāi", "枧": "jiǎn", "漩": "xuán", "嫘": "léi", "郪": "qī", "幺": "yāo"}
"""Place names and telephone digits in which the table's first reading is not the one people say."""
READINGS_TRIED = 2
"""Of a name; a recogniser's own words are taken by their usual reading alone."""
MERGED, NEAR, FAR = 0.08, 0.25, 0.5
"""Cost of an initial or a final heard for another: by dialect, by the band, by nothing we know."""
TONE = 0.06
MISSED = 0.7
"""Cost of a syllable too many or too few."""
DRAWN_OUT = 0.45
"""Cost of one more syllable that only draws out the vowel before it (服务 for 涪)."""
_INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
_TONES = {"\u0304": 1, "\u0301": 2, "\u030c": 3, "\u0300": 4}
_ROUNDED = {"u": "v", "uan": "van", "un": "vn", "ue": "ve"}
_ROUNDING = frozenset("jqxy")


def _pairs(written: str) -> frozenset[tuple[str, str]]:
    split = [tuple(pair.split("/")) for pair in written.split()]
    return frozenset((a, b) for a, b in split) | frozenset((b, a) for a, b in split)


_MERGED_INITIALS = _pairs("zh/z ch/c sh/s n/l f/h")
_MERGED_FINALS = _pairs("ing/in eng/en ang/an uang/uan iang/ian ueng/en")
_NEAR_INITIALS = _pairs(
    "b/p b/m p/f d/t d/l g/k g/h k/h j/q j/x q/x zh/ch zh/sh ch/sh z/c z/s c/s zh/j ch/q sh/x "
    "r/l r/y w/h w/f m/n zh/c sh/c ch/s j/z q/c x/s"
)
_NEAR_FINALS = _pairs(
    "in/ian ing/ian in/i ing/i an/en ang/eng u/o uo/o uo/u uo/ou u/ou v/i v/u ve/v ve/ie e/uo e/o "
    "ai/ei ian/an uan/an ui/ei un/en ong/eng ong/en ong/un vn/in van/ian ao/iao ou/iu iu/u ai/a "
    "uai/ai ie/ian ao/ou uang/ang iang/ang ia/a ua/a uan/uang i/e e/ei"
)


@lru_cache(maxsize=65536)
def readings(char: str) -> tuple[tuple[str, str, int], ...]:
    """The likeliest readings of a character as initial, final and tone (0: none); may be empty."""
    written = ALWAYS.get(char) or PINYIN_DICT.get(ord(char), "")
    return tuple(_reading(one) for one in written.split(",")[:READINGS_TRIED] if one)


def _reading(written: str) -> tuple[str, str, int]:
    plain, tone = "", 0
    for mark in unicodedata.normalize("NFD", written):
        if mark in _TONES:
            tone = _TONES[mark]
        elif mark == "\u0308":
            plain = plain[:-1] + "v"
        elif not unicodedata.combining(mark):
            plain += mark
    initial = next((one for one in _INITIALS if plain.startswith(one)), "")
    final = plain[len(initial) :]
    return initial, _ROUNDED.get(final, final) if initial in _ROUNDING else final, tone


@lru_cache(maxsize=262144)
def cost(said: str, meant: str) -> float:
    """What it costs to hear `meant` as `said`: 0 the same sound, 1 nothing alike."""
    if said == meant:
        return 0.0
    ours, theirs = readings(said), readings(meant)
    if not ours or not theirs:
        return 1.0
    return min(_cost(ours[0], other) for other in theirs)


def _cost(a: tuple[str, str, int], b: tuple[str, str, int]) -> float:
    between = _step(a[0], b[0], _MERGED_INITIALS, _NEAR_INITIALS)
    between += _step(a[1], b[1], _MERGED_FINALS, _NEAR_FINALS)
    return min(1.0, between + (TONE if a[2] != b[2] else 0.0))


def _step(
    a: str, b: str, merged: frozenset[tuple[str, str]], near: frozenset[tuple[str, str]]
) -> float:
    if a == b:
        return 0.0
    if (a, b) in merged:
        return MERGED
    return NEAR if (a, b) in near else FAR


@lru_cache(maxsize=65536)
def key(char: str) -> str:
    """One word for all characters that may pass for each other at the cost of a dialect."""
    found = readings(char)
    if not found:
        return char
    initial, final, _ = found[0]
    if initial == "h" and final.startswith("u"):
        initial = "f"
    initial = {"zh": "z", "ch": "c", "sh": "s", "n": "l"}.get(initial, initial)
    return (
        initial + final.removesuffix("g")
        if final.endswith("ng") and final != "ong"
        else (initial + final)
    )


def distance(said: Sequence[str], meant: Sequence[str]) -> float:
    """The least cost of hearing all of `meant` as all of `said`, syllables missed included."""
    row = [MISSED * at for at in range(len(meant) + 1)]
    before = ""
    for char in said:
        extra = _extra(before, char)
        new = [row[0] + extra]
        for at, want in enumerate(meant, start=1):
            new.append(min(row[at - 1] + cost(char, want), row[at] + extra, new[at - 1] + MISSED))
        row, before = new, char
    return row[-1]


@lru_cache(maxsize=65536)
def _extra(before: str, char: str) -> float:
    ours, theirs = readings(before) if before else (), readings(char)
    if ours and theirs and theirs[0][1] == ours[0][1] and theirs[0][0] in ("", "w", "y"):
        return DRAWN_OUT
    return MISSED


def alike(said: Sequence[str], meant: Sequence[str]) -> float:
    """How alike two texts sound: 1 the same syllables and tones, 0 nothing alike."""
    return max(0.0, 1.0 - distance(said, meant) / max(1, len(meant)))
