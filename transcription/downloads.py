"""Two ways to bring a large file here: plain HTTP, resumed, and pip by the name of a package."""

import http.client
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from pathlib import Path

_PIECE = 2**18
_SILENCE = 20.0
"""Seconds without a byte after which a source counts as not reached."""
_MEGABYTE = 2**20
_PARTIAL_CONTENT = 206
_LAST_LINES = 5


class NotReached(Exception):  # noqa: N818 - it states a fact
    """The source did not serve the file; the argument says why."""


class Progress:
    """Says every tenth of the way once."""

    def __init__(self, what: str, total: int, say: Callable[[str], None]) -> None:
        self._what = what
        self._total = total
        self._say = say
        self._said = -1

    def reached(self, done: int) -> None:
        """Note that `done` bytes are here."""
        tenth = min(10, done * 10 // max(1, self._total))
        if tenth > self._said:
            self._said = tenth
            of = f"{done / _MEGABYTE:.0f} of {self._total / _MEGABYTE:.0f} MB"
            self._say(f"{self._what}: {tenth * 10} % ({of})")


def by_http(url: str, folder: Path, say: Callable[[str], None], size: int) -> Path:
    """Download into the folder, going on where an earlier attempt stopped.

    Raises:
        NotReached: the server did not serve the whole file; what came is kept for the next time.
    """
    target = folder / url.rsplit("/", 1)[-1]
    part = target.with_name(f"{target.name}.part")
    if target.exists():
        return target
    have = part.stat().st_size if part.exists() else 0
    if have > size:
        part.unlink()
        have = 0
    if have < size:
        _receive(url, part, have, Progress(target.name, size, say))
    if part.stat().st_size != size:
        came = part.stat().st_size
        if came > size:
            part.unlink()
        raise NotReached(f"{came} bytes came where {size} were expected")
    part.rename(target)
    return target


def _receive(url: str, part: Path, have: int, progress: Progress) -> None:
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=_SILENCE) as answer:  # noqa: S310 - likewise
            resumed = answer.status == _PARTIAL_CONTENT
            with part.open("ab" if resumed else "wb") as file:
                done = have if resumed else 0
                while piece := answer.read(_PIECE):
                    file.write(piece)
                    done += len(piece)
                    progress.reached(done)
                file.flush()
                os.fsync(file.fileno())
    except urllib.error.HTTPError as error:
        error.close()
        raise NotReached(f"it answered {error.code}") from error
    except urllib.error.URLError as error:
        raise NotReached(str(error.reason)) from error
    except (TimeoutError, http.client.HTTPException, ConnectionError) as error:
        raise NotReached(str(error) or type(error).__name__) from error


def by_pip(requirement: str, folder: Path, say: Callable[[str], None], size: int) -> Path:
    """Download the wheel of `package==version` with pip, from wherever pip is told to look.

    Nothing is installed, and no dependency is fetched.

    Raises:
        NotReached: pip is missing or did not find the wheel.
    """
    prefix = requirement.split("==", maxsplit=1)[0].replace("-", "_")
    if not (here := sorted(folder.glob(f"{prefix}-*.whl"))):
        _run_pip(requirement, folder, Progress(requirement, size, say))
        here = sorted(folder.glob(f"{prefix}-*.whl"))
    if not here:
        raise NotReached(f"pip brought no wheel of {requirement}")
    return here[0]


def _run_pip(requirement: str, folder: Path, progress: Progress) -> None:
    command = (
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("--no-input", "--disable-pip-version-check", "--progress-bar=raw"),
        *("--dest", str(folder), requirement),
    )
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with subprocess.Popen(  # noqa: S603 - a fixed command
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        for line in pip.stdout or ():
            words = line.split()
            if words[:1] == ["Progress"] and words[1].isdigit():
                progress.reached(int(words[1]))
            elif line.strip():
                last.append(line.strip())
    if pip.returncode != 0:
        errors = [line for line in last if line.startswith("ERROR")] or list(last)
        raise NotReached(errors[-1] if errors else f"pip ended with status {pip.returncode}")
