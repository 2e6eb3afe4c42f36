"""G.711 A-law, the telephone's own eight bits, without any library.

    python3 -m deploy.demo.alaw leg.wav ...  [--into folder]     8 kHz 16-bit WAV -> leg.al

SIPp streams such a raw file as it is, and it is half the size of the PCM it was made of.
The code is ITU-T G.711 (11/88) table 1a: sign, three bits of segment, four of step, even bits
inverted.
"""

import argparse
import sys
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

RATE = 8000
SILENCE = 0xD5  # A-law of the sample 0
INVERTED = 0x55


def encode_sample(sample: int) -> int:
    """Return the A-law byte of one signed 16-bit sample."""
    sign = 0x80 if sample >= 0 else 0
    size = (sample if sample >= 0 else ~sample) >> 3  # 13 bits: 0..4095
    segment = max(0, size.bit_length() - 5)
    step = (size >> max(1, segment)) & 0x0F
    return (sign | segment << 4 | step) ^ INVERTED


TABLE = bytes(encode_sample(value - 0x10000 if value & 0x8000 else value) for value in range(65536))


def encode(pcm: bytes) -> bytes:
    """Return the A-law bytes of little-endian signed 16-bit samples."""
    samples = array("H", pcm[: len(pcm) & ~1])
    if sys.byteorder == "big":
        samples.byteswap()
    return bytes(TABLE[value] for value in samples)


def decode(data: bytes) -> bytes:
    """Return little-endian signed 16-bit samples; of those that give a byte the quietest."""
    quietest = {byte: value for value, byte in reversed(list(enumerate(TABLE[:0x8000])))}
    quietest |= {TABLE[value]: value - 0x10000 for value in range(0x8000, 0x10000)}
    samples = array("h", (quietest[byte] for byte in data))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def encode_file(wav: Path, into: Path) -> Path:
    """Write `into`/<name>.al and return its path.

    Raises:
        ValueError: the file is not 16-bit mono at 8 kHz.
    """
    with wave.open(str(wav), "rb") as file:
        shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        if shape != (RATE, 1, 2):
            raise ValueError(f"{wav} is not 16-bit mono at 8 kHz.")
        pcm = file.readframes(file.getnframes())
    target = into / f"{wav.stem}.al"
    target.write_bytes(encode(pcm))
    return target


def main(words: Sequence[str] | None = None) -> int:
    """Encode the named files; return the exit status."""
    parser = argparse.ArgumentParser(description="Turn 8 kHz WAV files into raw A-law.")
    parser.add_argument("wav", nargs="+", type=Path)
    parser.add_argument("--into", type=Path, default=Path())
    chosen = parser.parse_args(words)
    for wav in chosen.wav:
        target = encode_file(wav, chosen.into)
        print(f"{target}: {target.stat().st_size / RATE:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
