"""`hotline bench speech`: scripted calls measured, and folders that are none refused by name."""

import json
import os
from pathlib import Path

import pytest

from hotline.speech_bench import BenchFolderError, judge, measure, read_scripts, report
from routing.directory import load_city
from telephony.calls import Leg
from transcription.engines.vosk import VoskTranscriber
from transcription.errors import ModelError
from transcription.models import ensure_model
from transcription.transcripts import Word, transcript

REPOSITORY = Path(__file__).resolve().parents[2]
CITY = REPOSITORY / "deploy" / "cities" / "mianyang"
LEAST_PRECISION = 0.95


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("[]", "should be an object"),
        ("{}", "names no calls"),
        ('{"a": {"turns": [{"who": "caller"}]}}', "a/turns/0/text"),
        ('{"../a": {"turns": [{"who": "caller", "text": "您好"}]}}', "is no name"),
        ('{"a": {"turns": [{"who": "caller", "text": "您好"}]}}', "a-caller.wav is missing"),
    ],
)
def test_a_folder_that_is_none_is_refused_in_one_sentence(
    tmp_path: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "calls.json").write_text(content, encoding="utf-8")
    with pytest.raises(BenchFolderError, match=says):
        read_scripts(tmp_path)


def test_both_texts_are_held_against_the_script_by_the_same_rules(tmp_path: Path) -> None:
    turns = [{"who": "caller", "text": "在涪城区临园路七十二号，欠我两万元"}]
    (tmp_path / "calls.json").write_text(json.dumps({"a": {"turns": turns}}), encoding="utf-8")
    (tmp_path / "a-caller.wav").touch()
    (script,) = read_scripts(tmp_path)
    texts = ["在", "佛", "城区", "您", "远路", "七十二号", "欠", "我", "两万元"]
    words = [
        Word(text=one, start=at / 4, end=(at + 1) / 4, conf=0.5) for at, one in enumerate(texts)
    ]
    found = transcript(leg=Leg.CALLER, engine="e", model="m", words=words, audio_seconds=3.0)
    heard = judge(script, found, load_city(CITY).vocabulary)
    assert (heard.raw_errors, heard.finished_errors) == (3, 0)
    assert [score.right for score in heard.before.values()] == [0, 0, 0, 1]
    assert [score.right for score in heard.after.values()] == [2, 0, 0, 1]


@pytest.mark.model
@pytest.mark.timeout(300)
async def test_real_calls_are_heard_better_after_finishing(shared_data: Path) -> None:
    folder = shared_data / "calls"
    if not (folder / "calls.json").is_file():
        pytest.skip(f"no scripted calls in {folder}")
    try:
        model = ensure_model(
            Path(os.environ.get("HOTLINE_CACHE") or REPOSITORY / ".cache") / "models"
        )
    except ModelError as error:
        pytest.skip(str(error))
    scripts = [one for one in read_scripts(folder) if one.name.startswith(("01", "05"))]
    engine = VoskTranscriber(model)
    try:
        heard, effort = await measure(scripts, engine, load_city(CITY).vocabulary)
        found = report(heard, effort, engine)
    finally:
        await engine.aclose()
    assert found["cer"]["all"]["lower_by"] >= 0.25  # the goal of the whole set, on two of its calls
    both = found["mentions"]["place_and_unit"]
    assert both["after"]["recall"] >= 2 * both["before"]["recall"]
    assert both["after"]["precision"] >= LEAST_PRECISION
    assert found["mentions"]["phone"]["after"]["right"] == 1
    assert 0 < found["real_time_factor"] < 1
    assert found["decoder_megabytes"] > 0
