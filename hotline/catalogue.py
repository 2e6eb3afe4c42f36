"""What people read, in Chinese and in English, by key: `messages/zh.yaml`, `messages/en.yaml`.

Both files have the same keys with the same placeholders (a test holds them to it).
"""

from functools import cache
from importlib import resources
from typing import Literal

import yaml

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@cache
def messages(language: Language) -> dict[str, str]:
    """All messages of one language by key."""
    text = (resources.files("hotline") / "messages" / f"{language}.yaml").read_text("utf-8")
    found = yaml.safe_load(text)
    return {str(key): str(value) for key, value in found.items()}


def say(key: str, language: Language = "zh", **facts: object) -> str:
    """The message in one language with its facts filled in; an unknown key is a mistake of ours."""
    return messages(language)[key].format(**facts)


def say_both(key: str, **facts: object) -> str:
    """Chinese first, English beside it."""
    return f"{say(key, 'zh', **facts)}  {say(key, 'en', **facts)}"
