"""Every shipped pack by its own table of examples, and every way a pack can be wrong."""

import re
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from routing.calendar import Calendar
from routing.cases import Channel, Kind, Urgency
from routing.clocks import ClockFacts, Entered, main_clock, stage_clock
from routing.errors import DataFault, LimitMissing
from routing.limits import Limit, Origin, Sourced, Stage, Unit, Verified
from routing.policy import Policy, load_policies, newest, policy_faults, read_policy

SHANGHAI = ZoneInfo("Asia/Shanghai")
FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "policies"
PACKS = load_policies(FOLDER)
HELP, CONSULT, COMPLAINT, REPORT = Kind.HELP, Kind.CONSULT, Kind.COMPLAINT, Kind.REPORT
NORMAL, URGENT, EMERGENCY = Urgency.NORMAL, Urgency.URGENT, Urgency.EMERGENCY


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("pack", "kind", "urgency", "opened", "ends"),
    [
        # Sichuan: 3, 7 and 15 working days; urgent matters day and night.
        ("sichuan-2025", CONSULT, NORMAL, "2026-11-23T12:00", "2026-11-26T18:00"),
        ("sichuan-2025", HELP, NORMAL, "2026-11-23T12:00", "2026-12-02T18:00"),
        ("sichuan-2025", REPORT, NORMAL, "2026-11-23T12:00", "2026-12-14T18:00"),
        ("sichuan-2025", HELP, EMERGENCY, "2026-10-01T23:30", "2026-10-02T01:30"),
        # Over the National Day of 2025: 1 to 8 October off, 28 September and 11 October worked.
        ("sichuan-2025", CONSULT, NORMAL, "2025-09-27T09:00", "2025-09-30T18:00"),
        ("sichuan-2025", HELP, NORMAL, "2025-09-29T09:00", "2025-10-15T18:00"),
        # Shandong, Jinan, Weifang: five working days whatever it is.
        ("shandong-2020", CONSULT, NORMAL, "2026-11-23T12:00", "2026-11-30T18:00"),
        ("shandong-2020", COMPLAINT, NORMAL, "2026-02-12T09:00", "2026-02-26T18:00"),
        ("jinan-2018", HELP, NORMAL, "2026-11-23T12:00", "2026-11-30T18:00"),
        ("jinan-2018", REPORT, NORMAL, "2026-05-01T12:00", "2026-05-11T18:00"),
        ("weifang-2021", COMPLAINT, NORMAL, "2026-11-21T23:59", "2026-11-27T18:00"),
        ("tianjin-2025", HELP, NORMAL, "2026-11-23T12:00", "2026-11-30T18:00"),
        # Beijing's draft: seven days, holidays or not; 24 hours; two hours.
        ("beijing-2021", HELP, NORMAL, "2026-09-29T12:00", "2026-10-06T18:00"),
        ("beijing-2021", HELP, URGENT, "2026-10-01T10:00", "2026-10-02T10:00"),
        ("beijing-2021", COMPLAINT, EMERGENCY, "2026-10-01T10:00", "2026-10-01T12:00"),
    ],
)
def test_the_main_limit(  # noqa: PLR0917 - the columns of the table
    calendar: Calendar, pack: str, kind: Kind, urgency: Urgency, opened: str, ends: str
) -> None:
    facts = ClockFacts(kind=kind, urgency=urgency, opened_at=local(opened).astimezone(UTC))
    clock = main_clock(facts, newest(PACKS, pack), calendar)
    assert clock is not None
    assert clock.ends_at == local(ends)
    assert clock.ends_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("pack", "stage", "urgency", "entered", "ends"),
    [
        # Tianjin's 15 and 30 minutes run through a holiday's night; other matters wait for work.
        ("tianjin-2025", Stage.SIGN, EMERGENCY, "2026-10-01T02:00", "2026-10-01T02:15"),
        ("tianjin-2025", Stage.SIGN, URGENT, "2026-10-01T23:45", "2026-10-02T00:15"),
        ("tianjin-2025", Stage.SIGN, NORMAL, "2026-10-01T02:00", "2026-10-08T18:00"),
        ("tianjin-2025", Stage.SIGN, NORMAL, "2026-11-20T17:00", "2026-11-23T18:00"),
        ("shandong-2020", Stage.RETURN_ASK, NORMAL, "2026-11-20T10:00", "2026-11-24T18:00"),
        ("sichuan-2025", Stage.DISPATCH, EMERGENCY, "2026-11-22T03:00", "2026-11-22T03:10"),
        ("sichuan-2025", Stage.DISPATCH, URGENT, "2026-11-22T03:00", "2026-11-22T03:30"),
        ("sichuan-2025", Stage.DISPATCH, NORMAL, "2026-11-22T03:00", "2026-11-23T18:00"),
        ("sichuan-2025", Stage.CONSULTATION, NORMAL, "2026-11-23T10:00", "2026-11-24T18:00"),
        ("sichuan-2025", Stage.SIGN, NORMAL, "2026-11-27T10:00", "2026-11-30T18:00"),
        ("sichuan-2025", Stage.RETURN_ASK, NORMAL, "2026-11-23T10:00", "2026-11-25T18:00"),
        ("sichuan-2025", Stage.RETURN_RULING, NORMAL, "2026-11-23T10:00", "2026-11-24T18:00"),
        ("sichuan-2025", Stage.EXTENSION_RULING, NORMAL, "2026-11-23T10:00", "2026-11-24T18:00"),
        ("sichuan-2025", Stage.TERMINATION_RULING, NORMAL, "2026-11-23T10:00", "2026-11-25T18:00"),
        ("sichuan-2025", Stage.AUDIT, NORMAL, "2026-11-23T10:00", "2026-11-24T18:00"),
        ("sichuan-2025", Stage.CALL_BACK, NORMAL, "2026-11-23T10:00", "2026-11-25T18:00"),
        ("sichuan-2025", Stage.SUPERVISION, NORMAL, "2026-11-23T10:00", "2026-11-26T18:00"),
        ("sichuan-2025", Stage.PHONE_ASSIGNMENT, EMERGENCY, "2026-10-03T23:55", "2026-10-04T00:05"),
        ("sichuan-2025", Stage.PHONE_ASSIGNMENT, NORMAL, "2026-11-23T10:00", "2026-11-23T10:20"),
    ],
)
def test_the_limit_of_a_stage(  # noqa: PLR0917 - the columns of the table
    calendar: Calendar, pack: str, stage: Stage, urgency: Urgency, entered: str, ends: str
) -> None:
    clock = stage_clock(
        Entered(stage=stage, at=local(entered)),
        ClockFacts(kind=HELP, urgency=urgency),
        newest(PACKS, pack),
        calendar,
    )
    assert clock.ends_at == local(ends)


def test_what_comes_in_by_the_network_is_taken_in_within_two_hours(calendar: Calendar) -> None:
    entered = Entered(stage=Stage.INTAKE, at=local("2026-10-01T22:00"))
    for pack in ("sichuan-2025", "beijing-2021"):
        facts = ClockFacts(kind=HELP, urgency=NORMAL, channel=Channel.WEB)
        clock = stage_clock(entered, facts, newest(PACKS, pack), calendar)
        assert clock.ends_at == local("2026-10-02T00:00")
        with pytest.raises(LimitMissing):
            stage_clock(
                entered, ClockFacts(kind=HELP, urgency=NORMAL), newest(PACKS, pack), calendar
            )


def test_a_stage_the_pack_is_silent_about_is_refused_with_one_sentence() -> None:
    with pytest.raises(LimitMissing) as caught:
        newest(PACKS, "jinan-2018").stage_limit(Stage.AUDIT, HELP, NORMAL)
    assert str(caught.value) == (
        "The policy jinan-2018/1 gives no limit for the stage audit of a help that is normal:"
        " add stages.audit in a new version, with its basis or as origin: ours."
    )
    assert (caught.value.policy, caught.value.stage) == ("jinan-2018/1", "audit")
    with pytest.raises(LimitMissing, match="no limit for the stage sign"):
        newest(PACKS, "sichuan-2025/1").stage_limit(Stage.SIGN, HELP, NORMAL)


def test_the_default_pack_gives_every_stage_a_limit_for_every_case() -> None:
    pack = newest(PACKS, "sichuan-2025")
    assert pack.version == 2
    for stage in Stage:
        for kind in Kind:
            for urgency in Urgency:
                assert pack.stage_limit(stage, kind, urgency, channel="web").amount >= 1


def everything(pack: Policy) -> list[Sourced]:
    limits: list[Sourced] = [*pack.limits, *(it for some in pack.stages.values() for it in some)]
    return [*limits, *pack.statutory, *([pack.extension] if pack.extension else [])]


@pytest.mark.parametrize("name", sorted(set(PACKS) - {"sichuan-2025/1"}))
def test_a_figure_of_ours_says_so_and_a_regulations_says_how_sure_it_is(name: str) -> None:
    for one in everything(PACKS[name]):
        assert (one.origin is Origin.OURS) == ("默认值" in one.basis), one.basis
        assert one.origin is Origin.OURS or one.verified is not None


def test_what_was_only_told_is_not_said_to_be_read() -> None:
    """Of Sichuan and Beijing no wording was read; of the other four it was (domain.md 1.3)."""

    def marks(pack: str) -> set[Verified | None]:
        found = newest(PACKS, pack)
        return {one.verified for one in everything(found) if not one.basis.startswith(LAWS)}

    assert marks("sichuan-2025") == {Verified.SECOND_HAND, None}
    assert marks("beijing-2021") == {Verified.SECOND_HAND, None}
    assert not [
        one for one in (*newest(PACKS, "beijing-2021").limits,) if one.origin is Origin.REGULATION
    ]
    for pack in ("shandong-2020", "jinan-2018", "weifang-2021", "tianjin-2025"):
        assert marks(pack) == {Verified.READ, None}


LAWS = ("信访工作条例", "市场监督管理")


def test_the_second_version_of_sichuan_keeps_the_main_limits_of_the_first() -> None:
    first, second = PACKS["sichuan-2025/1"], PACKS["sichuan-2025/2"]
    kept = [limit.model_copy(update={"verified": None}) for limit in second.limits]
    assert tuple(kept) == first.limits


def test_a_citys_own_folder_adds_packs_and_may_not_repeat_one(tmp_path: Path) -> None:
    text = (FOLDER / "jinan-2018.yaml").read_text(encoding="utf-8")
    (tmp_path / "own.yaml").write_text(text.replace("version: 1", "version: 2"), encoding="utf-8")
    packs = load_policies(FOLDER, tmp_path)
    assert newest(packs, "jinan-2018").version == 2
    assert load_policies(FOLDER, tmp_path / "nothing") == PACKS
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataFault, match="jinan-2018/1 stands in two files"):
        load_policies(FOLDER, tmp_path)


SIGN = "stages:\n  sign:\n"
MINUTES = "unit: minutes\n      basis: 天津"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  sign:", "  singing:", "stages.singing.[key]: Input should be 'handling', 'intake'"),
        ("  sign:", "  handling:", "the limits of handling stand under limits, not under stages"),
        ("amount: 15\n", "amount: 0\n", "stages.sign.0.amount: Input should be greater than"),
        ("amount: 15\n", "amount: 1.5\n", "stages.sign.0.amount: Input should be a valid integer"),
        (MINUTES, MINUTES.replace("minutes", "weeks"), "stages.sign.0.unit: Input should be"),
        ("      verified: read\n", "", "stages.sign.0 is said to be a regulation's figure, so"),
        ("verified: read", "verified: certain", "stages.sign.0.verified: Input should be 'read'"),
        ("    - urgencies: [urgent]\n", "    - urgencies: []\n", "an empty list fits no case"),
        ("[urgent]\n      amount", "[urgent, urgent]\n      amount", "a value is named twice"),
        ("[urgent]\n      amount", "[quick]\n      amount", "stages.sign.1.urgencies.0: Input"),
        (
            "    - urgencies: [urgent]\n      amount: 30",
            "    - urgencies: [emergency]\n      kinds: [help]\n      amount: 30",
            "stages.sign.1 can never count, because stages.sign.0 before it fits every case",
        ),
        ("[urgent]\n      amount", "[urgent]\n      level1: [天文]\n      amount", "'天文' is no"),
        ("[urgent]\n      amount", "[urgent]\n      channels: [fax]\n      amount", "channels.0"),
        ("[urgent]\n      amount", "[urgent]\n      starts: later\n      amount", "starts"),
        (
            "  - amount: 5\n",
            "  - kinds: [help]\n    amount: 5\n",
            "no limit is given for a consult",
        ),
        ("pausing: none", "pausing: always", "pausing: Input should be 'none'"),
        ('begins: "21:00"', "begins: 21:00", "quiet_hours: write the time in quotes"),
        ('begins: "21:00"', 'begins: "08:00"', "begin and end at the same time"),
        ("  - id: petition\n", "  - id: Petition\n", "statutory.0.id"),
        (
            "    basis: 信访工作条例（2022）：信访事项60日内办结\n    origin: regulation",
            "    basis: 信访工作条例（2022）：信访事项60日内办结\n    origin: ours",
            "a statutory limit is the law's, so its origin is regulation",
        ),
        ("pausing: none", "pausing: none\ncolour: red", "colour: Extra inputs are not permitted"),
        ('day_begins: "09:00"', "day_begins: 9", 'write the time in quotes, like "18:00"'),
        ("version: 1\n", "version: 0\n", "version: Input should be greater than or equal to 1"),
    ],
)
def test_a_wrong_pack_is_told_in_one_sentence(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    text = (FOLDER / "tianjin-2025.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "pack.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFault) as caught:
        read_policy(path)
    message = str(caught.value)
    assert sentence in message
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert policy_faults(path)[0][:-1] in message


@pytest.mark.parametrize("rule", ["before_expiry", "approval", "tell_caller"])
def test_no_pack_lets_an_extension_be_late_unapproved_or_untold(tmp_path: Path, rule: str) -> None:
    text = (FOLDER / "shandong-2020.yaml").read_text(encoding="utf-8")
    path = tmp_path / "pack.yaml"
    path.write_text(text.replace("max_count: 1", f"max_count: 1\n  {rule}: false"), "utf-8")
    (fault,) = policy_faults(path)
    where = re.escape(str(path))
    assert re.fullmatch(rf"{where}: line \d+: extension\.{rule}: Input should be True\.", fault)
    path.write_text(text.replace("max_count: 1", "max_count: 0"), "utf-8")
    assert "extension.max_count: Input should be" in policy_faults(path)[0]


def test_the_same_statute_twice_and_hours_without_a_morning_are_told(tmp_path: Path) -> None:
    text = (FOLDER / "tianjin-2025.yaml").read_text(encoding="utf-8")
    path = tmp_path / "pack.yaml"
    law = text[text.index("  - id: petition") : text.index("pausing: none")]
    path.write_text(text.replace(law, law + law), encoding="utf-8")
    assert policy_faults(path) == (
        f"{path}: line 66: statutory: the statutory limit petition stands twice.",
    )
    waits = text.replace(
        "[urgent]\n      amount", "[urgent]\n      starts: next_working_day\n      amount"
    )
    path.write_text(waits, encoding="utf-8")
    assert policy_faults(path) == ()
    path.write_text(waits.replace('day_begins: "09:00"\n', ""), encoding="utf-8")
    (fault,) = policy_faults(path)
    assert fault.endswith(
        "stages.sign.1 counts minutes from the next working day, so day_begins must be given."
    )


def test_every_fault_has_a_sentence_of_its_own(tmp_path: Path) -> None:
    text = (FOLDER / "tianjin-2025.yaml").read_text(encoding="utf-8")
    path = tmp_path / "pack.yaml"
    path.write_text(
        text.replace("amount: 15\n", "amount: x\n").replace("unit: hours", "unit: h"), "utf-8"
    )
    faults = policy_faults(path)
    assert len(faults) == 5
    assert all(fault.startswith(f"{path}: ") and fault.endswith(".") for fault in faults)
    assert policy_faults(tmp_path / "none.yaml") == (
        f"{tmp_path / 'none.yaml'}: it cannot be read: No such file or directory.",
    )


def test_a_limit_may_be_for_one_channel_category_and_line_alone() -> None:
    only = Limit.model_validate(
        {
            "channels": ["web"],
            "level1": ["环境保护"],
            "lines": ["mayor"],
            "amount": 2,
            "unit": "hours",
            "basis": "test",
            "origin": "ours",
        }
    )
    assert only.fits(HELP, NORMAL, "mayor", "环境保护", "web")
    assert not only.fits(HELP, NORMAL, "mayor", "环境保护", "phone")
    assert not only.fits(HELP, NORMAL, "mayor", "环境保护")
    assert not only.fits(HELP, NORMAL, "duty", "环境保护", "web")
    assert not only.fits(HELP, NORMAL, "mayor", "政法", "web")
    assert only.unit is Unit.HOURS


def test_quiet_hours_cross_midnight() -> None:
    quiet = newest(PACKS, "sichuan-2025").quiet_hours
    assert quiet is not None
    seen = {at: quiet.contain(time(*at)) for at in ((20, 59), (21, 0), (0, 0), (7, 59), (8, 0))}
    assert seen == {(20, 59): False, (21, 0): True, (0, 0): True, (7, 59): True, (8, 0): False}
    noon = quiet.model_copy(update={"begins": time(12), "ends": time(14)})
    assert [noon.contain(time(hour)) for hour in (11, 12, 13, 14)] == [False, True, True, False]
