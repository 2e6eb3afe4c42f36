"""The indicators of calls: who reached a person, how fast, and what callers said afterwards; pure.

GB/T 33358-2016 as reported (CCTV, 2016-12-23): a phone is answered within 15 s, the connect rate
over any continuous 24 h is at least 95 %. The four formulas of a service level and which of them is
the strictest: domain facts 3.4.
"""

from metrics.collect import PROMISE
from metrics.indicators.definitions import (
    Better,
    Fact,
    Indicator,
    Measure,
    Source,
    Window,
    Words,
)

STANDARD = Words(
    zh="GB/T 33358-2016《政府热线服务规范》（据2016-12-23央视报道）",
    en="GB/T 33358-2016 on government hotlines, as reported by CCTV on 2016-12-23",
)
CUSTOM = Words(zh="行业惯例，本系统定义", en="Custom of the trade, our definition")
OUR_OWN = Words(zh="本系统定义", en="Our definition")


def _fact(key: str, zh: str, en: str, source: Source = Source.CALLS) -> Fact:
    return Fact(key=key, source=source, words=Words(zh=zh, en=en))


MISSING = _fact(
    "missing",
    "编号缺失的来电（编号连续，缺号按未接通计）",
    "numbers that are gone: they have no gaps, so each counts as a call nobody answered",
    Source.NUMBERS,
)
UNSTORED = _fact(
    "unstored",
    "交换机有记录而系统未入库的来电（按未接通计）",
    "calls that the exchange's own files tell of and that are not stored: counted as not answered",
    Source.NUMBERS,
)
ASKED = _fact("asked", "请求人工的来电", "calls that asked for a person")
ASKED_NOT_SHORT = _fact(
    "asked_not_short",
    "请求人工的来电（不含短时放弃）",
    "calls that asked for a person, less the short abandons",
)
ASKED_DUE = _fact(
    "asked_due",
    "请求人工且应答时限已到的来电",
    "calls that asked for a person and whose time to an answer is over, or that were answered",
)
ANSWERED = _fact("answered", "人工接通的来电", "calls that a person answered")
IN_TIME = _fact(
    "answered_in_time",
    "时限内（默认15秒）人工接通的来电",
    "calls answered within the line's target, 15 s unless configured otherwise",
)
SHORT = _fact("abandoned_short", "短时放弃（默认不足5秒）", "short abandons, below 5 s by default")
LONG = _fact("abandoned_long", "排队中放弃", "callers who hung up later than that")
LATE_LONG = _fact(
    "abandoned_late", "超过时限后放弃", "callers who hung up after the target had passed"
)
WAITING = _fact("waiting", "仍在等待", "callers still waiting")
WAITING_EARLY = _fact("waiting_early", "仍在时限内等待", "callers still waiting within the target")
BEFORE_QUEUE = _fact(
    "left_before_queue", "提示音期间挂机", "calls that ended during the notice", Source.CALLS
)
BLOCKED = _fact("blocked", "被限制的来电", "calls of numbers that are kept out")
WAIT = _fact("wait_seconds", "接通来电的等待秒数合计", "seconds that answered calls had waited")
TALK = _fact("talk_seconds", "通话秒数合计", "seconds of talk")
TALKED = _fact("talked", "已结束的通话", "talks that ended")
REGISTERED = _fact(
    "registered", "有处理结果记录的接通来电", "answered calls with a recorded disposition"
)
NOBODYS = (MISSING, UNSTORED)
REPEATED = _fact(
    "repeated",
    "与既有事项关联的重复来电",
    "calls linked to a matter that was told before",
    Source.REPEATS,
)
SAID_YES = _fact("survey_satisfied", "按键评价：满意", "said: satisfied", Source.SURVEYS)
SAID_BASICALLY = _fact(
    "survey_basically", "按键评价：基本满意", "said: basically satisfied", Source.SURVEYS
)
SAID_NO = _fact("survey_dissatisfied", "按键评价：不满意", "said: not satisfied", Source.SURVEYS)
SAID_NOTHING = _fact(
    "survey_silent",
    "未评价（不计为满意）",
    "did not say: never taken for satisfied",
    Source.SURVEYS,
)

CALL_INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        key="connect",
        name=Words(zh="呼叫接通率", en="Connect rate"),
        formula=Words(
            zh="人工接通 ÷ 请求人工（含缺号与未入库来电）；任意连续24小时滑动计算",
            en="answered by a person ÷ asked for a person, over a sliding 24 hours",
        ),
        numerator=(ANSWERED,),
        denominator=(ASKED, *NOBODYS),
        excluded=(WAITING, BEFORE_QUEUE, BLOCKED),
        beside=(SHORT, LONG),
        window=Window.DAY,
        promise=PROMISE,
        basis=STANDARD,
        ours=False,
    ),
    Indicator(
        key="connect_without_short",
        name=Words(zh="呼叫接通率（不含短时放弃）", en="Connect rate without short abandons"),
        formula=Words(
            zh="人工接通 ÷（请求人工 − 短时放弃）",
            en="answered by a person ÷ (asked for a person − short abandons)",
        ),
        numerator=(ANSWERED,),
        denominator=(ASKED_NOT_SHORT, *NOBODYS),
        excluded=(SHORT, WAITING, BEFORE_QUEUE, BLOCKED),
        window=Window.DAY,
        basis=CUSTOM,
    ),
    Indicator(
        key="answered_in_time",
        name=Words(zh="15秒接通率", en="Answered within 15 s"),
        formula=Words(
            zh="自进入排队起15秒内人工接通 ÷ 请求人工",
            en="answered within the target, from the entry into the queue ÷ asked for a person",
        ),
        numerator=(IN_TIME,),
        denominator=(ASKED_DUE, *NOBODYS),
        excluded=(WAITING_EARLY, BEFORE_QUEUE, BLOCKED),
        window=Window.DAY,
        promise=PROMISE,
        basis=STANDARD,
        ours=False,
    ),
    Indicator(
        key="abandonment",
        name=Words(zh="放弃率", en="Abandonment"),
        formula=Words(
            zh="接通前挂机（短时与其他分列；缺号计入）÷ 请求人工",
            en="hung up before an answer (and missing numbers) ÷ asked for a person",
        ),
        numerator=(SHORT, LONG, *NOBODYS),
        denominator=(ASKED, *NOBODYS),
        excluded=(WAITING, BEFORE_QUEUE, BLOCKED),
        beside=(SHORT, LONG),
        window=Window.DAY,
        better=Better.LOW,
        basis=CUSTOM,
    ),
    Indicator(
        key="speed_of_answer",
        name=Words(zh="平均应答时长", en="Average speed of answer"),
        formula=Words(
            zh="接通来电的等待秒数 ÷ 接通来电", en="seconds answered calls waited ÷ answered calls"
        ),
        numerator=(WAIT,),
        denominator=(ANSWERED,),
        window=Window.DAY,
        measure=Measure.SECONDS,
        better=Better.LOW,
        basis=CUSTOM,
    ),
    Indicator(
        key="service_level",
        name=Words(zh="服务水平（口径③）", en="Service level, formula 3"),
        formula=Words(
            zh="时限内接通 ÷（接通 + 放弃）；四种口径中最严，放弃不能抬高",
            en="answered in time ÷ (answered + abandoned): the strictest of four formulas",
        ),
        numerator=(IN_TIME,),
        denominator=(ANSWERED, SHORT, LONG, *NOBODYS),
        excluded=(WAITING, BEFORE_QUEUE, BLOCKED),
        window=Window.DAY,
        basis=CUSTOM,
    ),
    Indicator(
        key="service_level_4",
        name=Words(zh="服务水平（口径④）", en="Service level, formula 4"),
        formula=Words(
            zh="时限内接通 ÷（接通 + 超过时限后放弃）",
            en="answered in time ÷ (answered + abandoned after the target)",
        ),
        numerator=(IN_TIME,),
        denominator=(ANSWERED, LATE_LONG, *NOBODYS),
        excluded=(WAITING, BEFORE_QUEUE, BLOCKED),
        window=Window.DAY,
        basis=CUSTOM,
    ),
    Indicator(
        key="talk_time",
        name=Words(zh="平均通话时长", en="Average talk time"),
        formula=Words(zh="通话秒数 ÷ 已结束通话", en="seconds of talk ÷ talks that ended"),
        numerator=(TALK,),
        denominator=(TALKED,),
        window=Window.DAY,
        measure=Measure.SECONDS,
        better=Better.LOW,
        basis=OUR_OWN,
    ),
    Indicator(
        key="registered",
        name=Words(zh="登记率", en="Registration"),
        formula=Words(
            zh="有处理结果记录的接通来电 ÷ 接通来电（缺号计入分母）",
            en="answered calls with a recorded disposition ÷ answered calls (and missing numbers)",
        ),
        numerator=(REGISTERED,),
        denominator=(ANSWERED, *NOBODYS),
        window=Window.MONTH,
        basis=OUR_OWN,
    ),
    Indicator(
        key="repeated_calls",
        name=Words(zh="重复来电率", en="Repeated calls"),
        formula=Words(
            zh="与既有事项关联的来电 ÷ 请求人工", en="calls linked to a known matter ÷ calls"
        ),
        numerator=(REPEATED,),
        denominator=(ASKED,),
        window=Window.MONTH,
        better=Better.LOW,
        basis=OUR_OWN,
    ),
    Indicator(
        key="satisfied_with_call",
        name=Words(zh="通话满意率", en="Satisfied with the talk"),
        formula=Words(
            zh="（满意 + 基本满意）÷ 有效评价；未评价不计，单列",
            en="(satisfied + basically) ÷ valid answers; silence is left out and shown",
        ),
        numerator=(SAID_YES, SAID_BASICALLY),
        denominator=(SAID_YES, SAID_BASICALLY, SAID_NO),
        excluded=(SAID_NOTHING,),
        window=Window.MONTH,
        basis=OUR_OWN,
    ),
)
