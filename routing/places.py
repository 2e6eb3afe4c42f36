"""Finds a city's places in what was said, by their names and by how they sound; pure.

A recogniser without a word for 涪城区 writes 佛城区 or 不城区: the last character (区, 县, 镇, 路)
is right and the rest sounds alike. So a place is found by sound only when its ending stands there
in characters, and a name of two characters only by its characters. What sounded alike is a
suggestion with a likeness below one and never changes the transcript.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from routing.finding import Finder
from routing.heard import Passage
from routing.sounds import alike, exact, merged

FULL_NAME, SHORT_NAME, TOWN, ROAD = 4.0, 3.0, 3.0, 2.0
SHORTEST_BY_SOUND = 3
ENOUGH = 0.86  # mean likeness of what stands before an ending that is right in characters
LONG = 4  # from this length on a name is found by sound whatever its ending's character is
ENOUGH_OF_LONG = {4: 0.88}
ENOUGH_OF_LONGER = 0.84
ALL_SYLLABLES = 0.9  # every syllable right, the ending another character: 三苔藓 for 三台县
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
    def sureness(self) -> float:
        """Characters before sounds, and a long likeness before a short one."""
        if self.likeness == 1.0:
            return 2.0 + (self.end - self.start) / 100
        return self.likeness + (self.end - self.start) / 100

    @property
    def said(self) -> str:
        """The characters as they stand in the original."""
        first, last = self.passage.span(self.start, self.end)
        return self.passage.original[first:last]


class Gazetteer:
    """All places of a city, ready to be found by name and by sound."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._by_name: dict[str, list[Place]] = defaultdict(list)
        self._by_ending: dict[str, list[tuple[int, Place]]] = defaultdict(list)
        self._by_sound: dict[str, Place] = {}
        self._by_pair: dict[str, list[tuple[int, Place]]] = defaultdict(list)
        for place in places:
            self._by_name[place.name].append(place)
            if len(place.name) < SHORTEST_BY_SOUND or place.name[-1] not in ENDINGS:
                continue
            for at, sign in enumerate(merged(place.name[:-1])):
                self._by_ending[sign + place.name[-1]].append((at + 1 - len(place.name), place))
            self._by_sound.setdefault(exact(place.name), place)
            if len(place.name) >= LONG:
                for at, pair in _pairs(merged(place.name)):
                    self._by_pair[pair].append((at, place))
        self._longest = max(map(len, self._by_sound), default=0)
        self._names = Finder(self._by_name)
        self._sounds = Finder(self._by_sound)

    def find(self, passage: Passage) -> list[Found]:
        """Return every place of a passage, the surest first at each spot, without overlaps."""
        candidates = [
            *self._named(passage),
            *self._before_an_ending(passage),
            *self._long(passage),
            *self._of_same_syllables(passage),
        ]
        candidates.sort(key=lambda it: (-it.sureness, it.start))
        taken: list[Found] = []
        for one in candidates:
            if all(one.end <= other.start or other.end <= one.start for other in taken):
                taken.append(one)
        return sorted(taken, key=lambda it: it.start)

    def _named(self, passage: Passage) -> Iterable[Found]:
        for start, name in self._names.spots(passage.text):
            for place in self._by_name[name]:
                yield _found(place, passage, start, 1.0)

    def _before_an_ending(self, passage: Passage) -> Iterable[Found]:
        """Names whose ending stands there in characters and whose rest sounds alike.

        One syllable before the ending must be the same: without one no likeness is enough.
        """
        text, signs = passage.text, passage.merged
        for end, ending in enumerate(text):
            if ending not in ENDINGS or _no_place(text, end):
                continue
            for at in range(max(0, end - self._longest), end):
                for offset, place in self._by_ending.get(signs[at] + ending, ()):
                    start = end + 1 - len(place.name)
                    if at - end == offset and start >= 0:
                        likeness = alike(text[start:end], place.name[:-1])
                        if likeness >= ENOUGH:
                            yield _found(place, passage, start, likeness)

    def _long(self, passage: Passage) -> Iterable[Found]:
        """Long names, area and road in one breath for example, that sound alike as a whole."""
        text = passage.text
        for start, place in {
            (at - offset, place)
            for at, pair in _pairs(passage.merged)
            for offset, place in self._by_pair.get(pair, ())
        }:
            said = text[max(start, 0) : start + len(place.name)]
            if start >= 0 and len(said) == len(place.name):
                likeness = alike(said, place.name)
                if likeness >= ENOUGH_OF_LONG.get(len(said), ENOUGH_OF_LONGER):
                    yield _found(place, passage, start, likeness)

    def _of_same_syllables(self, passage: Passage) -> Iterable[Found]:
        for start, sound in self._sounds.spots(passage.exact):
            yield _found(self._by_sound[sound], passage, start, ALL_SYLLABLES)


def _pairs(signs: str) -> Iterable[tuple[int, str]]:
    """Each two neighbours, and each two with one between them that may be misheard."""
    for at in range(len(signs) - 1):
        yield at, signs[at : at + 2]
        if at + 2 < len(signs):
            yield at, signs[at] + " " + signs[at + 2]


def _found(place: Place, passage: Passage, start: int, likeness: float) -> Found:
    """Only the very characters are worth 1.0."""
    end = start + len(place.name)
    if passage.text[start:end] != place.name:
        likeness = min(likeness, 0.99)
    return Found(place=place, passage=passage, start=start, end=end, likeness=likeness)


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
