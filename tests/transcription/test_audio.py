"""WAV files as crashes and full disks leave them: the sound is kept or the fault is named."""

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription import audio
from transcription.errors import (
    AudioEmpty,
    AudioError,
    AudioMissing,
    AudioTruncated,
    AudioUnreadable,
    AudioUnsupported,
)

SECOND = bytes(range(250)) * 64  # 16000 bytes: one second at 8 kHz


def wav(
    pcm: bytes,
    *,
    rate: int = 8000,
    channels: int = 1,
    bits: int = 16,
    form: int = 1,
    data: int | None = None,
    riff: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    fmt = struct.pack("<HHIIHH", form, channels, rate, rate * channels * bits // 8, 2, bits)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(fmt)) + fmt + before
    body += b"data" + struct.pack("<I", len(pcm) if data is None else data) + pcm + after
    return b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body


@pytest.fixture
def put(tmp_path: Path) -> "Put":
    return Put(tmp_path / "1763870000.12-caller.wav")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file that Hypothesis writes anew for each example."""
    return tmp_path_factory.mktemp("scratch") / "leg.wav"


class Put:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, content: bytes) -> Path:
        self.path.write_bytes(content)
        return self.path


def pcm_of(found: audio.Audio) -> bytes:
    return b"".join(audio.steps(found))


def test_a_sound_file_is_read_as_it_is(put: Put) -> None:
    found = audio.inspect(put(wav(SECOND * 3)))
    assert (found.seconds, found.rate, found.channels) == (3.0, 8000, 1)
    assert not found.repaired
    assert found.note is None
    assert pcm_of(found) == SECOND * 3


def test_sizes_that_a_crash_left_at_zero_do_not_hide_the_sound(put: Put) -> None:
    found = audio.inspect(put(wav(SECOND * 2, data=0, riff=0)))
    assert (found.seconds, found.repaired, found.missing_seconds) == (2.0, True, 0)
    assert pcm_of(found) == SECOND * 2
    assert found.note is not None
    assert "2.0 s of sound were recovered" in found.note


def test_sizes_of_a_streaming_writer_do_not_hide_the_sound(put: Put) -> None:
    found = audio.inspect(put(wav(SECOND, data=0xFFFFFFFF, riff=0xFFFFFFFF)))
    assert (found.seconds, found.repaired, found.missing_seconds) == (1.0, True, 0)


def test_what_is_left_of_a_truncated_file_is_kept(put: Put) -> None:
    found = audio.inspect(put(wav(SECOND * 10)[: 44 + 16000 * 7]))
    assert (found.seconds, found.missing_seconds, found.repaired) == (7.0, 3.0, True)
    assert found.note is not None
    assert "breaks off 3.0 s early" in found.note
    assert pcm_of(found) == SECOND * 7


def test_an_odd_last_byte_is_no_sample(put: Put) -> None:
    found = audio.inspect(put(wav(SECOND + b"x", data=0, riff=0)))
    assert found.seconds == 1.0
    assert pcm_of(found) == SECOND


def test_other_chunks_around_the_sound_are_stepped_over(put: Put) -> None:
    listing = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    found = audio.inspect(put(wav(SECOND, before=listing, after=listing)))
    assert (found.seconds, found.repaired) == (1.0, False)
    assert pcm_of(found) == SECOND


def test_wide_band_recordings_are_taken_too(put: Put) -> None:
    assert audio.inspect(put(wav(SECOND * 2, rate=16000))).seconds == 1.0


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"", AudioEmpty, "zero length"),
        (wav(b""), AudioEmpty, "no sound"),
        (wav(b"", data=0, riff=0), AudioEmpty, "no sound"),
        (wav(b"x", data=0, riff=0), AudioEmpty, "no sound"),
        (wav(b"", after=b"LIST\x04\0\0\0abcd"), AudioEmpty, "no sound"),
        (wav(SECOND)[:7], AudioTruncated, "header"),
        (wav(SECOND)[:30], AudioTruncated, "header"),
        (wav(SECOND)[:41], AudioTruncated, "header"),
        (bytes(4096), AudioUnreadable, "not a WAV"),
        (b"ID3 this is no wave file at all", AudioUnreadable, "not a WAV"),
        (wav(SECOND, rate=44100), AudioUnsupported, "44100 Hz"),
        (wav(SECOND, channels=2), AudioUnsupported, "2 channel"),
        (wav(SECOND, form=6, bits=8), AudioUnsupported, "format 6"),
        (wav(SECOND, bits=24), AudioUnsupported, "24 bits"),
    ],
)
def test_each_fault_is_one_sentence_and_changes_nothing(
    put: Put, content: bytes, error: type[AudioError], says: str
) -> None:
    path = put(content)
    for look in (audio.inspect, audio.repair):
        with pytest.raises(error, match=says) as caught:
            look(path)
        assert path.name in str(caught.value)
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioMissing, match=r"gone\.wav cannot be read \(No such file"):
        audio.inspect(tmp_path / "gone.wav")


def test_repair_in_place_makes_the_header_true(put: Put) -> None:
    path = put(wav(SECOND * 2 + b"x", data=0, riff=0))
    repaired = audio.repair(path)
    assert repaired.repaired
    assert path.read_bytes() == wav(SECOND * 2)
    assert not audio.repair(path).repaired
    assert path.read_bytes() == wav(SECOND * 2)


def test_repair_into_a_copy_leaves_the_original(put: Put, tmp_path: Path) -> None:
    broken = wav(SECOND * 10)[: 44 + 16000]
    path = put(broken)
    copy = tmp_path / "store" / "leg.wav"
    copy.parent.mkdir()
    found = audio.repair(path, copy)
    assert found.path == copy
    assert found.missing_seconds == 9.0
    assert copy.read_bytes() == wav(SECOND)
    assert path.read_bytes() == broken
    assert list(copy.parent.iterdir()) == [copy]


def test_a_full_disk_leaves_no_half_copy_and_the_original(put: Put, tmp_path: Path) -> None:
    broken = wav(SECOND, data=0, riff=0)
    path = put(broken)
    store = tmp_path / "store"
    store.mkdir()
    (store / ".leg.wav.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        audio.repair(path, store / "leg.wav")
    assert list(store.iterdir()) == []
    assert path.read_bytes() == broken


@given(st.binary(max_size=4000), st.integers(1, 3000))
def test_any_step_gives_the_same_sound(scratch: Path, pcm: bytes, milliseconds: int) -> None:
    scratch.write_bytes(wav(pcm))
    try:
        found = audio.inspect(scratch)
    except AudioEmpty:
        assert len(pcm) < 2
        return
    finally_read = b"".join(audio.steps(found, milliseconds / 1000))
    assert finally_read == pcm[: len(pcm) // 2 * 2]
    assert all(len(step) % 2 == 0 for step in audio.steps(found, milliseconds / 1000))


@given(cut=st.integers(0, 2044), zeroed=st.booleans())
def test_a_file_cut_anywhere_gives_its_sound_or_one_sentence(
    scratch: Path, cut: int, *, zeroed: bool
) -> None:
    path = scratch
    pcm = SECOND[:2000]
    whole = wav(pcm, data=0, riff=0) if zeroed else wav(pcm)
    path.write_bytes(whole[:cut])
    try:
        found = audio.inspect(scratch)
    except (AudioEmpty, AudioTruncated):
        assert cut < 46
        return
    assert b"".join(audio.steps(found)) == pcm[: (cut - 44) // 2 * 2]


@given(st.binary(max_size=200))
def test_garbage_never_raises_anything_else(scratch: Path, content: bytes) -> None:
    path = scratch
    for start in (b"", b"RIFF", b"RIFF\0\0\0\0WAVE", wav(b"")[:36]):
        path.write_bytes(start + content)
        with suppress(AudioError):
            assert audio.inspect(scratch).seconds > 0
