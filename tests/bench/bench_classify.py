"""How well and how fast messages are classified, beside a plain linear baseline in the same run.

    .cache/venv/bin/python tests/bench/bench_classify.py [FOLDS]

1. Rules alone, trained on nothing: level-1 accuracy on `labelled.csv`, and time a message.
2. Five-fold cross-validation on `labelled_segmented.csv` (FOLDS of the five, default all): macro F1
   of our model, alone and joined with the rules, against TF-IDF of words with a linear support
   vector machine; each also with 15 % of the characters replaced by homophones; calibration error
   of our confidence; time a message of both.
3. Leaves of `categories.csv`, in the same folds. No message is labelled with one, so the truth is
   weak: an unseen message that says the name of exactly one leaf of its own category. Asked with
   that name taken out of the text (as if said in other words), and as it stands; against
   the three leaves that most messages of the category name.

The messages are real ones of another city; HOTLINE_SHARED_DATA names their folder.
"""

from __future__ import annotations

import csv
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from routing.classify import Classifier
from routing.directory import City, load_city
from routing.leaf_files import read_categories
from routing.leaves import Path3, learnt, names
from routing.model import LinearModel
from routing.sounds import syllable
from routing.training import Message, fit

REPO = Path(__file__).resolve().parents[2]
FOLDS = 5
MISHEARD = 0.15
USUAL = 5  # times a character must occur to stand in for another
BINS = 10
GOAL_MS = 5.0


def folder() -> Path:
    given = os.environ.get("HOTLINE_SHARED_DATA")
    return (Path(given) if given else REPO.parent / "shared" / "data") / "messages"


def rows(name: str) -> list[dict[str, str]]:
    csv.field_size_limit(10_000_000)
    with (folder() / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def is_chinese(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


class Homophones:
    """Replaces characters by others of the same toneless sound, each equally often."""

    def __init__(self, texts: Iterable[str]) -> None:
        counted: dict[str, int] = defaultdict(int)
        for text in texts:
            for char in text:
                counted[char] += 1
        self._alike: dict[str, list[str]] = defaultdict(list)
        for char in sorted(counted):
            if is_chinese(char) and counted[char] >= USUAL:
                self._alike[syllable(char)].append(char)

    def heard(self, text: str, rng: random.Random) -> str:
        return "".join(self._one(char, rng) for char in text)

    def _one(self, char: str, rng: random.Random) -> str:
        if not is_chinese(char) or rng.random() >= MISHEARD:
            return char
        others = [other for other in self._alike[syllable(char)] if other != char]
        return rng.choice(others) if others else char


def timed(classify: Callable[[str], Any], texts: Sequence[str]) -> tuple[list[Any], float]:
    """Return the answers and the milliseconds of processor time a text."""
    start = time.process_time()
    answers = [classify(text) for text in texts]
    return answers, 1000 * (time.process_time() - start) / len(texts)


def best(shares: Mapping[str, float]) -> str:
    return max(shares, key=lambda label: shares[label])


def calibration_error(sure: Sequence[float], right: Sequence[bool]) -> float:
    """Return the expected calibration error over ten bins of equal width."""
    shares, hits = np.array(sure), np.array(right)
    bins = np.minimum((shares * BINS).astype(int), BINS - 1)
    return float(
        sum(
            (bins == b).mean() * abs(shares[bins == b].mean() - hits[bins == b].mean())
            for b in range(BINS)
            if (bins == b).any()
        )
    )


def rules_alone(city: City) -> None:
    classifier = Classifier(city)
    messages = rows("labelled.csv")
    texts = [f"{row['subject']}\n{row['text']}" for row in messages]
    found, each = timed(classifier.suggest, texts)
    right = [one.level1 == row["label"] for one, row in zip(found, messages, strict=True)]
    urgent = sum(one.urgency == "emergency" for one in found)
    error = calibration_error([one.confidence for one in found], right)
    print(
        f"rules alone, {len(texts)} messages: level-1 accuracy {np.mean(right):.3f},"
        f" calibration error {error:.3f}, {urgent} called an emergency, {each:.2f} ms a message"
    )


def macro(wanted: Sequence[str], found: Sequence[str]) -> float:
    return float(f1_score(wanted, found, average="macro", labels=sorted(set(wanted))))


class Scores:
    """The figures of every fold by name, printed as they come and as means."""

    def __init__(self) -> None:
        self._all: dict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: float) -> None:
        self._all[name].append(value)

    def mean(self, name: str) -> float:
        return float(np.mean(self._all[name]))

    def report(self) -> None:
        for name, values in self._all.items():
            folds = " ".join(f"{value:.4f}" for value in values)
            print(f"{name:42} mean {np.mean(values):.4f}   folds {folds}")


def one_fold(
    city: City,
    scores: Scores,
    shown: Sequence[Message],
    unseen: Sequence[Message],
    *,
    homophones: Homophones,
    seed: int,
) -> tuple[list[float], list[bool]]:
    rng = random.Random(seed)  # noqa: S311 - a reproducible measurement
    wanted = [message.label for message in unseen]
    clear = [message.text for message in unseen]
    heard = [homophones.heard(text, rng) for text in clear]

    plain = make_pipeline(TfidfVectorizer(analyzer=str.split, sublinear_tf=True), LinearSVC(C=0.5))
    plain.fit([message.text for message in shown], [message.label for message in shown])
    found, each = timed(lambda text: plain.predict([text])[0], clear)
    scores.add("baseline, macro F1", macro(wanted, found))
    scores.add("baseline, macro F1 misheard", macro(wanted, plain.predict(heard)))
    scores.add("baseline, ms a message", each)

    start = time.process_time()
    model: LinearModel = fit(shown).model
    scores.add("ours, seconds to train", time.process_time() - start)
    shares, each = timed(model.probabilities, clear)
    scores.add("ours, macro F1", macro(wanted, list(map(best, shares))))
    misheard = [best(model.probabilities(text)) for text in heard]
    scores.add("ours, macro F1 misheard", macro(wanted, misheard))
    scores.add("ours, ms a message", each)

    both = Classifier(city, model)
    suggested, each = timed(both.suggest, clear)
    scores.add("ours with rules, macro F1", macro(wanted, [str(one.level1) for one in suggested]))
    scores.add("ours with rules, ms a message (all of it)", each)
    leaf_scores(scores, shown, unseen, model)
    right = [best(one) == label for one, label in zip(shares, wanted, strict=True)]
    return [max(one.values()) for one in shares], right


def of_one_leaf(paths: Sequence[Path3], message: Message) -> Path3 | None:
    text = "".join(message.text.split())
    found = [path for path in paths if names(path, text, message.label)]
    return found[0] if len(found) == 1 else None


def leaf_scores(
    scores: Scores, shown: Sequence[Message], unseen: Sequence[Message], model: LinearModel
) -> None:
    paths = read_categories(folder() / "categories.csv")
    leaves = learnt(paths, ((one.text, one.label) for one in shown))
    named = Counter(leaf for one in shown if (leaf := of_one_leaf(paths, one)))
    asked = [(one, leaf) for one in unseen if (leaf := of_one_leaf(paths, one))]
    first, three, plain, usual, spent = 0, 0, 0, 0, 0.0
    for message, leaf in asked:
        text, path = "".join(message.text.split()), "/".join(leaf)
        levels = model.probabilities(message.text.replace(leaf[2], ""))
        start = time.process_time()
        found = [it.path for it in leaves.likeliest(text.replace(leaf[2], ""), levels)]
        spent += time.process_time() - start
        first += found[:1] == [path]
        three += path in found
        plain += path in [it.path for it in leaves.likeliest(text, levels)]
        own = [it for it, _ in named.most_common() if it[0] == message.label]
        usual += leaf in own[:3]
    scores.add("leaves, messages asked", len(asked))
    scores.add("leaves, first right, name taken out", first / len(asked))
    scores.add("leaves, one of three right, name taken out", three / len(asked))
    scores.add("leaves, one of three right, as it stands", plain / len(asked))
    scores.add("leaves, the three usual ones", usual / len(asked))
    scores.add("leaves, ms a message", 1000 * spent / len(asked))


def cross_validated(city: City, folds: int) -> None:
    messages = [
        Message(text=row["words"], label=row["label"]) for row in rows("labelled_segmented.csv")
    ]
    labels = [message.label for message in messages]
    homophones = Homophones(message.text for message in messages)
    scores, sure, right = Scores(), list[float](), list[bool]()
    cut = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(labels, labels)
    for number, (shown, unseen) in enumerate(cut):
        if number == folds:
            break
        shares, hits = one_fold(
            city,
            scores,
            [messages[i] for i in shown],
            [messages[i] for i in unseen],
            homophones=homophones,
            seed=number,
        )
        sure += shares
        right += hits
        print(f"fold {number + 1} of {FOLDS} done", file=sys.stderr, flush=True)
    scores.report()
    print(f"calibration error of our confidence: {calibration_error(sure, right):.4f}")
    lost = scores.mean("ours, macro F1") - scores.mean("ours, macro F1 misheard")
    gained = scores.mean("ours, macro F1") - scores.mean("baseline, macro F1")
    print(f"points lost when misheard: {100 * lost:.2f}")
    print(f"points above the baseline: {100 * gained:.2f}")
    all_of_it = scores.mean("ours with rules, ms a message (all of it)") + scores.mean(
        "leaves, ms a message"
    )
    plain = scores.mean("baseline, ms a message")
    print(
        f"a message with rules, model and leaves: {all_of_it:.2f} ms of processor time,"
        f" {all_of_it / GOAL_MS:.2f} of the limit of {GOAL_MS:.0f} ms,"
        f" {all_of_it / plain:.1f} x the baseline"
    )


def main() -> None:
    city = load_city(REPO / "deploy" / "cities" / "mianyang")
    rules_alone(city)
    cross_validated(city, int(sys.argv[1]) if len(sys.argv) > 1 else FOLDS)


if __name__ == "__main__":
    main()
