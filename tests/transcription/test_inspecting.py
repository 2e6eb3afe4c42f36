"""Planted faults are found with their moment; what cannot be judged is neither kept nor lost."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.inspection_form import load_form
from routing.errors import DataFault
from telephony.calls import Leg, Side
from tests.transcription.inspected import (
    CALLER,
    GOOD_OPERATOR,
    REPOSITORY,
    SHIPPED,
    Line,
    form,
    talk,
)
from transcription.inspection.inspecting import inspect
from transcription.inspection.judged import Inspection, Judged, Reason, Verdict
from transcription.inspection.spans import Span
from transcription.inspection.talk import Talk

FORM = form()
SAID = ("greeting", "badge", "read_back", "closing", "shirking", "impatience", "rude")


def item(found: Inspection, key: str) -> Judged:
    return next(one for one in found.items if one.key == key)


def with_line(start: float, line: str, *, conf: float = 0.97) -> Talk:
    return talk(operator=[*GOOD_OPERATOR[:2], (start, line), GOOD_OPERATOR[2]], conf=conf)


def test_a_good_call_keeps_everything_that_is_asked_of_it() -> None:
    found = inspect(talk(), FORM)
    assert {one.key for one in found.items if one.verdict is Verdict.LOST} == set()
    assert item(found, "duty_greeting").verdict is Verdict.NOT_ASKED
    assert (found.score, found.deductions) == (Decimal("100.00"), ())


@pytest.mark.parametrize(
    ("key", "lines"),
    [
        ("greeting", [(0.5, "工号 一零八六 有 什么 事情"), *GOOD_OPERATOR[1:]]),
        ("badge", [(0.5, "您好 市长 公开 电话 为您 服务 请讲"), *GOOD_OPERATOR[1:]]),
        ("read_back", [GOOD_OPERATOR[0], (20.0, "好的 我们 知道 了"), GOOD_OPERATOR[2]]),
        ("closing", [*GOOD_OPERATOR[:2], (35.0, "好的 会 转给 城管 部门 处理 就 这样 吧")]),
        ("shirking", [*GOOD_OPERATOR[:2], (30.0, "这 不归 我们 管"), GOOD_OPERATOR[2]]),
        ("impatience", [*GOOD_OPERATOR[:2], (30.0, "有 完 没 完 啊"), GOOD_OPERATOR[2]]),
        ("rude", [*GOOD_OPERATOR[:2], (30.0, "你 听不懂 吗"), GOOD_OPERATOR[2]]),
        ("silence", [GOOD_OPERATOR[0], (20.0, "跟 您 核对 一下"), (65.0, "感谢您 的 来电 再见")]),
    ],
)
def test_each_planted_fault_is_found_and_no_other(key: str, lines: list[Line]) -> None:
    found = inspect(talk(operator=lines, ended=max(42.0, lines[-1][0] + 5)), FORM)
    assert {one.key for one in found.items if one.verdict is Verdict.LOST} == {key}
    lost = item(found, key).deductions[0]
    asked = FORM.item(key)
    assert asked is not None
    assert lost.points == asked.points
    assert found.score is not None
    assert found.score < 100


def test_a_deduction_tells_points_reason_words_and_where_to_listen() -> None:
    (lost,) = inspect(with_line(30.0, "这 不归 我们 管"), FORM).deductions
    assert (lost.item, lost.points, lost.reason) == ("shirking", 7, Reason.FORBIDDEN)
    assert (lost.moment.leg, lost.moment.words) == (Leg.OPERATOR, "不归我们管")
    assert (lost.moment.start, lost.moment.end) == (30.25, 31.5)
    assert lost.facts == {"phrase": "不归我们管", "likeness": 1.0}


def test_the_same_fault_costs_again_up_to_the_items_limit_and_is_still_shown() -> None:
    lines = [
        *GOOD_OPERATOR[:2],
        *((26.0 + 2 * n, "我 没 办法") for n in range(4)),
        GOOD_OPERATOR[2],
    ]
    lost = inspect(talk(operator=lines, caller=CALLER[:1]), FORM).deductions
    assert [one.points for one in lost] == [7, 7, 0, 0]


@pytest.mark.parametrize(
    ("said", "meant"),
    [("部 归 我 管", "不归我管"), ("有 完 没 玩", "有完没完"), ("泥 听 不 动 吗", "你听不懂吗")],
)
def test_a_forbidden_phrase_written_otherwise_is_found_by_sound_where_it_was_a_guess(
    said: str, meant: str
) -> None:
    guessed = inspect(with_line(30.0, said, conf=0.7), FORM).deductions
    assert [one.facts["phrase"] for one in guessed] == [meant]
    assert guessed[0].moment.words == said.replace(" ", "")
    assert inspect(with_line(30.0, said, conf=0.99), FORM).deductions == ()


@pytest.mark.parametrize(
    "said", ["您 知不知道 地址", "这个 是 滚动 更新 的", "机器 有毛病 的 话 可以 退"]
)
def test_the_same_characters_inside_harmless_words_are_no_fault(said: str) -> None:
    assert inspect(with_line(30.0, said), FORM).deductions == ()


def test_the_callers_words_are_never_the_operators_fault() -> None:
    rude = [CALLER[0], (32.0, "你 听不懂 吗 有 完 没 完 爱 投诉 就 投诉")]
    found = inspect(talk(caller=rude), FORM)
    assert {item(found, key).verdict for key in ("rude", "impatience")} == {Verdict.KEPT}


@pytest.mark.parametrize("heard", ["功耗 一零八六", "恭贺 一零八六", "功耗 一 淋巴瘤"])
def test_a_badge_that_the_recogniser_wrote_otherwise_counts(heard: str) -> None:
    lines = [(0.5, f"您好 市长 公开 电话 {heard} 请讲"), *GOOD_OPERATOR[1:]]
    assert item(inspect(talk(operator=lines, badge="1086"), FORM), "badge").verdict is Verdict.KEPT


def test_a_badge_that_the_exchange_told_need_not_be_said() -> None:
    lines = [(0.5, "您好 市长 公开 电话 请讲"), *GOOD_OPERATOR[1:]]
    assert item(inspect(talk(operator=lines), FORM), "badge").verdict is Verdict.LOST
    told = item(inspect(talk(operator=lines, told=True), FORM), "badge")
    assert (told.verdict, told.reason) == (Verdict.KEPT, Reason.TOLD)


def test_the_matter_in_the_callers_own_words_is_a_read_back() -> None:
    echo = [
        GOOD_OPERATOR[0],
        (20.0, "好的 临园路 东段 七十二号 门口 路灯 坏 了 是 吧"),
        GOOD_OPERATOR[2],
    ]
    assert item(inspect(talk(operator=echo), FORM), "read_back").verdict is Verdict.KEPT


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (talk(operator=None), Reason.LEG_MISSING),
        (talk(answered=None), Reason.NO_TALK),
        (talk(ended=6.0), Reason.TOO_SHORT),
        (talk(operator=[(0.5, "喂")]), Reason.TOO_SHORT),
        (talk(conf=0.4), Reason.UNSURE),
    ],
    ids=["no operator's leg", "nobody answered", "short", "hardly a word", "hardly heard"],
)
def test_what_cannot_be_judged_has_no_score_and_no_deduction(one: Talk, why: Reason) -> None:
    found = inspect(one, FORM)
    assert (found.score, found.reason) == (None, why)
    for key in SAID:
        assert item(found, key).verdict is Verdict.NOT_JUDGED
        assert item(found, key).deductions == ()


def test_without_the_callers_leg_the_operators_words_are_judged_and_the_rest_is_not() -> None:
    found = inspect(talk(caller=None), FORM)
    assert item(found, "greeting").verdict is Verdict.KEPT
    for key in ("read_back", "silence", "interruption", "overlap", "talk_share"):
        assert (item(found, key).verdict, item(found, key).reason) == (
            Verdict.NOT_JUDGED,
            Reason.LEG_MISSING,
        )


def test_a_phrase_missing_where_nothing_was_heard_surely_is_not_judged() -> None:
    lines = [*GOOD_OPERATOR[:2], (35.0, "好的 会 转给 城管 部门 处理 就 这样 吧")]
    sure = talk(operator=lines)
    assert sure.operator is not None
    assert item(inspect(sure, FORM), "closing").verdict is Verdict.LOST
    unsure = talk(operator=lines, conf=0.59)
    one = FORM.model_copy(update={"least": FORM.least.model_copy(update={"confidence": 0.5})})
    found = item(inspect(unsure, one), "closing")
    assert (found.verdict, found.reason) == (Verdict.NOT_JUDGED, Reason.UNSURE)


def test_who_was_hung_up_on_could_not_say_goodbye() -> None:
    lines = [*GOOD_OPERATOR[:2], (35.0, "好的 会 转给 城管 部门 处理 就 这样 吧")]
    found = item(inspect(talk(operator=lines, hung_up_by=Side.CALLER), FORM), "closing")
    assert (found.verdict, found.reason) == (Verdict.NOT_ASKED, Reason.CALLER_HUNG_UP)


def test_an_emergency_lets_off_what_would_cost_time() -> None:
    lines = [GOOD_OPERATOR[0], (20.0, "马上为您转接 请不要挂机")]
    found = inspect(talk(operator=lines), FORM)
    assert {item(found, key).reason for key in ("read_back", "closing")} == {Reason.LET_OFF}


def test_holds_and_ringing_are_judged_by_what_the_exchange_told() -> None:
    held = talk(holds=(Span(start=50.0, end=115.0),), ended=130.0, rang=22.0)
    found = inspect(held, FORM)
    assert item(found, "hold").reason is Reason.HELD_LONG
    assert item(found, "answer").deductions[0].facts == {"found": 22.0, "limit": 15.0}
    unknown = inspect(talk(holds=None, rang=None), FORM)
    assert {item(unknown, key).verdict for key in ("hold", "answer")} == {Verdict.NOT_JUDGED}


def test_breaking_in_counts_from_the_first_that_is_not_allowed() -> None:
    caller = [
        (float(10 * n), "我 们 小区 的 路灯 坏 了 已经 有 好几 天 了 没人 管") for n in range(4)
    ]
    lines = [(10.0 * n + 2, "您 先 听 我 说 一下") for n in range(4)]
    found = item(inspect(talk(operator=lines, caller=caller), FORM), "interruption")
    assert [one.moment.start for one in found.deductions] == [22.0, 32.0]
    assert [one.facts["found"] for one in found.deductions] == [3, 4]


LINES = st.lists(
    st.tuples(
        st.integers(0, 400).map(lambda tenth: tenth / 10),
        st.sampled_from(
            [
                "您好 请讲",
                "工号 一零八六",
                "我 没 办法",
                "你 听不懂 吗",
                "好的 我们 会 转给 城管 部门",
                "嗯",
                "[unk] [unk]",
                "OK",
            ]
        ),
    ),
    max_size=8,
)


@given(LINES, LINES, st.sampled_from([0.3, 0.59, 0.7, 0.99]), st.booleans())
def test_any_call_has_a_score_within_bounds_or_none_and_always_the_same(
    ours: list[Line],
    theirs: list[Line],
    conf: float,
    told: bool,  # noqa: FBT001
) -> None:
    one = talk(operator=sorted(ours), caller=sorted(theirs), conf=conf, told=told, ended=50.0)
    found = inspect(one, FORM)
    assert found == inspect(one, FORM)
    assert found.score is None or 0 <= found.score <= 100
    assert (found.score is None) == (found.reason is not None)
    assert [one.key for one in found.items] == [one.key for one in FORM.items]
    for it in found.items:
        assert (it.verdict is Verdict.LOST) == bool(it.deductions)
        assert 0 <= it.lost <= it.weight
        assert all(lost.moment.end >= lost.moment.start >= 0 for lost in it.deductions)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("name: default/1", "name: default", "name:"),
        ("  - key: badge", "  - key: greeting", "greeting stands twice"),
        ("    fastest: 340", "    fastest: fast", "fastest"),
        ("check: pace", "check: speed", "items.8"),
        ("    words: [工号]", "    words: []", "words"),
        ("    words: [工号]", "    words: ['工 号']", "words"),
        ("low: 70", "low: 70\nhigh: 90", "high"),
        ("    points: 5\n    most: 5\n", "    points: 5\n    most: 2\n", "5 points and 2 at most"),
        ("low: 70", "low: [", "not valid YAML"),
    ],
)
def test_a_wrong_form_is_refused_in_one_sentence_that_names_the_place(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "inspection.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFault, match=r"inspection\.yaml: ") as told:
        load_form(tmp_path, REPOSITORY / "deploy")
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_a_citys_own_form_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    assert load_form(tmp_path, REPOSITORY / "deploy").name == "default/1"
    text = SHIPPED.read_text(encoding="utf-8").replace("default/1", "mianyang/7")
    (tmp_path / "inspection.yaml").write_text(text, encoding="utf-8")
    own = load_form(tmp_path, REPOSITORY / "deploy")
    assert own.name == "mianyang/7"
    assert own.fingerprint() != FORM.fingerprint()
