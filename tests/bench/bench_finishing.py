"""Whether finishing recovers names it was not shown, and leaves alone what holds none.

    .cache/venv/bin/python tests/bench/bench_finishing.py [SENTENCES]

Three guards against a vocabulary step that fits twelve scripted calls and nothing else:
sentences of citizens of another city (no name of ours stands in them), each word with a random
confidence: replacements in a thousand characters, all of them false; the same sentences with a name
of the city before them, each of its characters given another that sounds like it (same syllable,
a dialect's or a recogniser's neighbour, or, once in ten, any): names found raw and finished; and
the scripted calls, each without the words of `words.yaml` that stand in its script and in no
other's, so that no word helps because somebody read that script.
"""

import asyncio
import csv
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hotline.speech_bench import Heard, Script, judge, read_scripts
from routing.city_files import CityData
from routing.directory import city_of, load_city, read_city
from telephony.calls import Leg
from tests.bench.bench_speech import REPOSITORY
from transcription.engines.vosk import VoskTranscriber
from transcription.errors import ModelError
from transcription.finishing import finish
from transcription.mentions import Mention, Score, held_against, mentions
from transcription.models import ensure_model
from transcription.syllables import MERGED, NEAR, cost, readings
from transcription.transcripts import Transcript, Word
from transcription.vocabulary import NameSort, Vocabulary

CITY = REPOSITORY / "deploy" / "cities" / "mianyang"
SEED = 20261126
NONE = Score(there=0, found=0, right=0)
SURE = (1.0, 1.0, 0.95, 0.8, 0.6, 0.4)
"""Confidences of words that were heard right, about as Vosk spreads them."""
UNSURE = (0.9, 0.7, 0.5, 0.4, 0.3)
"""Of words that were not."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Characters that may be heard for one another, from the characters people write."""

    letters: tuple[str, ...]
    by_sound: dict[tuple[str, str], list[str]]

    def of(self, char: str, dice: random.Random) -> str:
        """Another character that sounds like it, or about like it; once in ten any."""
        throw = dice.random()
        if throw < 0.1:
            return dice.choice(self.letters)
        most = 0.1 if throw < 0.6 else MERGED + 0.1 if throw < 0.8 else NEAR + 0.1
        same = self.by_sound.get(readings(char)[0][:2], []) if readings(char) else []
        near = same if most <= MERGED else [it for it in self.letters if cost(it, char) <= most]
        return dice.choice(near or [char])


def rolled() -> random.Random:
    """Dice that fall the same in each run."""
    return random.Random(SEED)  # noqa: S311 - noise, no secret


def noise_of(sentences: list[str]) -> Noise:
    """Noise made of the characters that stand in these sentences ten times or more."""
    counted = Counter(char for one in sentences for char in one)
    letters = tuple(char for char, times in counted.items() if times >= 10 and readings(char))
    by_sound: dict[tuple[str, str], list[str]] = {}
    for char in letters:
        by_sound.setdefault(readings(char)[0][:2], []).append(char)
    return Noise(letters, by_sound)


def sentences_of(file: Path, many: int) -> list[str]:
    """Clauses of six to thirty characters from citizens' messages."""
    with file.open(encoding="utf-8") as opened:
        texts = [row["text"] for row in csv.DictReader(opened)]
    rolled().shuffle(texts)
    found = [one for text in texts for one in re.findall("[\u4e00-\u9fff]{6,30}", text)[:3]]
    return found[:many]


def words(text: str, confidences: tuple[float, ...], at: float, dice: random.Random) -> list[Word]:
    """Words of one to three characters, 0.2 s each."""
    found = []
    while text:
        size = dice.choice((1, 2, 2, 2, 3))
        piece, text = text[:size], text[size:]
        end = at + 0.2 * len(piece)
        found.append(Word(text=piece, start=at, end=end, conf=dice.choice(confidences)))
        at = end
    return found


def false_replacements(sentences: list[str], vocabulary: Vocabulary) -> float:
    """Replacements in a thousand characters in which no name stands."""
    dice = rolled()
    changed = sum(
        len(one.corrections)
        for text in sentences
        for one in finish(Leg.CALLER, words(text, SURE, 0.0, dice), vocabulary)
    )
    return 1000 * changed / sum(map(len, sentences))


def recovered(sentences: list[str], vocabulary: Vocabulary) -> tuple[Score, Score]:
    """Places and units found raw and finished, where each sentence begins with a noisy one."""
    dice, noise = rolled(), noise_of(sentences)
    names = [one for one in vocabulary.names.values() if one.sort is not NameSort.WORD]
    raw = done = NONE
    for text in sentences:
        name = dice.choice(names).text
        heard = [*words("".join(noise.of(char, dice) for char in name), UNSURE, 0.0, dice)]
        heard += words(text, SURE, heard[-1].end, dice)
        said = wanted(name + text, vocabulary)
        parts = finish(Leg.CALLER, heard, vocabulary)
        raw += held_against(said, whole("".join(one.raw for one in parts), said, vocabulary))
        done += held_against(said, whole("".join(one.spoken for one in parts), said, vocabulary))
    return raw, done


def whole(text: str, said: Counter[str], vocabulary: Vocabulary) -> Counter[str]:
    """Places and units of a text; part of a longer name that was said counts neither way."""
    found = wanted(text, vocabulary)
    parts = [one for one in found if one not in said and any(one in name for name in said)]
    return Counter({one: times for one, times in found.items() if one not in parts})


def wanted(text: str, vocabulary: Vocabulary) -> Counter[str]:
    """Places and units of a text."""
    found = mentions(text, vocabulary)
    return found[Mention.PLACE] + found[Mention.UNIT]


def without_its_own(data: CityData, scripts: list[Script], call: str) -> Vocabulary:
    """The city without what `words.yaml` says and only this call's script holds."""
    own = "".join(one.text for one in scripts if one.name == call)
    others = "".join(one.text for one in scripts if one.name != call)

    def is_general(text: str) -> bool:
        return text not in own or text in others

    files = tuple(
        file.model_copy(
            update={
                "words": tuple(it for it in file.words if is_general(it.text)),
                "units": tuple(filter(is_general, file.units)),
                "places": {
                    area: tuple(filter(is_general, names)) for area, names in file.places.items()
                },
            }
        )
        for file in data.words
    )
    return city_of(data.model_copy(update={"words": files})).vocabulary


async def transcribed(model: Path, scripts: list[Script]) -> list[Transcript]:
    """Every leg, as the engine hears it."""
    engine = VoskTranscriber(model)
    try:
        return list(await asyncio.gather(*(engine.transcribe(one.wav, one.leg) for one in scripts)))
    finally:
        await engine.aclose()


def held_out(data: CityData, scripts: list[Script], heard: list[Transcript]) -> Iterator[Heard]:
    """Each leg with the vocabulary that knows nothing of its own call."""
    known = city_of(data).vocabulary
    without = {one.name: without_its_own(data, scripts, one.name) for one in scripts}
    for script, found in zip(scripts, heard, strict=True):
        # What counts as a mention stays the same: only what finishing knows is taken away.
        own = judge(script, found, without[script.name])
        spoken = wanted(script.text, known)
        after = held_against(spoken, wanted(own.finished, known))
        before = held_against(spoken, wanted(own.raw, known))
        yield replace(own, before={Mention.PLACE: before}, after={Mention.PLACE: after})


def show(label: str, before: Score, after: Score) -> None:
    """Print recall and precision of places and units."""
    rates = [
        "—" if rate is None else f"{rate:.2f}"
        for rate in (before.recall, after.recall, before.precision, after.precision)
    ]
    print(f"{label:52} recall {rates[0]} -> {rates[1]}, precision {rates[2]} -> {rates[3]}")


def main() -> int:
    """Run the three guards, as far as their data is there."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    shared = Path(os.environ.get("HOTLINE_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    if not (shared / "messages" / "messages.csv").is_file():
        print(f"skipped: no messages in {shared} (HOTLINE_SHARED_DATA names the folder)")
        return 0
    vocabulary = load_city(CITY).vocabulary
    sentences = sentences_of(shared / "messages" / "messages.csv", many)
    rate = false_replacements(sentences, vocabulary)
    print(f"{len(sentences)} sentences without a name of ours: {rate:.2f} false in 1000 characters")
    show("the same, each after a name in homophones", *recovered(sentences, vocabulary))
    cache = Path(os.environ.get("HOTLINE_CACHE") or REPOSITORY / ".cache")
    try:
        model = ensure_model(cache / "models")
        scripts = read_scripts(shared / "calls")
    except (ModelError, OSError) as error:
        print(f"skipped: {error}")
        return 0
    heard = list(held_out(read_city(CITY), scripts, asyncio.run(transcribed(model, scripts))))
    scores = [
        sum((getattr(one, when)[Mention.PLACE] for one in heard), NONE)
        for when in ("before", "after")
    ]
    show("scripted calls, each without its own words", *scores)
    raw, done = (sum(getattr(it, f"{w}_errors") for it in heard) for w in ("raw", "finished"))
    length = sum(one.length for one in heard)
    print(f"character errors {raw / length:.1%} -> {done / length:.1%}, {1 - done / raw:.0%} lower")
    return 0


if __name__ == "__main__":
    sys.exit(main())
