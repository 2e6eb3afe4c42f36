"""Playback is silent where personal data was said, and nowhere else; all of it is for a reason."""

import array
import io
import os
import wave
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from hotline import flow
from hotline.console.playing import _tag
from hotline.database import borrowed, transaction
from hotline.finishing import finish_call
from hotline.muting import spans
from hotline.services import Services
from hotline.sounds import Kept, KeptIn
from routing.cases import Role
from telephony.calls import Leg, Outcome
from tests.hotline.console.conftest import NOW, Clock, Site
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import Staff, hire
from transcription import store as words
from transcription.engines.vosk import VoskTranscriber
from transcription.errors import ModelError
from transcription.models import ensure_model
from transcription.numerals import DIGITS
from transcription.sentences import Sentence

REPOSITORY = Path(__file__).resolve().parents[3]
RATE, HEADER = 8000, 44
SAID = (
    Said(leg=Leg.OPERATOR, start=0.0, text="您好请讲"),
    Said(leg=Leg.CALLER, start=4.0, text="我的电话是幺三八零八幺幺二三四五麻烦快点"),
)
WHY = {"reason": "核对回访号码"}


def samples(wav: bytes) -> "array.array[int]":
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return array.array("h", file.readframes(file.getnframes()))


def power(sound: "array.array[int]", start: float, end: float) -> float:
    part = sound[round(start * RATE) : round(end * RATE)]
    return sum(one * one for one in part) / max(1, len(part))


async def got(visitor: ClientSession, url: str, part: str | None = None) -> bytes:
    headers = {} if part is None else {"Range": f"bytes={part}"}
    async with visitor.get(url, headers=headers) as answer:
        assert answer.status == (200 if part is None else 206), await answer.text()
        return await answer.read()


async def finished(services: Services, call_id: int) -> Mapping[Leg, tuple[Sentence, ...]]:
    async with borrowed(services.pool) as conn:
        return await words.finished(conn, call_id)


async def whole_of(visitor: ClientSession, url: str) -> bytes:
    async with visitor.post(f"{url}/reveal", json=WHY) as answer:
        assert answer.status == 200, await answer.text()
        opened = (await answer.json())["url"]
    return await got(visitor, opened)


async def test_the_number_is_silent_and_all_else_is_as_it_was(
    town: Town, services: Services, visitor: ClientSession
) -> None:
    call = await town.is_talked(NOW - timedelta(minutes=9), SAID, talk=20)
    url = f"/api/calls/{call}/sound/caller"
    (file,) = services.config.store_dir.rglob(f"{call:08d}/caller-*.wav")
    kept, quiet = file.read_bytes(), await got(visitor, url)
    said = (await finished(services, call))[Leg.CALLER]
    ((start, end),) = spans(said)
    first, last = (HEADER + 2 * round(at * RATE) for at in (start, end))
    assert quiet == kept[:first] + bytes(last - first) + kept[last:]
    assert 2 < end - start < 4
    async with visitor.get(f"/api/calls/{call}") as answer:
        told = await answer.json()
    muted = {it["leg"]: it["muted_seconds"] for it in told["sound"]}
    assert muted == {"caller": round(end - start, 2), "operator": 0.0}
    # Any part of it is the same part, whether it begins in the silence, ends there, or holds it.
    for a, b in ((0, 99), (first - 11, first + 10), (first + 3, last - 5), (last - 1, len(kept))):
        assert await got(visitor, url, f"{a}-{b}") == quiet[a : b + 1]
    assert await whole_of(visitor, url) == kept
    operator = await got(visitor, f"/api/calls/{call}/sound/operator")
    (file,) = services.config.store_dir.rglob(f"{call:08d}/operator-*.wav")
    assert operator == file.read_bytes()


async def test_a_player_never_joins_silence_to_what_was_not_silent(
    town: Town, visitor: ClientSession
) -> None:
    call = await town.is_talked(NOW - timedelta(minutes=9), SAID, talk=20)
    url = f"/api/calls/{call}/sound/caller"
    async with visitor.get(url) as answer:
        tag, size = answer.headers["ETag"], answer.content_length
    headers = {"Range": "bytes=100-199", "If-Range": tag}
    async with visitor.get(url, headers=headers) as answer:
        assert (answer.status, len(await answer.read())) == (206, 100)
    headers["If-Range"] = '"of other bytes"'
    async with visitor.get(url, headers=headers) as answer:
        assert (answer.status, answer.content_length) == (200, size)
    kept = Kept(store=KeptIn.FOLDER, key="k", sha256="s")
    assert len({_tag(kept, it) for it in ((), ((1.0, 2.0),), ((1.0, 2.5),))}) == 3


async def test_the_whole_sound_is_for_a_reason_a_while_and_one_person(
    town: Town, services: Services, site: Site, clock: Clock
) -> None:
    await hire(services, "boss", Role.ADMINISTRATOR)
    await hire(services, "desk", Role.DISPATCHER)
    await hire(services, "other", Role.OPERATOR)
    await hire(services, "auditor", Role.AUDITOR)
    staff = Staff(services=services, site=site)
    desk, other, auditor = [await staff.visitor(it) for it in ("desk", "other", "auditor")]
    call = await town.is_talked(NOW - timedelta(minutes=9), SAID, talk=20)
    url = f"/api/calls/{call}/sound/caller"

    async def status(visitor: ClientSession, leg: str = "caller") -> int:
        async with visitor.get(f"/api/calls/{call}/sound/{leg}?whole=true") as answer:
            return answer.status

    assert await status(desk) == 403
    async with desk.post(f"{url}/reveal", json={"reason": "好"}) as answer:
        assert answer.status == 422
    async with auditor.post(f"{url}/reveal", json=WHY) as answer:
        assert answer.status == 403
    await whole_of(desk, url)
    assert [await status(it) for it in (desk, other, auditor)] == [200, 403, 403]
    assert await status(desk, "operator") == 403
    clock.forward(minutes=31)
    assert await status(desk) == 403
    rows = await services.pool.fetch(
        "SELECT event, actor, body::text AS body FROM journal WHERE event LIKE 'seen.%' ORDER BY id"
    )
    assert [(it["event"], it["actor"]) for it in rows] == [
        ("seen.identity", "desk"),
        ("seen.sound", "desk"),
        ("seen.sound", "desk"),
    ]
    assert '"核对回访号码"' in rows[0]["body"]
    assert '"sound caller"' in rows[0]["body"]
    assert '"caller, whole"' in rows[1]["body"]


async def test_words_hide_the_number_until_a_reason_is_given(
    town: Town, visitor: ClientSession
) -> None:
    call = await town.is_talked(NOW - timedelta(minutes=9), SAID, talk=20)
    async with visitor.get(f"/api/calls/{call}") as answer:
        hidden = (await answer.json())["dialogue"]
    assert [(it["text"], it["raw"], it["hides"]) for it in hidden] == [
        ("您好请讲。", "您好请讲", False),
        ("我的电话是***********麻烦快点。", "我的电话是***********麻烦快点", True),
    ]
    async with visitor.post(f"/api/calls/{call}/words/reveal", json=WHY) as answer:
        told = (await answer.json())["dialogue"]
    assert told[1]["text"] == "我的电话是13808112345麻烦快点。"
    assert told[1]["raw"] == "我的电话是幺三八零八幺幺二三四五麻烦快点"
    async with visitor.post("/api/calls/999/words/reveal", json=WHY) as answer:
        assert answer.status == 404


async def test_sound_whose_head_is_none_is_not_played_where_it_must_be_silent(
    town: Town, services: Services, visitor: ClientSession
) -> None:
    call = await town.is_talked(NOW - timedelta(minutes=9), SAID, talk=20)
    (file,) = services.config.store_dir.rglob(f"{call:08d}/caller-*.wav")
    file.write_bytes(b"\0" * 40_000)
    async with visitor.get(f"/api/calls/{call}/sound/caller") as answer:
        assert answer.status == 404


@pytest.fixture
async def engine() -> AsyncIterator[VoskTranscriber]:
    cache = Path(os.environ.get("HOTLINE_CACHE") or REPOSITORY / ".cache")
    try:
        vosk = VoskTranscriber(ensure_model(cache / "models"), nice=0)
    except ModelError as error:
        pytest.skip(str(error))
    yield vosk
    await vosk.aclose()


@pytest.mark.model
@pytest.mark.timeout(300)
async def test_in_a_real_call_nobody_hears_the_number_and_everybody_all_else(
    town: Town, visitor: ClientSession, shared_data: Path, engine: VoskTranscriber, tmp_path: Path
) -> None:
    services = town.services
    original = shared_data / "calls" / "01-streetlight-caller.wav"
    heard = await engine.transcribe(original, Leg.CALLER)
    _, call = await town.starts(town.call(NOW - timedelta(minutes=9)))
    _, call = await town.answers(call)
    call_id, call = await town.ends(call, call.started_at + timedelta(seconds=60), Outcome.ANSWERED)
    await town.records(call_id, call)
    (file,) = services.config.store_dir.rglob(f"{call_id:08d}/caller-*.wav")
    file.write_bytes(original.read_bytes())
    async with transaction(services.pool) as tx:
        await flow.leg_heard(tx, call_id, heard, f"{call_id:02d}{Leg.CALLER:*<62}", NOW)
        await finish_call(tx, call_id, services.city.vocabulary)
    url = f"/api/calls/{call_id}/sound/caller"
    quiet, loud = samples(await got(visitor, url)), samples(await whole_of(visitor, url))
    assert loud == samples(original.read_bytes())
    ((start, end),) = spans((await finished(services, call_id))[Leg.CALLER])
    # He says it between 37.45 and 44.75 s (calls.json), and says "我的电话是" before.
    assert 37.5 < start < end < 44.0
    assert power(loud, start, end) > 1000
    assert power(quiet, start, end) == 0
    first, last = round(start * RATE), round(end * RATE)
    assert len(quiet) == len(loud)
    assert quiet[:first] == loud[:first]
    assert quiet[last:] == loud[last:]
    silenced = tmp_path / "silenced.wav"
    silenced.write_bytes(await got(visitor, url))
    again = (await engine.transcribe(silenced, Leg.CALLER)).words
    there = "".join(one.text for one in again if start - 1 < one.start < end + 1)
    digits = sum(one in DIGITS for one in there)
    assert digits <= 1, there
    said = "".join(one.text for one in heard.words if start - 1 < one.start < end + 1)
    assert sum(one in DIGITS for one in said) >= 9
    assert "麻烦" in "".join(one.text for one in again)
