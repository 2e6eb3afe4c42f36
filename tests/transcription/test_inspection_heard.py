"""The scripted calls through the real Vosk: no verdict against what the scripts hold.

What each script holds was read by hand. A phrase that the recogniser lost may be not judged; it is
never taken for missing, and none that is not there is ever found.
"""

import json
from pathlib import Path

import pytest

from telephony.calls import Leg
from tests.transcription.inspected import form
from transcription.engines.vosk import VoskTranscriber
from transcription.inspection.inspecting import inspect
from transcription.inspection.judged import Verdict
from transcription.inspection.talk import Talk

SPOKEN = ("greeting", "duty_greeting", "badge", "read_back", "closing")
WHOLE = {"greeting", "badge"}
THERE = {
    "01-streetlight": WHOLE | {"closing"},
    "02-water-outage": WHOLE | {"closing"},
    "03-unpaid-wages": WHOLE,
    "04-social-card": WHOLE,
    "05-barbecue-smoke": WHOLE,
    "06-driving-school": WHOLE,
    "07-gas-smell": WHOLE,
    "08-staff-bribery": WHOLE,
    "09-public-housing": WHOLE,
    "10-follow-up": WHOLE,
    "11-duty-landslide": {"duty_greeting"},
    "12-bus-suggestion": WHOLE,
}
LET_OFF = {"07-gas-smell": {"read_back", "closing"}}
OF_THE_LINE = {"mayor": {"duty_greeting"}, "duty": {"greeting", "badge", "read_back", "closing"}}
NEVER = ("shirking", "impatience", "rude")


def not_asked(name: str, line: str) -> set[str]:
    return OF_THE_LINE[line] | LET_OFF.get(name, set())


@pytest.mark.model
@pytest.mark.timeout(300)
async def test_no_verdict_on_the_scripted_calls_is_wrong(
    shared_data: Path, engine: VoskTranscriber
) -> None:
    folder = shared_data / "calls"
    if not (folder / "calls.json").is_file():
        pytest.skip(f"no scripted calls in {folder}")
    calls = json.loads((folder / "calls.json").read_bytes())
    judged = asked = 0
    for name, there in THERE.items():
        legs = {leg: await engine.transcribe(folder / f"{name}-{leg}.wav", leg) for leg in Leg}
        found = inspect(
            Talk(
                line=calls[name]["line"],
                caller=legs[Leg.CALLER],
                operator=legs[Leg.OPERATOR],
                answered=0.0,
            ),
            form(),
        )
        verdicts = {one.key: one.verdict for one in found.items}
        for key in SPOKEN:
            if verdicts[key] is Verdict.NOT_ASKED:
                assert key in not_asked(name, calls[name]["line"]), (name, key)
                continue
            wrong = Verdict.LOST if key in there else Verdict.KEPT
            assert verdicts[key] is not wrong, (name, key)
            asked += 1
            judged += verdicts[key] is not Verdict.NOT_JUDGED
        assert {verdicts[key] for key in NEVER} == {Verdict.KEPT}, name
        assert found.score is not None, name
    assert judged / asked >= 0.85, (judged, asked)
