import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline import logs
from hotline.masking import mask_name, mask_number, mask_text


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13812345678", "138****5678"),
        ("+8613812345678", "+86****5678"),
        ("08162345678", "081****5678"),
        ("2345678", "23****78"),
        ("12345", "12345"),
        ("1001", "1001"),
        ("", ""),
        (None, ""),
        ("anonymous", "****"),
        ("138-1234-5678", "138****5678"),
        ("<script>1</script>", "****"),
    ],
)
def test_a_number_shows_its_ends_only(number: str | None, shown: str) -> None:
    assert mask_number(number) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张**"),
        ("张小三丰", "张**"),
        ("欧阳修", "欧阳**"),
        ("Ivan\u2028CallerIDNum: 01", "I**"),
        ("  ", ""),
        (None, ""),
    ],
)
def test_a_name_shows_its_surname_only(name: str | None, shown: str) -> None:
    assert mask_name(name) == shown


@given(st.from_regex(r"\+?[0-9]{6,18}", fullmatch=True))
def test_a_masked_number_never_shows_more_than_seven_digits(number: str) -> None:
    shown = mask_number(number)
    assert shown != number
    assert sum(c.isdigit() for c in shown) <= 7


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("回电13812345678谢谢", "回电138****5678谢谢"),
        ("电话是幺三八一二三四，五六七八", "电话是138****5678"),
        ("卡号6222020000000000008。", "卡号622****0008。"),
        ("车牌川B12345", "车牌川B****"),
        ("20261123-000042-7", "20261123-000042-7"),
        ("call +86 138 1234 5678 now", "call +86****5678 now"),
        ("身份证510703199001011234。", "身份证510****1234。"),
        ("tel 0816-2345678", "tel 081****5678"),
        ("mianyang-1-1763870000.12 stays", "mianyang-1-1763870000.12 stays"),
        ("at 1763870000.123456 stays", "at 1763870000.123456 stays"),
    ],
)
def test_numbers_in_text_are_masked_and_call_ids_stay(text: str, shown: str) -> None:
    assert mask_text(text) == shown


def test_the_log_masks_messages_arguments_and_tracebacks() -> None:
    stream = io.StringIO()
    before = logging.getLogger().handlers[:], logging.getLogger().level
    logs.set_up("info", stream)
    try:
        logging.getLogger("x").warning("from %s", "13812345678")
        try:
            int("bad 13912345678")
        except ValueError:
            logging.getLogger("x").exception("went wrong")
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
    said = stream.getvalue()
    assert "138****5678" in said
    assert "139****5678" in said
    assert "12345678" not in said
