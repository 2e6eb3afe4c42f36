"""Set-up where something is missing: one sentence, nothing half done, and it goes on later."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.setup.prepare import UV_VERSION

REPO = Path(__file__).resolve().parents[2]


def prepare(cache: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it where no package index can be reached."""
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(REPO / "deploy/setup/prepare.py"), *words],
        env={**os.environ, "HOTLINE_CACHE": str(cache), "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_a_package_index_it_stops_with_one_sentence_and_half_done_is_not_done(
    tmp_path: Path,
) -> None:
    done = prepare(tmp_path)
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("[setup] STOPPED: The Python package index cannot be reached: check ")
    assert "Traceback" not in done.stdout + done.stderr
    assert not list((tmp_path / "uv").glob(".*"))


def test_a_cache_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    done = prepare(tmp_path / "cache")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.startswith("[setup] STOPPED: ")
    assert str(tmp_path / "cache") in done.stdout
    assert not done.stderr


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv" / f".{UV_VERSION}").touch()
    done = prepare(tmp_path, "--uv-only")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
