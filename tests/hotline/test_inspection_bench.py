"""`hotline bench inspection`: planted faults are counted as found, missed, not judged or false."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hotline.cli import app
from hotline.inspection_bench import Called, Tally, report, tallies
from telephony.calls import Leg
from tests.transcription.inspected import CALLER, GOOD_OPERATOR, form, talk

GOOD = Called(
    name="good",
    talk=talk(),
    turns=(
        (Leg.OPERATOR, 0.5, 7.0),
        (Leg.CALLER, 8.0, 17.5),
        (Leg.OPERATOR, 20.0, 26.5),
        (Leg.CALLER, 32.0, 34.0),
        (Leg.OPERATOR, 35.0, 41.0),
    ),
)


def test_what_is_planted_in_a_good_call_is_found_and_nothing_else() -> None:
    found = tallies([GOOD], form())
    for item in ("greeting", "closing", "silence", "shirking", "impatience", "rude"):
        one = found[item]
        assert one.planted > 0, item
        assert (one.recall, one.false) == (1.0, 0), (item, one)
    assert sum(found[item].planted for item in ("shirking", "impatience", "rude")) > 50


def test_a_call_that_lacks_something_already_has_it_not_planted_again() -> None:
    lacks = talk(operator=[(0.5, "工号 一零八六 有 什么 事情"), *GOOD_OPERATOR[1:]], caller=CALLER)
    found = tallies([Called(name="poor", talk=lacks, turns=GOOD.turns)], form())
    assert "greeting" not in found
    assert found["closing"].found == 1


def test_rates_are_of_what_was_judged_and_of_what_was_found() -> None:
    one = Tally(planted=5, found=3, not_judged=1, false=1)
    assert (one.recall, one.precision) == (0.75, 0.75)
    assert (Tally().recall, Tally().precision) == (None, None)


def test_a_folder_without_calls_is_told_in_a_sentence(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["bench", "inspection", str(tmp_path)])
    assert told.exit_code != 0
    assert "calls.json cannot be read" in told.output + str(told.exception)


@pytest.mark.model
@pytest.mark.timeout(300)
def test_planted_faults_in_calls_that_were_really_heard(shared_data: Path, tmp_path: Path) -> None:
    calls = json.loads((shared_data / "calls" / "calls.json").read_bytes())
    name = "02-water-outage"
    (tmp_path / "calls.json").write_text(json.dumps({name: calls[name]}), encoding="utf-8")
    for leg in Leg:
        (tmp_path / f"{name}-{leg}.wav").symlink_to(shared_data / "calls" / f"{name}-{leg}.wav")
    told = CliRunner().invoke(app, ["bench", "inspection", str(tmp_path), "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.output)["by_sound"]
    assert found["rude"]["recall"] == 1.0
    assert found["closing"]["planted"] == 1


def test_the_report_tells_both_ways() -> None:
    found = report([GOOD], form())
    assert set(found) == {"by_sound", "as_written"}
    assert found["as_written"]["rude"]["recall"] == 1.0
