"""The page's files: whole, its words in both languages, nothing from elsewhere."""

import json
import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import pytest
from aiohttp import ClientSession

from hotline.catalogue import LANGUAGES
from hotline.console.pages import FILES, page_messages
from hotline.console.problems import Fault
from hotline.journal import Event
from routing.cases import CaseState, Explanation, Kind, Move, Reached, Satisfied, Solved, Urgency
from routing.cases import Outcome as Ending
from routing.deadlines import Standing
from routing.policy import Unit
from telephony.calls import Leg, Outcome

WEB = Path(str(resources.files("hotline.console") / "web"))
SCRIPTS = sorted(WEB / name for name in FILES if name.endswith(".js"))
SOURCES = sorted(
    [*WEB.glob("src/**/*.ts"), *WEB.glob("src/**/*.vue"), *WEB.glob("src/**/area.json")]
)
AREAS = sorted(path for path in WEB.glob("src/pages/*") if path.is_dir())
SPEAKING = [*SOURCES, WEB.parent / "pages.py"]
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
    async with visitor.get("/api/docs") as answer:
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


async def test_the_first_address_leads_to_the_console_with_what_was_asked(
    visitor: ClientSession,
) -> None:
    for asked, place in (
        ("/", "/app/"),
        ("/?lang=en", "/app/?lang=en"),
        ("/app?problem=sign_in_refused", "/app/?problem=sign_in_refused"),
    ):
        async with visitor.get(asked, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (307, place)
    for gone in ("app.js", "vite.config.js", "index.html", "package.json"):
        async with visitor.get(f"/web/{gone}") as answer:
            assert answer.status == 404, gone


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


def words_of(area: Path, language: str) -> dict[str, str]:
    file = area / f"{language}.json"
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


@pytest.mark.parametrize("area", [None, *AREAS], ids=lambda area: area.name if area else "shared")
def test_both_languages_say_the_same_things(area: Path | None) -> None:
    zh, en = (words_of(area, one) if area else page_messages(one) for one in LANGUAGES)
    assert set(zh) == set(en)
    for key, text in zh.items():
        assert text.strip(), key
        assert sorted(re.findall(r"{(\w+)}", text)) == sorted(re.findall(r"{(\w+)}", en[key])), key


def keys_in(text: str, groups: Iterable[str]) -> tuple[set[str], set[str]]:
    """The keys a source names, and the groups whose keys it builds from a value."""
    used = set(re.findall(r"\bt\(\s*[\"']([a-z_0-9.]+)[\"']", text))
    # Chosen by a condition: t(calm ? "this.one" : "that.one"); a value of markup, which
    # follows its = at once, is no text but a name.
    quoted = set(re.findall(r"(?<!=)[\"']([a-z_]+\.[a-z_0-9.]+)[\"']", text)) - set(Event)
    used |= {key for key in quoted if key.partition(".")[0] in groups}
    # `group.${value}` of a whole group, `group.word_${value}` of a part of one.
    built = set(re.findall(r"`([a-z_]+)\.\$", text)) | set(
        re.findall(r"`([a-z_]+\.[a-z_]+_)\$", text)
    )
    built |= set(re.findall(r"(?:word|title)\([\"']([a-z_]+)[\"']", text))
    return used, built


def unused_of(own: Iterable[str], used: set[str], built: set[str]) -> set[str]:
    left = {key for key in own if key not in used and key.partition(".")[0] not in built}
    return {key for key in left if not any(key.startswith(one) for one in built if "." in one)}


def test_every_word_the_page_uses_exists_and_every_word_is_used() -> None:
    messages = page_messages("zh")
    groups = {key.partition(".")[0] for key in messages}
    text = "\n".join(script.read_text(encoding="utf-8") for script in SPEAKING)
    own_of_areas = {key for area in AREAS for key in words_of(area, "zh")}
    used, built = keys_in(text, groups)
    assert used <= set(messages) | own_of_areas
    own = json.loads((WEB / "messages" / "zh.json").read_text(encoding="utf-8"))
    assert not unused_of(own, used, built)


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_an_area_uses_its_own_words_and_the_shared_ones_only(area: Path) -> None:
    own, shared = words_of(area, "zh"), page_messages("zh")
    assert not set(own) & set(shared), "one wording of each"
    groups = {key.partition(".")[0] for key in [*own, *shared]}
    files = [*area.glob("*.vue"), *area.glob("*.ts"), *area.glob("area.json")]
    used, built = keys_in("\n".join(file.read_text(encoding="utf-8") for file in files), groups)
    assert used <= set(own) | set(shared)
    assert not unused_of(own, used, built)


def test_every_value_of_the_service_has_its_word() -> None:
    for language in LANGUAGES:
        messages = page_messages(language)
        for group, values in SAID_BY_VALUE.items():
            for one in values:
                assert f"{group}.{one}" in messages, (language, group, one)
