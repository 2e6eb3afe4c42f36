"""Words that make a report one against officials or this office, and words that give a caller away.

A word only suggests: a person marks a case as protected, and a person rewrites a text. Pure.
Sources: 五条规定 of the founding order (what officials must not do), domain facts 4.5 and 5 (3).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_DEEDS = re.compile(
    "贪污|受贿|行贿|索贿|贿赂|吃拿卡要|索要|回扣|红包|礼金|购物卡|公车私用|挪用|侵吞|公款|以权谋私|滥用职权|"
    "徇私|包庇|保护伞|渎职|打招呼|收(?:了)?(?:我|人家|别人)?(?:的)?(?:钱|礼)|请客送礼|大吃大喝|参与赌博|拉赞助"
)
_WHO = re.compile(
    "领导|书记|市长|县长|区长|镇长|乡长|局长|处长|科长|股长|所长|院长|校长|主任|村长|村支书|干部|公务员|"
    "民警|交警|城管|执法(?:人)?员|执法队|工作人员|办事员"
)
_OFFICE = re.compile(
    "接线员|话务员|热线(?:办|中心|的人)|市长热线|12345|值班室|你们(?:领导|主任|单位)"
)
_REPORTING = re.compile("举报|检举|控告|投诉")


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a text suggests: the words that say so, none where nothing does."""

    words: tuple[str, ...]
    against_office: bool


def advice(text: str) -> Advice:
    """Whether a text reads like a report against officials, or against this office."""
    deeds, who = _DEEDS.findall(text), _WHO.findall(text)
    office, reporting = _OFFICE.findall(text), _REPORTING.findall(text)
    named = bool(who or office)
    words = [*reporting, *deeds, *who, *office] if named and (deeds or reporting) else []
    return Advice(words=tuple(dict.fromkeys(words)), against_office=bool(words and office))


class Trace(StrEnum):
    """How a text gives the caller away."""

    NUMBER = "number"
    MAIL = "mail"
    NAME = "name"
    HOME = "home"
    WORK = "work"
    FAMILY = "family"
    PLATE = "plate"
    ONLY_ONE = "only_one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Words by which the caller can be known; `start` and `end` count characters."""

    trace: Trace
    start: int
    end: int
    words: str


_TRACES: dict[Trace, re.Pattern[str]] = {
    Trace.NUMBER: re.compile(
        r"(?<!\d)(?:1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[- ]?\d{7,8}|\d{17}[\dXx])(?!\d)"
    ),
    Trace.MAIL: re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII),
    Trace.NAME: re.compile(
        "(?:我叫|我的名字(?:是|叫)|我姓|本人(?:姓名)?(?:是|叫)?)[\u4e00-\u9fff]{1,4}"
    ),
    Trace.HOME: re.compile(
        r"(?:我(?:们)?(?:家)?(?:住|在)|家住)[\u4e00-\u9fff\d]{2,20}|\d+\s*(?:栋|幢|单元|号楼|室)(?:\d+\s*(?:单元|号|室))*"
    ),
    Trace.WORK: re.compile(
        "我(?:们)?(?:在|是)?[\u4e00-\u9fff]{0,10}(?:单位|公司|厂|店|学校|医院|班组|科室|车间)"
        "(?:上班|工作|的(?:员工|职工|会计|司机|老师))?"
    ),
    Trace.FAMILY: re.compile(
        "我(?:的)?(?:父亲|母亲|爸|妈|丈夫|老公|妻子|爱人|儿子|女儿|哥|姐|弟|妹)"
    ),
    Trace.PLATE: re.compile(
        r"[川渝京津沪粤冀豫鲁陕甘云贵湘鄂赣闽浙皖苏晋辽吉黑蒙藏青宁新桂琼][A-Z][·. ]?[A-Z0-9]{5,6}"
    ),
    Trace.ONLY_ONE: re.compile("只有我|就我一个|唯一(?:的)?(?:一个)?(?:知情|在场|目击)|当时只有"),
}


def traces(text: str) -> tuple[Found, ...]:
    """Every place of a text by which its caller can be known, in the text's order."""

    def all_of() -> Iterator[Found]:
        for trace, pattern in _TRACES.items():
            for it in pattern.finditer(text):
                yield Found(trace=trace, start=it.start(), end=it.end(), words=it[0])

    return tuple(sorted(all_of(), key=lambda found: (found.start, found.end)))
