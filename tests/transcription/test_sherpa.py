"""The other engine behind the same port, with a small model made here: tones become words."""

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hotline.config_speech import Speech
from telephony.calls import Leg
from transcription.engines.sherpa import SherpaTranscriber
from transcription.engines.sherpa_decoder import pieces
from transcription.errors import ModelDamaged, ModelMissing
from transcription.transcriber import Transcriber

RATE = 8000
FEATURES, BANDS = 560, 80
TOKENS = ("<blank>", "水", "电", "<|zh|>", "<|NEUTRAL|>", "<|Speech|>", "<|woitn|>")
LOW, HIGH = range(100, 900, 60), range(2300, 3500, 60)


def make_model(folder: Path) -> Path:
    """A model of SenseVoice's form that hears low sound as 水, high sound as 电, else nothing."""
    folder.mkdir()
    weights = np.zeros((FEATURES, len(TOKENS)), np.float32)
    band = np.arange(FEATURES) % BANDS
    for token, inside in ((1, band < 25), (2, (band >= 45) & (band < 57))):
        weights[inside, token] = 1 / inside.sum()
    bias = np.array([9.0, 0, 0, -99, -99, -99, -99], np.float32)
    head = np.eye(len(TOKENS), dtype=np.float32)[None, 3:] * 99
    number, integer = TensorProto.FLOAT, TensorProto.INT32
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weights"], ["weighed"]),
            helper.make_node("Add", ["weighed", "bias"], ["said"]),
            helper.make_node("Concat", ["head", "said"], ["logits"], axis=1),
        ],
        "tones",
        [
            helper.make_tensor_value_info("x", number, ["N", "T", FEATURES]),
            *(
                helper.make_tensor_value_info(name, integer, ["N"])
                for name in ("x_length", "language", "text_norm")
            ),
        ],
        [helper.make_tensor_value_info("logits", number, ["N", "frames", len(TOKENS)])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(bias, "bias"),
            numpy_helper.from_array(head, "head"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    told = {
        "vocab_size": len(TOKENS),
        "lfr_window_size": 7,
        "lfr_window_shift": 6,
        "normalize_samples": 0,
        "with_itn": 14,
        "without_itn": 15,
        "lang_auto": 0,
        "lang_zh": 3,
        "lang_en": 4,
        "lang_yue": 7,
        "lang_ja": 11,
        "lang_ko": 12,
        "neg_mean": ",".join(["0"] * FEATURES),
        "inv_stddev": ",".join(["1"] * FEATURES),
        "model_type": "sense_voice_ctc",
        "version": 1,
        "comment": "made for a test",
    }
    helper.set_model_props(model, {name: str(value) for name, value in told.items()})
    onnx.save(model, str(folder / "model.onnx"))
    lines = (f"{token} {at}\n" for at, token in enumerate(TOKENS))
    (folder / "tokens.txt").write_text("".join(lines), encoding="utf-8")
    return folder


def tone(pitches: range, seconds: float) -> NDArray[np.float32]:
    time = np.arange(int(RATE * seconds)) / RATE
    found: NDArray[np.float32] = np.sum(
        [0.05 * np.sin(2 * np.pi * pitch * time) for pitch in pitches], axis=0
    ).astype(np.float32)
    return found


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(int(RATE * seconds), np.float32)


def write(path: Path, *parts: NDArray[np.float32]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.concatenate(parts) * 2**15).astype("<i2").tobytes())
    return path


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SherpaTranscriber]:
    sherpa = SherpaTranscriber(make_model(tmp_path / "model"), lanes=2, nice=0)
    yield sherpa
    await sherpa.aclose()


async def test_it_fits_the_port_and_gives_words_with_times_and_no_made_up_confidence(
    engine: SherpaTranscriber, tmp_path: Path
) -> None:
    port: Transcriber = engine
    wav = write(tmp_path / "a.wav", silence(0.5), tone(LOW, 1), silence(25), tone(HIGH, 1))
    heard = await port.transcribe(wav, Leg.CALLER)
    assert heard.text == "水电"
    assert heard.engine.startswith("sherpa-onnx-")
    assert [word.start for word in heard.words] == pytest.approx([0.5, 26.5], abs=0.2)
    assert {word.conf for word in heard.words} == {None}
    assert heard.mean_confidence is None
    await port.ping()
    assert await port.transcribe(wav, Leg.CALLER) == heard


async def test_silence_says_nothing(engine: SherpaTranscriber, tmp_path: Path) -> None:
    heard = await engine.transcribe(write(tmp_path / "s.wav", silence(3)), Leg.CALLER)
    assert heard.words == ()


async def test_a_folder_that_holds_no_model_is_told(tmp_path: Path) -> None:
    wav = write(tmp_path / "a.wav", tone(LOW, 1))
    for folder, fault in ((tmp_path / "none", ModelMissing), (tmp_path, ModelDamaged)):
        engine = SherpaTranscriber(folder, lanes=1)
        with pytest.raises(fault, match="sherpa-onnx model"):
            await engine.transcribe(wav, Leg.CALLER)
        await engine.aclose()


def test_sound_is_cut_where_it_is_quietest_and_stays_whole() -> None:
    sound = np.concatenate([tone(LOW, 12), silence(0.4), tone(LOW, 15), silence(30)])
    found = list(pieces(sound, RATE))
    assert [round(begins, 1) for begins, _ in found] == pytest.approx([0.0, 12.1], abs=0.35)
    assert sum(len(piece) for _, piece in found) >= RATE * 27


def test_it_is_off_by_default_and_wants_a_folder() -> None:
    assert Speech().engine == "vosk"
    with pytest.raises(ValueError, match="model_path"):
        Speech(engine="sherpa")
