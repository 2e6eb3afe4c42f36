import re
from string import Formatter

import pytest

from hotline.catalogue import LANGUAGES, Language, messages, say, say_both


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys_with_the_same_placeholders() -> None:
    zh, en = messages("zh"), messages("en")
    assert set(zh) == set(en)
    assert {k: _placeholders(v) for k, v in zh.items()} == {
        k: _placeholders(v) for k, v in en.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_empty_or_given_twice(language: Language) -> None:
    assert all(text.strip() for text in messages(language).values())


def test_the_chinese_is_chinese_and_the_english_is_not() -> None:
    han = re.compile("[\u4e00-\u9fff]")
    names = {"check.model.ok", "list.and", "staffing.day"}  # a name, a comma, a day: no words
    assert [k for k, v in messages("zh").items() if not han.search(v) and k not in names] == []
    assert [k for k, v in messages("en").items() if han.search(v)] == []


def test_a_message_says_its_facts_chinese_first() -> None:
    assert say("serve.ready", "en", url="http://x") == "The service runs: http://x"
    assert say_both("serve.stopped") == "已停止。  Stopped."


def test_an_unknown_key_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        say("no.such.key")
