"""What was said beside what was heard: pieces of the scripted calls, and their words."""

import wave
from collections.abc import Sequence
from pathlib import Path

from deploy.demo.alaw import decode
from deploy.demo.script import ScriptedCall
from telephony.calls import Leg
from tests.phones.sounds import RATE
from transcription.engines.vosk import VoskTranscriber

WORST_ERROR_RATE = 0.35  # as test_captions.py
PAUSE = 0.6  # seconds of quiet around a phrase


def piece(call: ScriptedCall, turn: int) -> tuple[str, bytes]:
    """What is said in one turn of a call: its words, and its sound as A-law."""
    turns = [*call.turns]
    begins = turns[turn].start - PAUSE
    ends = turns[turn + 1].start if turn + 1 < len(turns) else call.seconds
    audio = call.caller_audio if turns[turn].who == "caller" else call.operator_audio
    sound = audio.read_bytes()[int(begins * RATE) : int(ends * RATE)]
    return "".join(one for one in turns[turn].text if one.isalnum()), sound


def as_wav(file: Path, alaw: bytes) -> Path:
    return _write(file, decode(alaw))


def _write(file: Path, pcm: bytes) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(pcm)
    return file


def nearest(said: str, heard: str) -> int:
    """How many characters differ between what was said and where it comes nearest in the rest."""
    row = [0] * (len(heard) + 1)
    for i, a in enumerate(said, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return min(row)


async def words(engine: VoskTranscriber, samples: Sequence[int], file: Path, leg: Leg) -> str:
    """What the engine hears in a sound."""
    _write(file, b"".join(one.to_bytes(2, "little", signed=True) for one in samples))
    heard = await engine.transcribe(file, leg)
    return "".join(word.text for word in heard.words if word.text != "[unk]")
