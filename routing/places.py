"""Finds a city's places in what was said, by their names and by how they sound; pure.

A recogniser without a word for 涪城区 writes 佛城区 or 不城区: the last character (区, 县, 镇, 路)
is right and the rest sounds alike. So a place is found by sound only when its ending stands there
in characters, and a name of two characters only by its characters. What sounded alike is a
suggestion with a likeness below one and never changes the transcript.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from routing.heard import Passage
from routing.sounds import alike, syllables

ENOUGH = 0.80  # mean likeness of the characters before the ending
OTHER_ENDING = 0.9
FULL_NAME, SHORT_NAME, TOWN, ROAD = 4.0, 3.0, 3.0, 2.0
SHORTEST_BY_SOUND = 3
OPERATOR_WEIGHT = 1.2  # the operator repeats the place in clear Mandarin
# Endings that make a place of the sounds before them; a zone's or bridge's name has no such help.
ENDINGS = frozenset("区县市镇乡路街")
# What people say right before a place, and other words that end like one.
NO_PLACES = frozenset(
    (
        "小区",
        "社区",
        "市区",
        "地区",
        "片区",
        "园区",
        "校区",
        "厂区",
        "辖区",
        "山区",
        "景区",
        "灾区",
        "区里",
        "街道",
        "马路",
        "公路",
        "道路",
        "铁路",
        "网路",
        "超市",
        "城市",
        "全市",
        "本市",
        "都市",
        "股市",
        "上市",
        "夜市",
        "集市",
        "全县",
        "乡镇",
        "城镇",
        "老乡",
        "家乡",
        "下乡",
        "城乡",
        "这条路",
        "那条路",
        "一路",
        "走路",
        "修路",
        "堵路",
        "电路",
        "线路",
        "问路",
        "逛街",
        "上街",
        "半路",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A name that leads to an area; `weight` says how surely."""

    name: str
    area: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A place found in a passage; `likeness` is 1.0 when its very characters stand there."""

    place: Place
    passage: Passage
    start: int
    end: int
    likeness: float

    @property
    def score(self) -> float:
        """How much this speaks for the area."""
        operator = OPERATOR_WEIGHT if self.passage.from_operator else 1.0
        return self.place.weight * operator * (1.0 if self.likeness == 1.0 else self.likeness**3)

    @property
    def said(self) -> str:
        """The characters as they stand in the original."""
        first, last = self.passage.span(self.start, self.end)
        return self.passage.original[first:last]


class Gazetteer:
    """All places of a city, ready to be found by name and by sound."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._by_name: dict[str, list[Place]] = defaultdict(list)
        self._by_ending: dict[str, list[Place]] = defaultdict(list)
        self._by_syllables: dict[tuple[str, ...], Place] = {}
        for place in places:
            self._by_name[place.name].append(place)
            if len(place.name) >= SHORTEST_BY_SOUND and place.name[-1] in ENDINGS:
                self._by_ending[place.name[-1]].append(place)
                self._by_syllables.setdefault(syllables(place.name), place)
        self._lengths = sorted({len(sound) for sound in self._by_syllables})

    def find(self, passage: Passage) -> list[Found]:
        """Return every place of a passage, best first at each spot, without overlaps."""
        candidates = [
            *self._named(passage),
            *self._sounding(passage),
            *self._of_same_syllables(passage),
        ]
        candidates.sort(key=lambda it: (-it.likeness, it.start - it.end, it.start))
        taken: list[Found] = []
        for one in candidates:
            if all(one.end <= other.start or other.end <= one.start for other in taken):
                taken.append(one)
        return sorted(taken, key=lambda it: it.start)

    def _named(self, passage: Passage) -> Iterable[Found]:
        text = passage.text
        for name, places in self._by_name.items():
            start = text.find(name)
            while start >= 0:
                end = start + len(name)
                for place in places:
                    yield Found(place=place, passage=passage, start=start, end=end, likeness=1.0)
                start = text.find(name, end)

    def _sounding(self, passage: Passage) -> Iterable[Found]:
        """Names whose ending stands there in characters and whose rest sounds alike."""
        text = passage.text
        for at, ending in enumerate(text):
            if ending not in self._by_ending or _no_place(text, at):
                continue
            for place in self._by_ending[ending]:
                start = at + 1 - len(place.name)
                if start < 0 or text[start : at + 1] == place.name:
                    continue
                likeness = alike(text[start:at], place.name[:-1])
                if likeness >= ENOUGH:
                    yield Found(
                        place=place,
                        passage=passage,
                        start=start,
                        end=at + 1,
                        likeness=min(likeness, 0.99),  # 1.0 is for the very characters
                    )

    def _of_same_syllables(self, passage: Passage) -> Iterable[Found]:
        """Names with every syllable right but even the ending another character (三苔藓)."""
        sounds = syllables(passage.text)
        for length in self._lengths:
            for start in range(len(sounds) - length + 1):
                place = self._by_syllables.get(sounds[start : start + length])
                if place is not None and passage.text[start : start + length] != place.name:
                    yield Found(
                        place=place,
                        passage=passage,
                        start=start,
                        end=start + length,
                        likeness=OTHER_ENDING,
                    )


def _no_place(text: str, at: int) -> bool:
    return any(text[max(0, at + 1 - n) : at + 1] in NO_PLACES for n in (2, 3))


def best_area(found: Iterable[Found]) -> tuple[str, float] | None:
    """Return the area most spoken for and its score, None when nothing speaks for any.

    An operator who names only a road may be telling the way, so that counts beside the caller's
    own words or the area's name and never alone.
    """
    scores: dict[str, float] = defaultdict(float)
    named: set[str] = set()
    for one in found:
        scores[one.place.area] += one.score
        if one.place.weight > ROAD or not one.passage.from_operator:
            named.add(one.place.area)
    if not named:
        return None
    area = max(named, key=lambda name: scores[name])
    return area, scores[area]
