"""What must not be published is found; what the city publishes itself is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.disclosing import Withheld, article_of, leaks

HARMLESS = (
    "您好，您反映的临园路路灯不亮问题，市城管执法局已于10月12日更换灯具12盏，现已恢复照明。感谢您的监督。",
    "经核实，该路段夜间施工已取得许可，施工时间为每日6时至22时，如有疑问请拨打12345。",
    "依据《四川省物业管理条例》第五十二条，已责令该公司于2026年11月1日前整改，罚款3000元。",
    "涪城区有关部门已受理，预计15个工作日内答复，文号绵府发〔2026〕12号。",
)
PLANTED = {
    "13890115678": "digits",
    "138 9011 5678": "digits",
    "0816-2345678": "digits",
    "2345678": "digits",
    "510702199001011234": "digits",
    "51070219900101123X": "number",
    "6222021234567890123": "digits",
    "王先生": "title",
    "张某某女士": "title",
    "欧阳建国同志": "title",
    "联系人：李建国": "labelled_name",
    "业主赵敏": "labelled_name",
    "3栋2单元501室": "door",
    "临园路28号": "door",
    "川B12345": "plate",
    "川BD12345": "plate",
    "微信：li_jianguo88": "social",
    "li.jianguo@example.cn": "mail",
    "我住在花园小区": "home",
}


@pytest.mark.parametrize("text", HARMLESS)
def test_an_ordinary_reply_may_be_published(text: str) -> None:
    assert leaks(text) == ()


@given(
    planted=st.sampled_from(sorted(PLANTED)),
    text=st.sampled_from(HARMLESS),
    share=st.floats(0, 1),
)
def test_planted_personal_data_is_found_wherever_it_stands(
    planted: str, text: str, share: float
) -> None:
    at = int(share * len(text))
    found = leaks(f"{text[:at]}，{planted}，{text[at:]}")
    assert PLANTED[planted] in {it.sort for it in found}


def test_the_callers_own_name_is_found_and_a_units_telephone_is_not() -> None:
    text = "已电话告知慕容晓晓，详情请致电市水务局0816-2345678。"
    found = leaks(text, known=["慕容晓晓", "13800001111"], allowed=["0816-2345678"])
    assert [(it.sort, text[it.start : it.end]) for it in found] == [("known", "慕容晓晓")]
    assert "digits" in {it.sort for it in leaks(text)}


@pytest.mark.parametrize(
    ("said", "article"),
    [
        ("政府信息公开条例第十四条", Withheld.ARTICLE_14),
        ("涉及个人隐私", Withheld.ARTICLE_15),
        ("条例16条", Withheld.ARTICLE_16),
        ("未成年人保护法", Withheld.OTHER_LAW),
        (None, Withheld.OTHER_LAW),
    ],
)
def test_a_units_reason_is_counted_under_its_article(said: str | None, article: Withheld) -> None:
    assert article_of(said) is article
