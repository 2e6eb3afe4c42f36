"""The trained classifier as a file of plain numbers, and how it is applied.

A model is linear: one weight for each piece of text and category, and a softmax whose scale was
fitted on held-out messages, so its probabilities can be read as such. The file is a NumPy archive
without pickled objects; loading one runs no code from it. Made by `training.py`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from routing.errors import ModelFault
from routing.features import BLOCKS, counts
from routing.leaves import Leaves, as_json, from_json

FORMAT = "hotline-linear/1"
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
SHORTEST_REASON = 2  # characters; a single one explains nothing
REASONS = 3
WORTH_READING = 40  # of the best pieces; many of them are parts of one another
UNKNOWN = -1
READABLE = ("char", "word")  # the blocks whose pieces a person can read


class Weighed(NamedTuple):
    """The known pieces of one view: which of those found, their rows, and their weights."""

    at: Ints
    rows: Ints
    weights: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """One view of the text: its vocabulary, how rare each piece is, and the view's voice."""

    vocabulary: Mapping[str, int]
    rarity: Floats
    coefficients: Floats  # one row a piece, one column a category
    voice: float

    def weigh(self, found: Mapping[str, int]) -> Weighed:
        """Return the known pieces with their weights, together of length `voice`."""
        get = self.vocabulary.get
        rows = np.array([get(piece, UNKNOWN) for piece in found], dtype=np.int64)
        numbers = np.fromiter(found.values(), dtype=np.float32, count=len(found))
        at = np.flatnonzero(rows != UNKNOWN)
        rows, weights = rows[at], 1 + np.log(numbers[at])
        weights *= self.rarity[rows]
        length = float(np.linalg.norm(weights))
        if length:
            weights *= self.voice / length
        return Weighed(at, rows, weights)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearModel:
    """A trained model; `version` names its format and the fingerprint of its numbers."""

    labels: tuple[str, ...]
    blocks: Mapping[str, Block]
    intercept: Floats
    version: str
    facts: Mapping[str, Any]
    leaves: Leaves | None = None
    """What the leaves of a catalogue sound like, where it was trained with one."""

    def judge(self, text: str) -> tuple[dict[str, float], tuple[tuple[str, float], ...]]:
        """Return each category's probability, and what speaks most for the likeliest."""
        views = counts(text)
        weighed = self._weighed(views)
        shares = self._shares(weighed)
        best = max(shares, key=lambda label: shares[label])
        return shares, self._reasons(views, weighed, self.labels.index(best))

    def probabilities(self, text: str) -> dict[str, float]:
        """Return the probability of each category, together 1.0."""
        return self._shares(self._weighed(counts(text)))

    def _weighed(self, views: Mapping[str, Mapping[str, int]]) -> dict[str, Weighed]:
        return {name: self.blocks[name].weigh(found) for name, found in views.items()}

    def _shares(self, weighed: Mapping[str, Weighed]) -> dict[str, float]:
        scores = self.intercept.astype(np.float64)
        for name, (_, rows, weights) in weighed.items():
            scores = scores + weights @ self.blocks[name].coefficients[rows]
        powers = np.exp(scores - scores.max())
        return dict(zip(self.labels, (powers / powers.sum()).tolist(), strict=True))

    def _reasons(
        self,
        views: Mapping[str, Mapping[str, int]],
        weighed: Mapping[str, Weighed],
        column: int,
    ) -> tuple[tuple[str, float], ...]:
        """Return the few readable pieces that set this category most apart from the mean."""
        spoken: list[tuple[float, str]] = []
        for name in READABLE:
            at, rows, weights = weighed[name]
            them = self.blocks[name].coefficients[rows]
            gains = weights * (them[:, column] - them.mean(axis=1))
            pieces = tuple(views[name])
            spoken += [(float(gains[i]), pieces[at[i]]) for i in np.argsort(-gains)[:WORTH_READING]]
        return _distinct(sorted(spoken, reverse=True))


def _distinct(spoken: Sequence[tuple[float, str]]) -> tuple[tuple[str, float], ...]:
    """Keep the best pieces that do not repeat each other."""
    kept: list[tuple[str, float]] = []
    for gain, written in spoken:
        if gain <= 0 or len(kept) == REASONS:
            break
        piece = written.replace(" ", "")
        if len(piece) >= SHORTEST_REASON and not any(piece in k or k in piece for k, _ in kept):
            kept.append((piece, gain))
    return tuple(kept)


def save(model: LinearModel, path: Path) -> None:
    """Write a model file whole or not at all."""
    arrays: dict[str, npt.NDArray[Any]] = {"intercept": model.intercept}
    for name, block in model.blocks.items():
        pieces = "\n".join(sorted(block.vocabulary, key=lambda it: block.vocabulary[it]))
        arrays[f"{name}.pieces"] = np.frombuffer(pieces.encode(), dtype=np.uint8)
        arrays[f"{name}.rarity"] = block.rarity
        arrays[f"{name}.coefficients"] = block.coefficients
    if model.leaves is not None:
        arrays["leaves"] = np.frombuffer(as_json(model.leaves).encode(), dtype=np.uint8)
    head = {
        "format": FORMAT,
        "labels": model.labels,
        "version": model.version,
        "voices": {name: block.voice for name, block in model.blocks.items()},
        "facts": dict(model.facts),
    }
    arrays["head"] = np.frombuffer(json.dumps(head, ensure_ascii=False).encode(), dtype=np.uint8)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ModelFault(f"The model cannot be written to {path}: {error.strerror}.") from error


def load(path: Path) -> LinearModel:
    """Read a model file.

    Raises:
        ModelFault: it is missing, damaged, or of another format; one sentence says so.
    """
    try:
        arrays = _arrays(path)
        head = json.loads(arrays["head"].tobytes())
        model = _model(head, arrays) if head["format"] == FORMAT else None
    except FileNotFoundError as error:
        raise ModelFault(
            f"There is no model at {path}: make one with `hotline train FILE.csv --out {path}`."
        ) from error
    except Exception as error:  # damaged bytes make the readers below raise a dozen kinds
        raise ModelFault(f"{path} is damaged or no model: train it again.") from error
    if model is None:
        raise ModelFault(
            f"{path} is a model of the format {head['format']}, this version reads {FORMAT}:"
            " train it again with `hotline train`."
        )
    if model.version != head["version"]:
        raise ModelFault(f"{path} is damaged: its numbers do not match its version.")
    return model


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    with path.open("rb") as file:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise TypeError("one array instead of an archive")
        return {name: archive[name] for name in archive.files}


def _model(head: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> LinearModel:
    labels = tuple(str(label) for label in head["labels"])
    blocks: dict[str, Block] = {}
    for name in BLOCKS:
        text = arrays[f"{name}.pieces"].tobytes().decode()
        pieces = text.split("\n") if text else []
        block = Block(
            vocabulary={piece: row for row, piece in enumerate(pieces)},
            rarity=arrays[f"{name}.rarity"],
            coefficients=arrays[f"{name}.coefficients"],
            voice=float(head["voices"][name]),
        )
        if block.coefficients.shape != (len(pieces), len(labels)) or len(block.rarity) != len(
            block.vocabulary
        ):
            raise ValueError(name)
        blocks[name] = block
    intercept = arrays["intercept"]
    if intercept.shape != (len(labels),):
        raise ValueError("intercept")
    return LinearModel(
        labels=labels,
        blocks=blocks,
        intercept=intercept,
        version=version_of(labels, blocks, intercept),
        facts=head["facts"],
        leaves=from_json(arrays["leaves"].tobytes().decode()) if "leaves" in arrays else None,
    )


def version_of(labels: Sequence[str], blocks: Mapping[str, Block], intercept: Floats) -> str:
    """Return the name a model goes by: its format and a fingerprint of all its numbers."""
    digest = hashlib.sha256("\n".join(labels).encode())
    for name in BLOCKS:
        digest.update("\n".join(blocks[name].vocabulary).encode())
        digest.update(blocks[name].rarity.tobytes())
        digest.update(blocks[name].coefficients.tobytes())
    digest.update(intercept.tobytes())
    return f"{FORMAT}:{digest.hexdigest()[:12]}"
