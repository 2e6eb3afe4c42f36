"""The scripted calls: complete, consistent, and the very sound the shared data holds."""

import wave
from array import array
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.demo.alaw import RATE, SILENCE, encode, encode_sample
from deploy.demo.script import CALLS, Fate, Hangup, ScriptedCall, load


def decoded(code: int) -> int:
    """G.711 A-law back to 16 bits, written apart from the encoder (table 1a, decoder output)."""
    code ^= 0x55
    segment, step = (code >> 4) & 7, code & 15
    size = (step << 4) + 8 if segment == 0 else ((step << 4) + 0x108) << (segment - 1)
    return size if code & 0x80 else -size


@given(st.integers(min_value=-32768, max_value=32767))
def test_a_sample_comes_back_within_its_step(sample: int) -> None:
    step = max(16, 2 ** (max(abs(sample), 1).bit_length() - 5))
    assert abs(decoded(encode_sample(sample)) - sample) <= step


def test_every_code_is_its_own_sample() -> None:
    assert [encode_sample(decoded(code)) for code in range(256)] == list(range(256))


def test_silence_is_silence_and_half_a_sample_is_none() -> None:
    assert encode(bytes(16)) == bytes([SILENCE] * 8)
    assert encode(b"\x00") == b""


def test_the_plan_is_what_the_demo_promises() -> None:
    calls = load()
    assert len(calls) == 12
    assert [call.fate for call in calls].count(Fate.ABANDONED) == 1
    assert [call.fate for call in calls].count(Fate.UNANSWERED) == 1
    assert {call.line for call in calls} == {"mayor", "duty"}
    talked = [call for call in calls if call.fate is Fate.ANSWERED]
    assert {"emergency"} <= {call.urgency for call in talked if call.line == "mayor"}
    assert any(call.line == "duty" for call in talked)
    assert {call.hangup for call in talked} == set(Hangup)
    assert len({call.caller for call in calls}) == 12, "operators know by the number what to say"
    overlap = [b.starts - a.starts for a, b in pairwise(calls)]
    assert min(overlap) < min(call.seconds for call in talked)


@pytest.mark.parametrize("call", load(), ids=lambda call: call.name)
def test_both_legs_last_as_long_as_the_call(call: ScriptedCall) -> None:
    for leg in (call.caller_audio, call.operator_audio):
        assert leg.stat().st_size / RATE == pytest.approx(call.seconds, abs=0.1)
    assert all(0 <= turn.start < turn.end <= call.seconds for turn in call.turns)


def test_the_sound_is_that_of_the_shared_data(shared_data: Path) -> None:
    name = "07-gas-smell-caller"
    with wave.open(str(shared_data / "calls" / f"{name}.wav"), "rb") as file:
        pcm = file.readframes(file.getnframes())
    committed = (CALLS / f"{name}.al").read_bytes()
    samples = array("h", pcm)
    assert len(committed) == len(samples)
    worst = max(
        abs(decoded(code) - sample) / max(16, abs(sample) / 16)
        for code, sample in zip(committed, samples, strict=True)
    )
    assert worst <= 1
