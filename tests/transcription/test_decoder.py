"""The decoder's dealings with a Vosk recogniser, against one that enforces Vosk's own rules.

The rules are those of Vosk 0.3.45, observed on the real library: word times go on across
recordings on one recogniser; `FinalResult` right after an endpoint does not end the recording
inside it; odd bytes are dropped without a word.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.engines import vosk_decoder
from transcription.engines.vosk_decoder import Decoder, telephone_model


class StrictRecogniser:
    """Hears a word in each non-silent second; refuses what would leave a caller's voice in it."""

    def __init__(self, rate: int, endpoints: set[int]) -> None:
        self.rate = rate
        self.samples = 0
        self.endpoints = endpoints
        self.heard = 0
        self.running = False
        self.finals = 0
        self.pending: list[dict[str, Any]] = []

    def SetWords(self, on: bool) -> None:  # noqa: N802, FBT001 - Vosk's own name
        assert on

    def AcceptWaveform(self, pcm: bytes) -> int:  # noqa: N802
        assert isinstance(pcm, bytes)
        assert len(pcm) % 2 == 0
        assert len(pcm) <= self.rate // 2
        self.running = True
        start = self.samples / self.rate
        self.samples += len(pcm) // 2
        if any(pcm):
            end = self.samples / self.rate
            self.pending.append({"word": "喂", "start": start, "end": end, "conf": 0.5})
        self.heard += 1
        return int(self.heard in self.endpoints)

    def Result(self) -> str:  # noqa: N802
        found, self.pending, self.running = self.pending, [], False
        return json.dumps({"text": "", **({"result": found} if found else {})})

    def FinalResult(self) -> str:  # noqa: N802
        assert self.running, "FinalResult right after an endpoint ends nothing"
        self.finals += 1
        return self.Result()


def job(path: Path, pcm: bytes, rate: int = 8000, offset: int = 0) -> dict[str, Any]:
    path.write_bytes(bytes(offset) + pcm)
    return {"path": str(path), "offset": offset, "bytes": len(pcm), "rate": rate}


@pytest.fixture(scope="module", autouse=True)
def _lean() -> Iterator[None]:
    """The process of the tests is no lane: what else it has loaded must not count as fat."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vosk_decoder, "resident_bytes", lambda: 1)
        yield


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sound") / "leg.wav"


@given(
    lengths=st.lists(st.integers(1, 9000), min_size=1, max_size=5),
    endpoints=st.sets(st.integers(1, 20)),
)
def test_each_recording_is_ended_and_its_times_start_at_zero(
    file: Path, lengths: list[int], endpoints: set[int]
) -> None:
    made: list[StrictRecogniser] = []

    def new(rate: int) -> StrictRecogniser:
        made.append(StrictRecogniser(rate, endpoints))
        return made[-1]

    decoder = Decoder(new)
    for samples in lengths:
        answer = decoder.do(job(file, b"\1\0" * samples, offset=44))
        words = answer["words"]
        assert len(words) == -(-samples // 2000)
        assert words[0][1] == 0.0
        assert words[-1][2] == pytest.approx(samples / 8000, abs=0.006)
        assert all(a[1] <= a[2] <= b[2] for a, b in pairwise(words))
    assert len(made) == 1
    assert made[0].finals == len(lengths)


def test_another_rate_takes_another_recogniser(file: Path) -> None:
    made: list[int] = []

    def new(rate: int) -> StrictRecogniser:
        made.append(rate)
        return StrictRecogniser(rate, set())

    decoder = Decoder(new)
    for rate in (8000, 8000, 16000):
        decoder.do(job(file, b"\1\0" * 100, rate))
    assert made == [8000, 16000]


def test_a_recogniser_that_failed_or_grew_old_or_fat_is_not_used_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[StrictRecogniser] = []

    def new(rate: int) -> StrictRecogniser:
        made.append(StrictRecogniser(rate, set()))
        return made[-1]

    decoder = Decoder(new)
    decoder.do(job(file, b"\1\0" * 100))
    made[0].AcceptWaveform = None  # type: ignore[assignment,method-assign]
    with pytest.raises(TypeError):
        decoder.do(job(file, b"\1\0" * 100))
    decoder.do(job(file, b"\1\0" * 100))
    assert len(made) == 2
    monkeypatch.setattr(vosk_decoder, "RECYCLE_SECONDS", 0.02)
    decoder.do(job(file, b"\1\0" * 100))
    decoder.do(job(file, b"\1\0" * 100))
    assert len(made) == 3
    monkeypatch.undo()
    monkeypatch.setattr(vosk_decoder, "MEGABYTES", 0)
    decoder.do(job(file, b"\1\0" * 100))
    decoder.do(job(file, b"\1\0" * 100))
    assert len(made) == 4


def test_a_model_that_forbids_telephone_sound_is_allowed_it(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "conf").mkdir(parents=True)
    (model / "am").mkdir()
    (model / "am" / "final.mdl").write_bytes(b"m")
    mfcc = model / "conf" / "mfcc.conf"
    mfcc.write_text("--num-ceps=40\n--allow-upsample=false\n")
    (model / "conf" / "model.conf").write_text("--beam=12\n")
    with telephone_model(model) as twin:
        settings = (twin / "conf" / "mfcc.conf").read_text().splitlines()
        assert settings == ["--num-ceps=40", "--allow-upsample=true", "--allow-downsample=true"]
        assert (twin / "conf" / "model.conf").read_text() == "--beam=12\n"
        assert (twin / "am" / "final.mdl").read_bytes() == b"m"
    assert not twin.exists()
    assert mfcc.read_text() == "--num-ceps=40\n--allow-upsample=false\n"
