"""What finishing changes in what is suggested for a case: the scripted calls, heard by Vosk.

    .cache/venv/bin/python tests/bench/bench_routed_words.py [DIR]

DIR (default `../shared/data/calls`) holds legs of 8 kHz and their scripts, `calls.json`, which say
line, category, kind, urgency and area of each call. Each call is heard once; the same classifier
suggests from the words as the engine wrote them, from the finished text, and from the script.
Printed for each way: how many of each are as the script says, the mean confidence in the right
category, and how many places were known by their very name instead of by their sound.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hotline.casework import load_casework
from hotline.config import Config
from hotline.speech import transcriber_of
from routing.classify import Classifier
from telephony.calls import Leg
from transcription.sentences import sentences, turns
from transcription.transcripts import Transcript, Turn, join
from transcription.vocabulary import Vocabulary

CALLS = Path(__file__).resolve().parents[3] / "shared" / "data" / "calls"
WAYS = ("as heard", "finished", "script")
ASKED = ("level1", "kind", "urgency", "area")


def dialogues(
    call: Mapping[str, Any], heard: Mapping[Leg, Transcript], vocabulary: Vocabulary
) -> dict[str, Sequence[Turn]]:
    """The same call in three ways."""
    finished = {leg: sentences(it, vocabulary) for leg, it in heard.items()}
    said = turns(finished[Leg.CALLER], finished[Leg.OPERATOR], 0.0)
    raw = [
        Turn(leg=it.leg, start=it.start, end=it.end, text=join(s.raw.text for s in it.sentences))
        for it in said
    ]
    script = [
        Turn(leg=Leg(it["who"]), start=it["start"], end=it["end"], text=it["text"])
        for it in call["turns"]
    ]
    return dict(zip(WAYS, (raw, [it.turn for it in said], script), strict=True))


async def main(folder: Path) -> None:
    casework = load_casework(Config())
    classifier: Classifier = casework.classifier
    engine = transcriber_of(Config())
    right: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    calls = json.loads((folder / "calls.json").read_text(encoding="utf-8"))
    try:
        for name, call in calls.items():
            heard = {leg: await engine.transcribe(folder / f"{name}-{leg}.wav", leg) for leg in Leg}
            for way, said in dialogues(call, heard, casework.city.vocabulary).items():
                judge(classifier, call, said, right[way])
    finally:
        await engine.aclose()
    for way, found in right.items():
        told = "  ".join(f"{it} {found[it]}/{len(calls)}" for it in ASKED)
        print(
            f"{way:9} {told}  confidence {found['confidence'] / len(calls) / 1000:.3f}"
            f"  places by name {found['name']}, by sound {found['sound']}"
        )


def judge(
    classifier: Classifier, call: Mapping[str, Any], said: Sequence[Turn], found: "Counter[str]"
) -> None:
    """Count what is suggested as the script says."""
    one = classifier.suggest(said, call["line"])
    # What the scripts call an emergency is an incident that is urgent.
    wanted = {**call, "kind": call["kind"].replace("emergency", "incident")}
    for asked in ASKED:
        found[asked] += str(getattr(one, asked)) == str(wanted.get(asked))
    shares = {one.level1: one.confidence} | {it.level1: it.confidence for it in one.alternatives}
    found["confidence"] += round(1000 * shares.get(call["level1"], 0.0))
    found.update(it.by for it in one.reasons if it.sort == "area")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else CALLS))
