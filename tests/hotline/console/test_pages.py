"""The page's files: whole, its words in both languages, nothing from elsewhere."""

import json
import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from aiohttp import ClientSession

from hotline.catalogue import LANGUAGES
from hotline.console.pages import page_messages
from hotline.console.problems import Fault
from hotline.journal import Event
from routing.cases import CaseState, Explanation, Kind, Move, Reached, Satisfied, Solved, Urgency
from routing.cases import Outcome as Ending
from routing.deadlines import Standing
from routing.policy import Unit
from telephony.calls import Leg, Outcome

WEB = Path(str(resources.files("hotline.console") / "web"))
SCRIPTS = sorted(WEB.glob("*.js"))
SOURCES = sorted([*WEB.glob("src/**/*.ts"), *WEB.glob("src/**/*.vue")])
SPEAKING = [*SCRIPTS, *SOURCES, WEB.parent / "pages.py"]
SAID_BY_VALUE: dict[str, Iterable[str]] = {
    "state": CaseState,
    "kind": Kind,
    "urgency": Urgency,
    "outcome": (*Outcome, *Ending),
    "side": Leg,
    "event": Event,
    "standing": Standing,
    "limit": Unit,
    "move": Move,
    "work": Move,
    "moved": Move,
    "problem": Fault,
    "explanation": Explanation,
    "solved": Solved,
    "satisfied": Satisfied,
    "result": Reached,
}


async def test_the_page_and_everything_it_names_is_served(visitor: ClientSession) -> None:
    async with visitor.get("/") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        page = await answer.text()
    for path in re.findall(r'(?:href|src)="(/[^"]+)"', page):
        async with visitor.get(path) as answer:
            assert answer.status == 200, path
            assert await answer.read()
    for script in SCRIPTS:
        async with visitor.get(f"/web/{script.name}") as answer:
            assert answer.content_type == "text/javascript"
            etag = answer.headers["ETag"]
        async with visitor.get(f"/web/{script.name}", headers={"If-None-Match": etag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")


def test_nothing_comes_from_elsewhere_and_nothing_becomes_markup() -> None:
    for file in [*SCRIPTS, *SOURCES, *WEB.glob("*.html"), *WEB.glob("*.css")]:
        text = file.read_text(encoding="utf-8")
        links = set(re.findall(r"https?://[^\s\"')]+", text))
        assert links <= {"http://www.w3.org/2000/svg"}, file.name
        for way in (
            "innerHTML",
            "v-html",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
        ):
            assert way not in text, (file.name, way)
        assert "style=" not in text, file.name
        # A Vue file's own script is compiled into a file of its own.
        assert not re.search(r"<script(?![^>]*\bsrc=)(?! setup lang=)", text), file.name


def test_both_languages_say_the_same_things() -> None:
    zh, en = (page_messages(language) for language in LANGUAGES)
    assert set(zh) == set(en)
    for key, text in zh.items():
        assert text.strip(), key
        assert sorted(re.findall(r"{(\w+)}", text)) == sorted(re.findall(r"{(\w+)}", en[key])), key


def test_every_word_the_page_uses_exists_and_every_word_is_used() -> None:
    messages = page_messages("zh")
    text = "\n".join(script.read_text(encoding="utf-8") for script in SPEAKING)
    used = set(re.findall(r"\bt\(\s*[\"']([a-z_0-9.]+)[\"']", text))
    # Chosen by a condition: t(calm ? "this.one" : "that.one").
    groups = {key.partition(".")[0] for key in messages}
    quoted = set(re.findall(r"\"([a-z]+\.[a-z_0-9]+)\"", text)) - set(Event)
    used |= {key for key in quoted if key.partition(".")[0] in groups}
    assert used <= set(messages)
    built = set(re.findall(r"`([a-z]+)\.\$", text)) | set(
        re.findall(r"(?:word|title)\(\"([a-z_]+)\"", text)
    )
    own = json.loads((WEB / "messages" / "zh.json").read_text(encoding="utf-8"))
    unused = {key for key in own if key not in used and key.partition(".")[0] not in built}
    # Shown as the hint of an empty list whose own key is in `used`.
    assert not {key for key in unused if not key.endswith("_hint")}


def test_every_value_of_the_service_has_its_word() -> None:
    for language in LANGUAGES:
        messages = page_messages(language)
        for group, values in SAID_BY_VALUE.items():
            for one in values:
                assert f"{group}.{one}" in messages, (language, group, one)
