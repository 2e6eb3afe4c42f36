"""The indicators of cases, of the knowledge base and of the duty desk; pure.

No source that was read gives one binding set (domain facts 1.2), so most of these are ours; what
other cities publish under the same name is told where it is known.
"""

from metrics.collect import PROMISE
from metrics.indicators.calls import OUR_OWN
from metrics.indicators.definitions import (
    Better,
    Fact,
    Indicator,
    Measure,
    Source,
    Window,
    Words,
)


def _fact(source: Source, key: str, zh: str, en: str) -> Fact:
    return Fact(key=key, source=source, words=Words(zh=zh, en=en))


_H, _A, _D, _E = Source.HANDLING, Source.ACCEPTED, Source.DISPATCHED, Source.ENDED
DUE = _fact(_H, "due", "已到期的受理事项", "accepted items whose due time has come")
HANDLED = _fact(
    _H, "handled", "已办理（直接答复、告知去向或单位已答复）", "items that stand answered"
)
ON_TIME = _fact(_H, "on_time", "到期时已答复", "items that stood answered when they fell due")
OVERDUE = _fact(_H, "overdue", "到期未答复", "items open past their due time")
WITHDRAWN_DUE = _fact(
    _H, "withdrawn_due", "受理后撤回（留在分母，不计入分子）", "withdrawn: in the denominator alone"
)
EXTENDED_DUE = _fact(_H, "extended_due", "经批准延期", "items whose limit was extended")
EARLY_ON_TIME = _fact(
    _H, "on_time_unextended", "未延期而按时答复", "answered in time without an extension"
)
UNDATED = _fact(
    _H,
    "undated",
    "无法计算时限（缺政策或日历）",
    "items without a due time: a policy or year is missing",
)
ACCEPTED = _fact(_A, "accepted", "受理事项", "accepted items")
DIRECT = _fact(_A, "direct", "首次通话直接办结", "closed at the first contact, without dispatch")
NEVER_CONFIRMED = _fact(_A, "drafts", "未确认的草稿", "drafts nobody confirmed")
SENT = _fact(_D, "dispatched", "派发事项", "items sent to a unit")
SIGNED_LATE = _fact(_D, "signed_late", "未及时签收", "not signed in time")
SIGNED = _fact(_D, "signed_in_time", "及时签收", "signed within the limit, or still within it")
SENT_ENDED = _fact(_D, "dispatched_ended", "已办结", "of these, ended")
CONTACTED = _fact(_D, "contacted", "派发后24小时内联系诉求人", "caller contacted within 24 h")
RIGHT = _fact(_D, "right_first", "一次派准", "sent once and never returned or sent elsewhere")
RETURNED = _fact(_D, "return_asked", "申请退单", "returns asked for")
RETURN_REFUSED = _fact(_D, "return_refused", "退单被驳回", "returns refused")
EXTENDED = _fact(_D, "extended", "延期", "extended")
LATE = _fact(_D, "late", "超期", "not answered when they fell due")
URGED = _fact(_D, "urged", "催办", "urged")
SUPERVISED = _fact(_D, "supervised", "督办", "under supervision")
ENDED = _fact(_E, "handled_ended", "单位办结事项", "items that ended with a unit's answer")
WITHDRAWN = _fact(_E, "withdrawn", "撤回", "withdrawn")
TERMINATED = _fact(_E, "terminated", "终结", "ended unsolved, with the reason told")
CALLED_BACK = _fact(_E, "called_back", "已回访", "called back")
REACHED = _fact(_E, "reached", "回访接通", "reached")
NOT_REACHED = _fact(_E, "not_reached", "回访未接通或拒访", "not reached, or refused")
REDONE = _fact(_E, "redone", "审核或回访后重办", "sent back after audit or call-back")
SOLVED = _fact(_E, "solved", "回访：已解决", "said: solved")
UNSOLVED = _fact(_E, "unsolved", "回访：未解决", "said: not solved")
SOLVED_SILENT = _fact(_E, "solved_silent", "回访：未作答", "did not say whether it is solved")
SATISFIED = _fact(_E, "satisfied", "回访：满意", "said: satisfied")
BASICALLY = _fact(_E, "basically", "回访：基本满意", "said: basically satisfied")
DISSATISFIED = _fact(_E, "dissatisfied", "回访：不满意", "said: not satisfied")
SATISFIED_SILENT = _fact(
    _E, "satisfied_silent", "回访：未作答（不计为满意）", "did not say: never taken for satisfied"
)
HELD = _fact(
    _E, "handling_seconds", "自受理至最后答复的时间", "time from acceptance to the last answer"
)
MEDIAN = _fact(_E, "handling_seconds_median", "其中位数", "its median")
P90 = _fact(_E, "handling_seconds_p90", "其第90百分位", "its 90th percentile")
CARDS = _fact(Source.CARDS, "cards", "在用知识条目", "published cards")
CARDS_FRESH = _fact(Source.CARDS, "cards_fresh", "未过复核日期", "cards not past their review date")
HANDOVERS = _fact(Source.DUTY, "shift_changes", "班次交接", "changes of shift")
HANDED_OVER = _fact(
    Source.DUTY, "handed_over", "按时双方签字交接", "handed over in time, both signed"
)
FIRST_DUE = _fact(Source.DUTY, "first_reports_due", "应报初报的事件", "incidents to be reported")
FIRST_ON_TIME = _fact(Source.DUTY, "first_reports_on_time", "初报及时", "first reported in time")


def _of_dispatched(key: str, zh: str, en: str, top: Fact, formula: tuple[str, str]) -> Indicator:
    """A share of what was dispatched that is better low."""
    return Indicator(
        key=key,
        name=Words(zh=zh, en=en),
        formula=Words(zh=formula[0], en=formula[1]),
        numerator=(top,),
        denominator=(SENT,),
        window=Window.MONTH,
        better=Better.LOW,
        by_unit=True,
        basis=OUR_OWN,
    )


ORDER = Words(
    zh="办理率95%–100%为本市承诺；无来源给出公式，公式为本系统定义",
    en="The founding order promises 95-100 %; no source gives a formula, so it is ours",
)
CASE_INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        key="handling",
        name=Words(zh="办理率", en="Handling ratio"),
        formula=Words(
            zh="直接答复、告知去向，或已派发、签收且无超期未答复 ÷ 期内到期的全部受理事项",
            en="items answered directly or told where to go, or dispatched, signed and not"
            " open past their due time ÷ all accepted items that fell due",
        ),
        numerator=(HANDLED,),
        denominator=(DUE,),
        excluded=(UNDATED,),
        beside=(OVERDUE, WITHDRAWN_DUE, EXTENDED_DUE),
        window=Window.MONTH,
        promise=PROMISE,
        by_unit=True,
        basis=ORDER,
    ),
    Indicator(
        key="on_time",
        name=Words(zh="按时办结率", en="Answered on time"),
        formula=Words(
            zh="到期时已答复 ÷ 期内到期的受理事项；批准的延期为新时限并单列",
            en="stood answered when due ÷ fell due; a granted extension is the new limit",
        ),
        numerator=(ON_TIME,),
        denominator=(DUE,),
        excluded=(UNDATED,),
        beside=(EXTENDED_DUE, EARLY_ON_TIME, WITHDRAWN_DUE),
        window=Window.MONTH,
        by_unit=True,
        basis=OUR_OWN,
    ),
    Indicator(
        key="direct",
        name=Words(zh="直办率", en="Answered at once"),
        formula=Words(
            zh="首次通话直接办结 ÷ 受理事项", en="closed at the first contact ÷ accepted"
        ),
        numerator=(DIRECT,),
        denominator=(ACCEPTED,),
        excluded=(NEVER_CONFIRMED,),
        window=Window.MONTH,
        basis=OUR_OWN,
    ),
    Indicator(
        key="ended",
        name=Words(zh="办结率", en="Ended"),
        formula=Words(
            zh="期内派发事项中已办结 ÷ 期内派发事项", en="ended ÷ dispatched in the period"
        ),
        numerator=(SENT_ENDED,),
        denominator=(SENT,),
        window=Window.MONTH,
        by_unit=True,
        basis=OUR_OWN,
    ),
    Indicator(
        key="signed_in_time",
        name=Words(zh="及时签收率", en="Signed in time"),
        formula=Words(
            zh="未超签收时限 ÷ 派发事项", en="not past the limit of signing ÷ dispatched"
        ),
        numerator=(SIGNED,),
        denominator=(SENT,),
        beside=(SIGNED_LATE,),
        window=Window.MONTH,
        by_unit=True,
        basis=OUR_OWN,
    ),
    Indicator(
        key="contacted",
        name=Words(zh="先行联系率（响应率）", en="Caller contacted"),
        formula=Words(
            zh="派发后24小时内联系诉求人 ÷ 派发事项", en="contacted within 24 h ÷ dispatched"
        ),
        numerator=(CONTACTED,),
        denominator=(SENT,),
        window=Window.MONTH,
        by_unit=True,
        basis=OUR_OWN,
    ),
    Indicator(
        key="right_first",
        name=Words(zh="一次派准率", en="Right first time"),
        formula=Words(
            zh="一次派发、从未退回或改派 ÷ 派发事项", en="sent once, never returned ÷ dispatched"
        ),
        numerator=(RIGHT,),
        denominator=(SENT,),
        window=Window.MONTH,
        basis=OUR_OWN,
    ),
    Indicator(
        key="solved",
        name=Words(zh="解决率", en="Solved"),
        formula=Words(
            zh="回访答“已解决” ÷ 有效回访（未作答、未接通、拒访不计，单列）",
            en="said solved ÷ valid call-backs; who did not say is left out and shown",
        ),
        numerator=(SOLVED,),
        denominator=(SOLVED, UNSOLVED),
        excluded=(SOLVED_SILENT, NOT_REACHED),
        window=Window.MONTH,
        by_unit=True,
        basis=Words(
            zh="《北京市接诉即办工作条例》第三十二条以解决率为核心；公式为本系统定义",
            en="Core of the Beijing statute, Art 32; the formula is ours",
        ),
    ),
    Indicator(
        key="satisfied",
        name=Words(zh="满意率", en="Satisfied"),
        formula=Words(
            zh="（满意 + 基本满意）÷ 有效回访；未作答绝不默认为满意",
            en="(satisfied + basically) ÷ valid answers; silence is never taken for satisfied",
        ),
        numerator=(SATISFIED, BASICALLY),
        denominator=(SATISFIED, BASICALLY, DISSATISFIED),
        excluded=(SATISFIED_SILENT, NOT_REACHED),
        window=Window.MONTH,
        by_unit=True,
        basis=Words(
            zh="《北京市接诉即办工作条例》第三十二条；公式为本系统定义",
            en="Beijing statute, Art 32; the formula is ours",
        ),
    ),
    Indicator(
        key="called_back",
        name=Words(zh="回访率", en="Called back"),
        formula=Words(zh="已回访 ÷ 单位办结事项", en="called back ÷ ended with a unit's answer"),
        numerator=(CALLED_BACK,),
        denominator=(ENDED,),
        excluded=(WITHDRAWN, TERMINATED),
        window=Window.MONTH,
        by_unit=True,
        basis=Words(
            zh="《济南市12345市民服务热线条例》：逐件审核回访；公式为本系统定义",
            en="Jinan's statute: every reply is audited and called back; the formula is ours",
        ),
    ),
    Indicator(
        key="reached",
        name=Words(zh="回访成功率", en="Reached when called back"),
        formula=Words(zh="回访接通 ÷ 已回访", en="reached ÷ called back"),
        numerator=(REACHED,),
        denominator=(CALLED_BACK,),
        window=Window.MONTH,
        by_unit=True,
        basis=OUR_OWN,
    ),
    Indicator(
        key="redone",
        name=Words(zh="重办率", en="Done again"),
        formula=Words(zh="重办 ÷ 单位办结事项", en="sent back ÷ ended with a unit's answer"),
        numerator=(REDONE,),
        denominator=(ENDED,),
        window=Window.MONTH,
        better=Better.LOW,
        by_unit=True,
        basis=OUR_OWN,
    ),
    Indicator(
        key="handling_time",
        name=Words(zh="平均办理时长", en="Handling time"),
        formula=Words(
            zh="自受理至最后答复的时间 ÷ 单位办结事项；另示中位数与第90百分位",
            en="time from acceptance to the last answer ÷ items; with median and 90th percentile",
        ),
        numerator=(HELD,),
        denominator=(ENDED,),
        beside=(MEDIAN, P90),
        window=Window.MONTH,
        measure=Measure.HOURS,
        better=Better.LOW,
        by_unit=True,
        basis=OUR_OWN,
    ),
    _of_dispatched(
        *("returned", "退单率", "Returns asked", RETURNED),
        ("申请退单 ÷ 派发事项", "returns asked for ÷ dispatched"),
    ),
    Indicator(
        key="return_disputes",
        name=Words(zh="退单争议率", en="Returns refused"),
        formula=Words(zh="退单被驳回 ÷ 申请退单", en="returns refused ÷ returns asked for"),
        numerator=(RETURN_REFUSED,),
        denominator=(RETURNED,),
        window=Window.MONTH,
        better=Better.LOW,
        by_unit=True,
        basis=OUR_OWN,
    ),
    _of_dispatched(
        *("extended", "延期率", "Extended", EXTENDED), ("延期 ÷ 派发事项", "extended ÷ dispatched")
    ),
    _of_dispatched(
        *("late", "超期率", "Late", LATE),
        ("到期未答复 ÷ 派发事项", "not answered when due ÷ dispatched"),
    ),
    _of_dispatched(*("urged", "催办率", "Urged", URGED), ("催办 ÷ 派发事项", "urged ÷ dispatched")),
    _of_dispatched(
        *("supervised", "督办率", "Supervised", SUPERVISED),
        ("督办 ÷ 派发事项", "under supervision ÷ dispatched"),
    ),
    Indicator(
        key="cards_fresh",
        name=Words(zh="知识库时效率", en="Fresh knowledge"),
        formula=Words(
            zh="未过复核日期的在用条目 ÷ 在用条目", en="published cards not past review ÷ published"
        ),
        numerator=(CARDS_FRESH,),
        denominator=(CARDS,),
        window=Window.DAY,
        basis=OUR_OWN,
    ),
    Indicator(
        key="handed_over",
        name=Words(zh="交接完整率", en="Shifts handed over"),
        formula=Words(
            zh="按时双方签字交接 ÷ 班次交接", en="handed over in time, both signed ÷ shift changes"
        ),
        numerator=(HANDED_OVER,),
        denominator=(HANDOVERS,),
        window=Window.MONTH,
        basis=OUR_OWN,
    ),
    Indicator(
        key="first_reports",
        name=Words(zh="初报及时率", en="First reports in time"),
        formula=Words(zh="初报及时 ÷ 应报事件", en="first reported in time ÷ incidents to report"),
        numerator=(FIRST_ON_TIME,),
        denominator=(FIRST_DUE,),
        window=Window.MONTH,
        basis=OUR_OWN,
    ),
)
