"""What must not be in a text that is published, and by which article one is kept back; pure.

Sources: 政府信息公开条例 14 (state secrets, what law forbids), 15 (commercial secrets, privacy), 16
(internal affairs, what belongs to a case's handling); 个人信息保护法 25 (no publication without
separate consent). The scan only finds what has a pattern: that is why a second person reads, too.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from routing.protected import traces


class Withheld(StrEnum):
    """Why a reply is kept back."""

    ARTICLE_14 = "article_14"
    """State secrets, or another law forbids it."""
    ARTICLE_15 = "article_15"
    """Commercial secrets or somebody's privacy."""
    ARTICLE_16 = "article_16"
    """Internal affairs, or papers of the handling itself."""
    OTHER_LAW = "other_law"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Something personal in a text; `start` and `end` count characters."""

    sort: str
    start: int
    end: int


_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任"
    "沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔"
    "向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕"
    "单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧阳上官诸葛司马"
)
_PATTERNS: dict[str, re.Pattern[str]] = {
    "digits": re.compile(r"(?<![\d.])\d(?:[ -]?\d){6,}(?![\d.])"),
    "title": re.compile(
        f"[{_SURNAMES}][\u4e00-\u9fff×某*]{{0,2}}(?:先生|女士|小姐|同志|师傅|大爷|大妈|阿姨|老师|老人)"
    ),
    "labelled_name": re.compile(
        f"(?:联系人|来电人|诉求人|市民|业主|户主|当事人|举报人|投诉人|姓名|经办人|[叫名为])"
        f"[：: ]?[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}"
        "(?![\u4e00-\u9fff]*(?:局|委|办|中心|公司|街道|社区))"
    ),
    "door": re.compile(
        r"(?<![〕\]第\d一二三四五六七八九十])[\d一二三四五六七八九十]+ *"
        "(?:栋|幢|号楼|单元|室|门牌|号(?![线楼文令召]))"
    ),
    "plate": re.compile(
        "[川渝京津沪粤冀豫鲁陕甘云贵湘鄂赣闽浙皖苏晋辽吉黑蒙藏青宁新桂琼][A-Za-z][·.\\- ]?"
        "[A-Za-z0-9]{4,6}[A-Za-z0-9挂学警港澳]"
    ),
    "social": re.compile(r"(?:微信|QQ|qq|抖音)(?:号)?[：: ]?[A-Za-z0-9_-]{5,}"),
}


def leaks(text: str, *, known: Iterable[str] = (), allowed: Iterable[str] = ()) -> tuple[Leak, ...]:
    """Everything personal that is found; `known` are the caller's own name and number.

    `allowed` are numbers that the city publishes itself, such as a unit's telephone.
    """
    public = {_digits(number) for number in allowed if number}

    def all_of() -> Iterator[Leak]:
        for it in traces(text):
            if _digits(it.words) not in public or not _digits(it.words):
                yield Leak(sort=it.trace, start=it.start, end=it.end)
        for sort, pattern in _PATTERNS.items():
            for found in pattern.finditer(text):
                if not (sort == "digits" and _digits(found[0]) in public):
                    yield Leak(sort=sort, start=found.start(), end=found.end())
        for word in known:
            for found in re.finditer(re.escape(word), text) if len(word) > 1 else ():
                yield Leak(sort="known", start=found.start(), end=found.end())

    return tuple(sorted(all_of(), key=lambda leak: (leak.start, leak.end, leak.sort)))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


_ARTICLES = (
    (Withheld.ARTICLE_14, re.compile("第?(?:十四|14)条|国家秘密|涉密")),
    (Withheld.ARTICLE_15, re.compile("第?(?:十五|15)条|商业秘密|隐私|个人信息")),
    (Withheld.ARTICLE_16, re.compile("第?(?:十六|16)条|内部事务|过程性")),
)


def article_of(reason: str | None) -> Withheld:
    """The article that a unit's own words name; another law where they name none of these."""
    for article, pattern in _ARTICLES:
        if pattern.search(reason or ""):
            return article
    return Withheld.OTHER_LAW
