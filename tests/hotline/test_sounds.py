"""Recordings in a folder and in a real S3 server: the same promises, and the same calls."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hotline.catalogue import say
from hotline.checks import Checks
from hotline.config import Config, load
from hotline.database import Pool
from hotline.errors import ConfigError, SoundGoneError, StoreAwayError
from hotline.jobs import JobName, LaterError
from hotline.keeping import sounds_of
from hotline.moving import move_all
from hotline.sound_folder import SoundFolder
from hotline.sound_s3 import SoundBucket
from hotline.sounds import KeptIn, Place, SoundStore, SoundStores, fetch, try_out
from hotline.spool import sweep
from telephony.calls import Leg
from tests.hotline.console.conftest import configured, opened, services_on
from tests.hotline.s3_server import S3Server, s3_server
from tests.hotline.story import BEGAN, NOW, SYSTEM, Death, Died, Life, at, call, write_wav

PLACE = Place(call_id=7, leg=Leg.CALLER, started_at=at(0))
OPENSSL = shutil.which("openssl")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    running = s3_server(tmp_path_factory.mktemp("s3"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def bucket(server: S3Server, tmp_path: Path) -> SoundBucket:
    """An empty part of the bucket, of this test alone."""
    if server.process is None:
        server.start()
    return SoundBucket(server.store(prefix=f"voices/{tmp_path.name}"))


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SoundStore:
    if request.param == "folder":
        return SoundFolder(tmp_path / "store")
    found: SoundBucket = request.getfixturevalue("bucket")
    return found


def sound(path: Path, seconds: float = 1.0) -> tuple[Path, bytes, str]:
    content = write_wav(path, seconds).read_bytes()
    return path, content, PLACE.key(sha256(content).hexdigest())


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


# ---- one store ----


def test_what_is_put_is_found_read_in_parts_and_deleted(store: SoundStore, tmp_path: Path) -> None:
    file, content, key = sound(tmp_path / "a.wav", 400.0)  # 6.4 MB: more than one upload's part
    assert store.size(key) is None
    for _ in range(2):  # twice is once
        store.put(file, key, digest(content))
        assert store.find(PLACE.folder) == [key]
    assert store.size(key) == len(content)
    assert b"".join(store.read(key)) == content
    assert b"".join(store.read(key, 100, 200)) == content[100:200]
    assert b"".join(store.read(key, len(content) - 5)) == content[-5:]
    assert store.find("2026/11/24") == []
    for _ in range(2):
        store.delete(key)
    assert store.size(key) is None
    with pytest.raises(SoundGoneError, match="is not in"):
        list(store.read(key))


def test_other_bytes_than_promised_are_never_kept_as_good(
    store: SoundStore, tmp_path: Path
) -> None:
    file, content, key = sound(tmp_path / "a.wav")
    with pytest.raises(StoreAwayError, match="gives back other bytes"):
        store.put(file, key, digest(content + b"x"))


def test_a_damaged_recording_is_told_and_not_handed_out(store: SoundStore, tmp_path: Path) -> None:
    file, content, key = sound(tmp_path / "a.wav")
    store.put(file, key, digest(content))
    with pytest.raises(SoundGoneError, match="SHA-256 differs"):
        fetch(store, key, digest(content + b"x"), tmp_path / "copy.wav")


@pytest.mark.parametrize("key", ["../outside.wav", "2026/../../outside.wav", "a\nb.wav", ""])
def test_a_key_never_leads_out_of_the_store(store: SoundStore, tmp_path: Path, key: str) -> None:
    (tmp_path / "outside.wav").write_bytes(b"secret")
    with pytest.raises((SoundGoneError, IsADirectoryError, PermissionError)):
        list(store.read(key))


def test_a_store_is_tried_out_and_left_as_it_was(store: SoundStore, tmp_path: Path) -> None:
    try_out(store, tmp_path / "work")
    assert store.find("hotline-check") == []
    assert list((tmp_path / "work").iterdir()) == []


def test_a_wrong_secret_a_missing_bucket_and_a_silent_server_are_one_sentence(
    server: S3Server, bucket: SoundBucket, tmp_path: Path
) -> None:
    del bucket  # the server runs
    file, content, key = sound(tmp_path / "a.wav")
    for given, told in (
        ({"secret": "another"}, "refuses us: check access_key, secret"),
        ({"bucket": "not-there"}, "There is no bucket not-there"),
        ({"endpoint": "http://127.0.0.1:1"}, "does not do it"),
    ):
        with pytest.raises(StoreAwayError, match=told) as raised:
            SoundBucket(server.store(**given)).put(file, key, digest(content))
        assert "another" not in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.skipif(OPENSSL is None, reason="no openssl here to make a certificate")
def test_a_server_behind_a_private_authority_is_reached_by_tls_only_with_it(tmp_path: Path) -> None:
    authority, key, cert = (tmp_path / name for name in ("ca.pem", "key.pem", "cert.pem"))
    new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    of_ca = ["-subj", "/CN=our authority", "-keyout", f"{authority}.key", "-out", str(authority)]
    signed = ["-CA", str(authority), "-CAkey", f"{authority}.key", "-subj", "/CN=store"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]
    for words in (of_ca, [*signed, *names, "-keyout", str(key), "-out", str(cert)]):
        subprocess.run([str(OPENSSL), *new, *words], check=True, capture_output=True)  # noqa: S603
    server = s3_server(tmp_path / "s3")
    server.tls = key, cert
    server.authority = authority
    try:
        server.start()
        try_out(SoundBucket(server.store(tls_ca=authority)), tmp_path / "work")
        with pytest.raises(StoreAwayError, match="does not do it"):
            SoundBucket(server.store()).ping()
    finally:
        server.stop()


# ---- whole calls ----


async def states(pool: Pool) -> list[tuple[str, str, str]]:
    rows = await pool.fetch("SELECT leg, state, kept_in FROM recordings ORDER BY leg")
    return [(row["leg"], row["state"], row["kept_in"]) for row in rows]


IN_S3 = [("caller", "stored", "s3"), ("operator", "stored", "s3")]


async def test_a_call_is_kept_in_the_bucket_and_heard_from_there(
    pool: Pool, tmp_path: Path, bucket: SoundBucket
) -> None:
    life = Life(pool, tmp_path)
    life.keep_in(bucket)
    content = [file.read_bytes() for file in life.record(call())]
    await life.live(call())
    assert await states(pool) == IN_S3
    assert list(life.spool.iterdir()) == []
    assert not life.store.exists()
    assert list(life.sounds.work.iterdir()) == []
    kept = await asyncio.to_thread(lambda: [b"".join(bucket.read(k)) for k in bucket.find("2026")])
    assert kept == content
    done = "SELECT count(*) FROM transcripts WHERE state = 'done'"
    assert await pool.fetchval(done) == 2


@pytest.mark.parametrize("after_commit", [False, True], ids=["before commit", "after commit"])
@pytest.mark.parametrize("put_first", [False, True], ids=["in the put", "at the commit"])
async def test_a_death_anywhere_between_spool_and_row_costs_and_doubles_nothing(
    pool: Pool, tmp_path: Path, bucket: SoundBucket, *, after_commit: bool, put_first: bool
) -> None:
    first = Life(pool, tmp_path)
    files = first.record(call())
    await first.tell(call())
    first.keep_in(bucket if put_first else Dying(bucket, after=after_commit))
    first.death = Death(at=1, after_commit=after_commit) if put_first else None
    with pytest.raises(Died):
        await first.work(lambda job: job is JobName.COLLECT_RECORDINGS)
    assert all(file.exists() for file in files)
    second = Life(pool, tmp_path)
    second.keep_in(bucket)
    await second.work()
    assert await states(pool) == IN_S3
    assert list(second.spool.iterdir()) == []
    assert list(second.sounds.work.iterdir()) == []
    assert len(await asyncio.to_thread(bucket.find, "2026")) == 2


class Dying:
    """A store whose process is killed at its first put: before the bytes went, or after."""

    def __init__(self, store: SoundStore, *, after: bool) -> None:
        self._store, self._after = store, after

    def put(self, file: Path, key: str, sha: str) -> None:
        if self._after:
            self._store.put(file, key, sha)
        raise Died

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


async def test_a_store_that_is_away_is_waited_for_and_the_exchange_keeps_the_files(
    pool: Pool, tmp_path: Path, server: S3Server, bucket: SoundBucket
) -> None:
    life = Life(pool, tmp_path)
    life.keep_in(bucket)
    files = life.record(call())
    await life.tell(call())
    await asyncio.to_thread(server.stop)
    try:
        with pytest.raises(LaterError, match="stays at the exchange"):
            await life.work()
        assert all(file.exists() for file in files)
        waiting = [("caller", "expected"), ("operator", "expected")]
        assert [row[:2] for row in await states(pool)] == waiting
    finally:
        await asyncio.to_thread(server.start)
    await life.work(lambda job: job is JobName.COLLECT_RECORDINGS)
    await asyncio.to_thread(server.stop)
    try:
        with pytest.raises(LaterError, match="cannot be heard now"):
            await life.work()
    finally:
        await asyncio.to_thread(server.start)
    await life.work()
    assert await pool.fetchval("SELECT count(*) FROM transcripts WHERE state = 'done'") == 2


async def test_what_the_bucket_has_is_found_when_the_database_was_set_back(
    pool: Pool, tmp_path: Path, bucket: SoundBucket
) -> None:
    life = Life(pool, tmp_path)
    life.keep_in(bucket)
    life.record(call())
    await life.live(call())
    before = await pool.fetch("SELECT leg, path, sha256, seconds FROM recordings ORDER BY leg")
    await pool.execute("UPDATE recordings SET state = 'expected', path = NULL, sha256 = NULL")
    await life.steps.collect_recordings({"call_id": 1})
    after = await pool.fetch("SELECT leg, path, sha256, seconds FROM recordings ORDER BY leg")
    assert after == before


async def test_the_last_copy_is_never_taken_from_the_exchange(
    pool: Pool, tmp_path: Path, bucket: SoundBucket
) -> None:
    """Stored by the row, lost by the store, and still lying at the exchange."""
    life = Life(pool, tmp_path)
    life.keep_in(bucket)
    life.record(call())
    await life.live(call())
    for key in await asyncio.to_thread(bucket.find, "2026"):
        await asyncio.to_thread(bucket.delete, key)
    life.now = NOW
    files = life.record(call())
    await life.steps.collect_recordings({"call_id": 1})
    assert all(file.exists() for file in files)

    for file in files:
        os.utime(file, (BEGAN.timestamp(),) * 2)
    found = await sweep(
        pool, system=SYSTEM, spool=life.spool, sounds=life.sounds, since=BEGAN, now=NOW
    )
    assert [(one.detail["stored"], one.repaired) for one in found] == [
        ("lost by the store", True)
    ] * 2
    await life.work()
    assert await states(pool) == IN_S3
    assert len(await asyncio.to_thread(bucket.find, "2026")) == 2
    assert list(life.spool.iterdir()) == []


async def test_the_sweep_tells_what_the_bucket_lost_and_goes_on_where_it_is_away(
    pool: Pool, tmp_path: Path, server: S3Server, bucket: SoundBucket
) -> None:
    life = Life(pool, tmp_path)
    life.keep_in(bucket)
    life.record(call())
    await life.live(call())

    async def swept() -> list[tuple[object, object]]:
        found = await sweep(
            pool, system=SYSTEM, spool=life.spool, sounds=life.sounds, since=BEGAN, now=NOW
        )
        return [(one.detail["stored"], one.detail["files"]) for one in found]

    assert await swept() == []
    (lost, _) = await asyncio.to_thread(bucket.find, "2026")
    await asyncio.to_thread(bucket.delete, lost)
    assert await swept() == [("gone from the store", "caller")]
    await asyncio.to_thread(server.stop)
    assert await swept() == []
    await asyncio.to_thread(server.start)


# ---- played, checked, moved ----


async def test_sound_is_played_from_the_bucket_whole_and_in_parts(
    pool: Pool, database: str, tmp_path: Path, server: S3Server, bucket: SoundBucket
) -> None:
    life = Life(pool, tmp_path)
    life.keep_in(bucket)
    content = life.record(call(), seconds=30.0)[0].read_bytes()
    await life.live(call())
    given = server.store(prefix=f"voices/{tmp_path.name}")
    services = services_on(configured(tmp_path, store=given), pool, database, lambda: NOW)
    site = await opened(services)
    url = "/api/calls/1/sound/caller"
    try:
        visitor = site.visitor()
        async with visitor.get(url) as answer:
            assert answer.status == 200
            assert answer.content_type == "audio/wav"
            assert answer.headers["Accept-Ranges"] == "bytes"
            assert await answer.read() == content
        for asked, part in (
            ("bytes=100-199", content[100:200]),
            ("bytes=400000-", content[400000:]),
            ("bytes=-10", content[-10:]),
            ("bytes=0-99999999", content),
        ):
            async with visitor.get(url, headers={"Range": asked}) as answer:
                assert answer.status == 206, asked
                assert await answer.read() == part
                assert answer.headers["Content-Range"].endswith(f"/{len(content)}")
        for asked in (f"bytes={len(content)}-", "bytes=9-5", "lines=1-2"):
            async with visitor.get(url, headers={"Range": asked}) as answer:
                assert answer.status == 416, asked
        async with visitor.get(url, headers={"Range": "bytes=0-1", "If-Range": '"x"'}) as answer:
            assert (answer.status, await answer.read()) == (200, content)
        await asyncio.to_thread(server.stop)
        async with visitor.get(url) as answer:
            assert answer.status == 503
            assert (await answer.json())["type"] == "store_away"
    finally:
        services.feed.close()
        await site.close()
    await asyncio.to_thread(server.start)


async def test_check_says_whether_recordings_can_be_kept(
    tmp_path: Path, server: S3Server, bucket: SoundBucket
) -> None:
    del bucket
    found = await Checks(Config(data_dir=tmp_path, store=server.store()), "en")._check_store()
    assert found.well
    assert found.sentence == say("check.store.ok", "en", where=f"hotline at {server.endpoint}")
    broken = Checks(Config(data_dir=tmp_path, store=server.store(secret="x")), "en")
    line = await broken._line("check.store", broken._check_store)
    assert (line.found.well, "refuses us" in line.found.sentence) == (False, True)
    folder = await Checks(Config(data_dir=tmp_path), "en")._check_store()
    assert folder.well


async def test_recordings_move_to_the_bucket_and_back_whoever_dies_on_the_way(
    pool: Pool, tmp_path: Path, bucket: SoundBucket
) -> None:
    life = Life(pool, tmp_path)
    for n in (1, 2, 3):
        life.record(call(n))
        await life.live(call(n))
    # One is from the time before keys: its row has the whole path of its file.
    (old,) = life.store.rglob("00000002/caller-*.wav")
    earlier = life.store / "2026/11/23/00000002-caller.wav"
    old.rename(earlier)
    await pool.execute(
        "UPDATE recordings SET path = $1 WHERE call_id = 2 AND leg = 'caller'", str(earlier)
    )
    life.keep_in(Dying(bucket, after=True))
    with pytest.raises(Died):
        await moved(pool, life.sounds)
    assert len(list(life.store.rglob("*.wav"))) == 6
    life.keep_in(bucket)
    assert await moved(pool, life.sounds) == 6
    assert await moved(pool, life.sounds) == 0
    assert list(life.store.rglob("*.wav")) == []
    assert {row[2] for row in await states(pool)} == {"s3"}
    # Killed between the row and the removal: the next run removes the rest.
    key = await pool.fetchval("SELECT path FROM recordings WHERE call_id = 3 AND leg = 'caller'")
    rest = life.store / key
    rest.parent.mkdir(parents=True, exist_ok=True)
    rest.write_bytes(b"".join(await asyncio.to_thread(lambda: list(bucket.read(key)))))
    assert await moved(pool, life.sounds) == 0
    assert not rest.exists()
    back = SoundStores(current=SoundFolder(life.store), folder=bucket, work=life.sounds.work)
    assert await moved(pool, back) == 6
    assert len(list(life.store.rglob("*.wav"))) == 6
    assert await asyncio.to_thread(bucket.find, "2026") == []


async def moved(pool: Pool, sounds: SoundStores) -> int:
    return sum([one.moved async for one in move_all(pool, sounds)])


# ---- the configuration ----


@pytest.mark.parametrize(
    ("left_out", "told"),
    [(name, f"store.{name} is needed") for name in ("endpoint", "bucket", "access_key", "secret")],
)
def test_a_bucket_needs_all_of_it(tmp_path: Path, left_out: str, told: str) -> None:
    given = {"endpoint": "http://s3:9000", "bucket": "voices", "access_key": "k", "secret": "s"}
    del given[left_out]
    file = tmp_path / "hotline.toml"
    rows = "\n".join(f"{key} = {json.dumps(value)}" for key, value in given.items())
    file.write_text(f'[store]\nkind = "s3"\n{rows}\n')
    with pytest.raises(ConfigError, match=told):
        load(file)


def test_the_secret_stands_in_a_file_of_its_own_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush-hush\n")
    file = tmp_path / "hotline.toml"
    file.write_text(
        '[store]\nkind = "s3"\nendpoint = "https://s3:9000"\nbucket = "voices"\n'
        f'access_key = "k"\nsecret_file = "{tmp_path / "secret"}"\n'
    )
    config = load(file)
    assert config.store.secret is not None
    assert config.store.secret.get_secret_value() == "hush-hush"
    assert "hush" not in repr(config)
    assert sounds_of(config).current.kind is KeptIn.S3
