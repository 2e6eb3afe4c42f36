"""Trains the classifier on a city's own labelled messages; nothing trained is shipped.

`train(csv_path, out)` reads a table with the columns `text` and `label` and writes a model file.
A linear support vector machine learns from five views of each text (`features.py`); its scores are
turned into probabilities by a softmax fitted on messages it was not shown. Each message is learnt
twice: as it is, and as a recogniser might hear it, without spaces and with some characters
replaced by others of the same sound.
"""

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from routing.errors import ModelFault
from routing.features import BLOCKS, counts
from routing.leaf_files import read_categories
from routing.leaves import learnt
from routing.model import Block, LinearModel, save, version_of
from routing.sounds import exact

VOICES = {"word": 1.0, "char": 1.0, "sound": 1.0, "head": 0.7, "head_sound": 0.4}
SOFTNESS = 0.3  # the C of the support vector machine
SEEN_IN = 4  # messages; rarer pieces teach little and make the model large
FOLDS = 3
FEWEST = 5  # messages a category
MISHEARD = 0.15  # share of characters replaced in the second copy
MISHEARD_VOICE = 0.5
SEED = 20261123
Views = Mapping[str, Counter[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One labelled message."""

    text: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What came of a training: the model, what it saw, and how sure it was on unseen messages."""

    model: LinearModel
    messages: int
    skipped: int
    labels: Mapping[str, int]
    held_out_accuracy: float


def read_messages(path: Path) -> tuple[list[Message], int]:
    """Return the labelled messages of a CSV file, and how many rows lacked text or label.

    Raises:
        ModelFault: the file or its columns are missing, or nothing usable is in it.
    """
    text = _decoded(path)
    csv.field_size_limit(10_000_000)
    try:
        rows = csv.DictReader(text.splitlines(keepends=True), strict=True)
        missing = {"text", "label"} - set(rows.fieldnames or ())
        if missing:
            lacking = " and ".join(sorted(missing))
            raise ModelFault(f"{path} needs the columns text and label; it lacks {lacking}.")
        pairs = [((row["text"] or "").strip(), (row["label"] or "").strip()) for row in rows]
    except csv.Error as error:
        raise ModelFault(f"{path} is not a CSV table: {error}.") from error
    messages = [Message(text=words, label=label) for words, label in pairs if words and label]
    return messages, len(pairs) - len(messages)


def _decoded(path: Path) -> str:
    """Read UTF-8, or the GB 18030 that spreadsheets write in China."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ModelFault(f"{path} cannot be read: {error.strerror}.") from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ModelFault(f"{path} is neither UTF-8 nor GB 18030 text.")


def train(csv_path: Path, out: Path, categories: Path | None = None) -> Trained:
    """Train on a CSV file (columns `text`, `label`) and write the model to `out`.

    With a catalogue of `categories` the model also suggests leaves of it (leaves.py).

    Raises:
        ModelFault: one sentence says what is wrong with the file.
    """
    messages, skipped = read_messages(csv_path)
    paths = read_categories(categories) if categories is not None else ()
    trained = fit(messages, skipped=skipped)
    if paths:
        leaves = learnt(paths, ((message.text, message.label) for message in messages))
        trained = replace(trained, model=replace(trained.model, leaves=leaves))
    save(trained.model, out)
    return trained


def fit(messages: Sequence[Message], *, skipped: int = 0) -> Trained:
    """Learn from labelled messages; the same messages always give the same model.

    Raises:
        ModelFault: fewer than two categories, or one with fewer than five messages.
    """
    known = Counter(message.label for message in messages)
    if len(known) < 2:  # noqa: PLR2004 - one category leaves nothing to decide
        raise ModelFault(f"Training needs at least two categories, and found {len(known)}.")
    rarest, count = min(known.items(), key=lambda item: item[1])
    if count < FEWEST:
        raise ModelFault(
            f"The category {rarest} has {count} messages; at least {FEWEST} of each are needed."
        )
    labels = tuple(sorted(known))
    wanted = np.array([labels.index(message.label) for message in messages])
    views = [counts(message.text) for message in messages]
    heard = [counts(text) for text in misheard([message.text for message in messages])]
    vocabulary = {name: _vocabulary(name, views) for name in BLOCKS}
    rarity = {name: _rarity(name, views, vocabulary[name]) for name in BLOCKS}
    clear, unclear = (_matrix(them, vocabulary, rarity) for them in (views, heard))
    softmax, accuracy = _calibration(clear, unclear, wanted, len(labels))
    weights, bias = _machine(clear, unclear, wanted)
    model = _assembled(
        labels,
        vocabulary,
        rarity,
        softmax.matrix @ weights,
        softmax.matrix @ bias + softmax.bias,
        facts={"messages": len(messages), "held_out_accuracy": round(accuracy, 4)},
    )
    return Trained(
        model=model,
        messages=len(messages),
        skipped=skipped,
        labels=dict(known),
        held_out_accuracy=accuracy,
    )


def misheard(texts: Iterable[str], share: float = MISHEARD, seed: int = SEED) -> list[str]:
    """Return texts as a recogniser might hear them: no spaces, some characters by sound only.

    The characters put in their place are the ones these texts use, the usual ones more often.
    """
    rng = random.Random(seed)  # noqa: S311 - the same copy every time, no secret
    plain = ["".join(text.split()) for text in texts]
    usual = Counter(char for text in plain for char in text)
    alike: dict[str, list[str]] = defaultdict(list)
    for char in sorted(usual):
        sign = exact(char)
        if sign != char:
            alike[sign].append(char)
    shares = {sign: [usual[char] for char in chars] for sign, chars in alike.items()}

    def heard(char: str) -> str:
        sign = exact(char)
        if sign == char or rng.random() >= share:
            return char
        return rng.choices(alike[sign], shares[sign])[0]

    return ["".join(map(heard, text)) for text in plain]


def _vocabulary(name: str, views: Sequence[Views]) -> dict[str, int]:
    seen: Counter[str] = Counter()
    for view in views:
        seen.update(view[name].keys())
    pieces = sorted(piece for piece, messages in seen.items() if messages >= SEEN_IN)
    return {piece: row for row, piece in enumerate(pieces)}


def _rarity(
    name: str, views: Sequence[Views], vocabulary: Mapping[str, int]
) -> npt.NDArray[np.float32]:
    """Return the smoothed inverse document frequency of each piece."""
    seen = np.zeros(len(vocabulary))
    for view in views:
        for piece in view[name]:
            if piece in vocabulary:
                seen[vocabulary[piece]] += 1
    return (np.log((1 + len(views)) / (1 + seen)) + 1).astype(np.float32)


def _matrix(
    views: Sequence[Views],
    vocabulary: Mapping[str, Mapping[str, int]],
    rarity: Mapping[str, npt.NDArray[np.float32]],
) -> Any:
    """Return one row a message, exactly as `model.py` weighs a text."""
    parts = []
    for name in BLOCKS:
        block = Block(
            vocabulary=vocabulary[name],
            rarity=rarity[name],
            coefficients=np.zeros((0, 0), dtype=np.float32),
            voice=VOICES[name],
        )
        weighed = [block.weigh(view[name]) for view in views]
        ends = np.cumsum([0, *(len(one.rows) for one in weighed)])
        columns = np.concatenate([one.rows for one in weighed])
        values = np.concatenate([one.weights for one in weighed])
        parts.append(
            sp.csr_matrix((values, columns, ends), shape=(len(views), len(vocabulary[name])))
        )
    return sp.hstack(parts).tocsr()


def _machine(
    clear: Any, unclear: Any, wanted: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return weights and bias, one row a category."""
    machine = LinearSVC(C=SOFTNESS, class_weight="balanced", random_state=SEED)
    voices = np.concatenate([np.ones(len(wanted)), np.full(len(wanted), MISHEARD_VOICE)])
    machine.fit(sp.vstack([clear, unclear]).tocsr(), np.tile(wanted, 2), sample_weight=voices)
    weights, bias = machine.coef_, machine.intercept_
    if len(weights) == 1:  # two categories: one row speaks for the second
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    return weights, bias


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Softmax:
    """What turns the machine's scores into the exponents of probabilities."""

    matrix: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]


def _calibration(
    clear: Any, unclear: Any, wanted: npt.NDArray[np.int64], categories: int
) -> tuple[_Softmax, float]:
    """Fit the softmax on scores of messages the machine was not shown; also its accuracy there."""
    scores = np.zeros((len(wanted), categories))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for shown, held_out in folds.split(scores, wanted):
        weights, bias = _machine(clear[shown], unclear[shown], wanted[shown])
        scores[held_out] = clear[held_out] @ weights.T + bias
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(scores, wanted)
    matrix, bias = fitted.coef_, fitted.intercept_
    if len(matrix) == 1:
        matrix, bias = np.vstack([-matrix, matrix]) / 2, np.concatenate([-bias, bias]) / 2
    accuracy = float(np.mean(fitted.predict(scores) == wanted))
    return _Softmax(matrix=matrix, bias=bias), accuracy


def _assembled(
    labels: tuple[str, ...],
    vocabulary: Mapping[str, Mapping[str, int]],
    rarity: Mapping[str, npt.NDArray[np.float32]],
    weights: npt.NDArray[np.float64],
    bias: npt.NDArray[np.float64],
    *,
    facts: Mapping[str, Any],
) -> LinearModel:
    blocks: dict[str, Block] = {}
    start = 0
    for name in BLOCKS:
        end = start + len(vocabulary[name])
        blocks[name] = Block(
            vocabulary=vocabulary[name],
            rarity=rarity[name],
            coefficients=np.ascontiguousarray(weights[:, start:end].T, dtype=np.float32),
            voice=VOICES[name],
        )
        start = end
    intercept = bias.astype(np.float32)
    return LinearModel(
        labels=labels,
        blocks=blocks,
        intercept=intercept,
        version=version_of(labels, blocks, intercept),
        facts=facts,
    )
