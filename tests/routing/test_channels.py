"""How a matter came: a limit of its own by channel, and what older rows of the journal mean."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from routing.cases import Case, CaseState, Channel, Kind, Move, MoveData, Urgency, channel_of
from routing.fold import Row, fold, told
from routing.in_force import InForce
from routing.moving import moved
from routing.policy import policy_faults, read_policy
from tests.routing.life import ANYBODY, DEPLOY, LIMITS, NOON

SHANGHAI = ZoneInfo("Asia/Shanghai")
PACK = (DEPLOY / "policies" / "sichuan-2025-2.yaml").read_text(encoding="utf-8")
OWN = """limits:
  - channels: [superior, visit]
    amount: 1
    unit: working_days
    basis: 本市规定：上级转办和来访1个工作日
    origin: ours
"""
GIVEN = MoveData(kind=Kind.HELP, urgency=Urgency.NORMAL, level1="城乡建设")


def by_channel(folder: Path) -> InForce:
    path = folder / "own.yaml"
    path.write_text(PACK.replace("limits:\n", OWN, 1), encoding="utf-8")
    pack = read_policy(path)
    return replace(LIMITS, policies={pack.name: pack}, policy=pack)


def draft(channel: Channel, line: str = "mayor") -> Case:
    return Case(
        id=1,
        number="20261123-000001-5",
        call_id=None,
        line=line,
        state=CaseState.DRAFT,
        owner="1001",
        drafted_at=NOON,
        channel=channel,
    )


@pytest.mark.parametrize(
    ("channel", "due"),
    [
        (Channel.SUPERIOR, "2026-11-24T18:00"),
        (Channel.VISIT, "2026-11-24T18:00"),
        (Channel.PHONE, "2026-12-02T18:00"),
        (Channel.MAIL, "2026-12-02T18:00"),
    ],
)
def test_a_packs_limit_by_channel_is_the_one_that_counts(
    tmp_path: Path, channel: Channel, due: str
) -> None:
    limits = by_channel(tmp_path)
    case = moved(draft(channel), Move.OPEN, ANYBODY, GIVEN, NOON, limits)
    assert case.due_at == datetime.fromisoformat(due).replace(tzinfo=SHANGHAI).astimezone(UTC)
    clock = limits.clock_of(case)
    assert clock is not None
    assert ("上级转办" in clock.rule.basis) is (channel in {Channel.SUPERIOR, Channel.VISIT})


def test_a_channel_that_is_none_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(PACK.replace("limits:\n", OWN.replace("visit", "pigeon"), 1), encoding="utf-8")
    (fault,) = policy_faults(path)
    assert "limits.0.channels.1" in fault
    assert "'duty_phone'" in fault


def test_a_call_on_the_duty_line_came_by_the_duty_telephone() -> None:
    assert channel_of("duty") is Channel.DUTY_PHONE
    assert channel_of("mayor") is Channel.PHONE


@pytest.mark.parametrize("line", ["mayor", "duty"])
def test_rows_from_before_there_were_channels_speak_of_calls(line: str) -> None:
    changes = told(None, draft(Channel.WEB, line))
    assert fold([Row(id=1, case_id=1, body={"changes": changes})]).channel is Channel.WEB
    del changes["channel"]
    assert fold([Row(id=1, case_id=1, body={"changes": changes})]).channel is channel_of(line)
