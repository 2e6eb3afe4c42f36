"""Our own rules as data: words that speak for a category, a kind, an urgency; pure.

A rule file has a name and a version; a city's file stands on the general one and only adds. Words
are grouped by weight. Emergency words are rules alone: no model can add or remove an emergency.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, field_validator

from routing.cases import Kind, Urgency
from routing.documents import Document, read_document
from routing.errors import DataFault
from routing.heard import passage
from routing.lexicon import Hit, Lexicon, Pair, Target

LEVEL1 = (
    "城乡建设",
    "农村农业",
    "政法",
    "教育文体",
    "劳动和社会保障",
    "民政",
    "党务政务",
    "经济管理",
    "卫生计生",
    "商贸旅游",
    "环境保护",
    "交通运输",
    "纪检监察",
    "国土资源",
    "科技与信息产业",
)


BY_EAR = frozenset({"kind", "urgency"})  # too important to be lost to one wrong character


class NearRule(Document):
    """Words of `first` and words of `then` within some characters of each other."""

    first: tuple[str, ...] = Field(min_length=1)
    then: tuple[str, ...] = Field(min_length=1)
    within: int = Field(default=8, ge=0, le=60)
    weight: float = Field(gt=0, le=20)


class Bucket(Document):
    """What speaks for one value: words by weight, and pairs of words."""

    words: dict[float, tuple[str, ...]] = Field(default_factory=dict)
    near: tuple[NearRule, ...] = ()

    @field_validator("words")
    @classmethod
    def _sensible(cls, words: dict[float, tuple[str, ...]]) -> dict[float, tuple[str, ...]]:
        for weight, group in words.items():
            if not 0 < weight <= 20:  # noqa: PLR2004 - the range the file's head names
                raise ValueError(f"a weight lies above 0 and up to 20, not {weight:g}")
            if not all(word.strip() for word in group):
                raise ValueError("a word is empty")
        return words


class Negation(Document):
    """Words that take back what follows (没有), or what stands before (演练)."""

    before: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    reach: int = Field(default=6, ge=0, le=20)


class RuleFile(Document):
    """One file of rules."""

    rules: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    note: str = ""
    categories: dict[str, Bucket] = Field(default_factory=dict)
    kinds: dict[Kind, Bucket] = Field(default_factory=dict)
    urgencies: dict[Urgency, Bucket] = Field(default_factory=dict)
    negation: Negation = Negation()

    @field_validator("categories")
    @classmethod
    def _known_categories(cls, categories: dict[str, Bucket]) -> dict[str, Bucket]:
        unknown = [name for name in categories if name not in LEVEL1]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no level-1 category")
        return categories

    @field_validator("urgencies")
    @classmethod
    def _no_normal(cls, urgencies: dict[Urgency, Bucket]) -> dict[Urgency, Bucket]:
        if Urgency.NORMAL in urgencies:
            raise ValueError("normal is what remains; it needs no words")
        return urgencies


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rule files of a city, joined and ready to be applied."""

    version: str
    lexicon: Lexicon
    negation: Negation

    def negated(self, hit: Hit) -> bool:
        """Whether the words around a hit take it back (没有发现燃气泄漏, 燃气泄漏演练)."""
        text = hit.passage.text
        follows = text[hit.end : hit.end + self.negation.reach]
        if any(word in follows for word in self.negation.after):
            return True
        return self._denied(text[: hit.start])

    def _denied(self, before: str) -> bool:
        """Whether a denial stands at the end, linking words between (没有[发现][任何])."""
        while True:
            word = next((it for it in self.negation.before if before.endswith(it)), None)
            if word is not None:
                return not before[: -len(word)].endswith(self.negation.doubled)
            link = next((it for it in self.negation.links if before.endswith(it)), None)
            if link is None:
                return False
            before = before[: -len(link)]


def joined(files: Iterable[RuleFile]) -> Rules:
    """Join rule files in order; later files add words, their weights replace earlier ones.

    Raises:
        DataFault: no file was given.
    """
    ordered = tuple(files)
    if not ordered:
        raise DataFault("There are no routing rules: give at least one rules.yaml.")
    words: dict[str, dict[Target, float]] = defaultdict(dict)
    pairs: list[Pair] = []
    by_ear: set[str] = set()
    for target, bucket in (entry for file in ordered for entry in _buckets(file)):
        for weight, group in bucket.words.items():
            for word in group:
                words[_plain(word)][target] = weight
                if target.sort in BY_EAR:
                    by_ear.add(_plain(word))
        pairs += (_pair(target, near) for near in bucket.near)
    return Rules(
        version="+".join(f"{file.rules}/{file.version}" for file in ordered),
        lexicon=Lexicon(
            {word: targets.items() for word, targets in words.items()}, pairs, frozenset(by_ear)
        ),
        negation=_joined_negation([file.negation for file in ordered]),
    )


def _buckets(file: RuleFile) -> Iterable[tuple[Target, Bucket]]:
    for name, bucket in file.categories.items():
        yield Target(sort="level1", value=name), bucket
    for kind, bucket in file.kinds.items():
        yield Target(sort="kind", value=kind), bucket
    for urgency, bucket in file.urgencies.items():
        yield Target(sort="urgency", value=urgency), bucket


def _pair(target: Target, near: NearRule) -> Pair:
    return Pair(
        target=target,
        weight=near.weight,
        first=frozenset(map(_plain, near.first)),
        then=frozenset(map(_plain, near.then)),
        within=near.within,
    )


def _joined_negation(parts: list[Negation]) -> Negation:
    def longest_first(name: str) -> tuple[str, ...]:
        words = {_plain(word) for part in parts for word in getattr(part, name)}
        return tuple(sorted(words, key=lambda word: (-len(word), word)))

    return Negation(
        before=longest_first("before"),
        links=longest_first("links"),
        doubled=longest_first("doubled"),
        after=longest_first("after"),
        reach=max(part.reach for part in parts),
    )


def _plain(word: str) -> str:
    return passage(word).text


def read_rules(path: Path) -> RuleFile:
    """Return one rule file; raises DataFault with one sentence."""
    return read_document(path, RuleFile)


def load_rules(*paths: Path) -> Rules:
    """Read and join rule files in this order; raises DataFault with one sentence."""
    return joined(read_rules(path) for path in paths)
