"""Talks made for the tests of inspection: sentences with the seconds they begin at."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from telephony.calls import Leg
from transcription.inspection.form import Form
from transcription.inspection.talk import Talk
from transcription.transcripts import Transcript, Word, transcript

REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = REPOSITORY / "deploy" / "inspection" / "default.yaml"
PACE = 0.25
"""Seconds a character: 240 a minute."""

Line = tuple[float, str]


def form() -> Form:
    """The form that ships."""
    return Form.model_validate(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))


def leg(who: Leg, lines: Sequence[Line], *, conf: float = 0.97, pace: float = PACE) -> Transcript:
    """What one side said; words are split at spaces and divide a line's time by characters."""
    words = []
    for start, line in lines:
        at = start
        for text in line.split():
            end = at + pace * len(text)
            words.append(Word(text=text, start=at, end=end, conf=conf))
            at = end
    last = max((word.end for word in words), default=0.0)
    return transcript(leg=who, engine="e", model="m", words=words, audio_seconds=last + 1)


GOOD_OPERATOR: tuple[Line, ...] = (
    (0.5, "您好 市长 公开 电话 工号 一零八六 为您 服务 请讲"),
    (20.0, "跟 您 核对 一下 临园路 东段 七十二号 路灯 坏 了 对吗"),
    (35.0, "好的 会 转给 城管 部门 处理 感谢您 的 来电 再见"),
)
CALLER: tuple[Line, ...] = (
    (8.0, "你好 我 要 反映 临园路 东段 七十二号 门口 路灯 坏 了 三天 晚上 出门 不 安全"),
    (32.0, "是 的 麻烦 快 一点"),
)


def talk(
    operator: Sequence[Line] | None = GOOD_OPERATOR,
    caller: Sequence[Line] | None = CALLER,
    *,
    conf: float = 0.97,
    **more: object,
) -> Talk:
    """A call on the mayor's line, answered at its beginning."""
    facts: dict[str, object] = {"line": "mayor", "answered": 0.0, "ended": 42.0, "rang": 4.0} | more
    return Talk(
        caller=None if caller is None else leg(Leg.CALLER, caller),
        operator=None if operator is None else leg(Leg.OPERATOR, operator, conf=conf),
        **facts,  # type: ignore[arg-type]
    )
