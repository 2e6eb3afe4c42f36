"""Sets the project up under .cache/: packages, Asterisk, SIPp, Prometheus, console, speech model.

Run by `make`; needs only Python's standard library. Each step leaves a marker that names its
input, so a second run does nothing, an interrupted one goes on where it stopped, and a changed
lock is noticed. A step that everything needs ends the run with one sentence; a step that only a
part needs (Asterisk, the model) says so and lets the rest go on.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

UV_VERSION = "0.13.9"
OLDEST_PYTHON = (3, 11)


class SetupError(Exception):
    """Set-up cannot go on; the message says what to do."""


def say(text: str) -> None:
    """Print one progress line at once."""
    print(f"[setup] {text}", flush=True)


def run(argv: Sequence[str | Path], *, trouble: str, env: dict[str, str] | None = None) -> None:
    """Run a command quietly.

    Raises:
        SetupError: the command failed; `trouble` and the command's last line say how.
    """
    done = subprocess.run(  # noqa: S603 - the commands stand in this file
        [str(word) for word in argv],
        cwd=REPO,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise SetupError(f"{trouble} ({lines[-1].strip() if lines else 'no output'})")


def certificates() -> dict[str, str]:
    """Let uv trust what this machine trusts, a company proxy's certificate included."""
    bundle = os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT")
    return {"SSL_CERT_FILE": bundle} if bundle else {"UV_SYSTEM_CERTS": "true"}


def pip(cache: Path) -> tuple[list[str], dict[str, str]]:
    """Return a command that runs pip, from this Python or from Debian's own wheel of it."""
    probe = [sys.executable, "-m", "pip", "--version"]
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:  # noqa: S603
        return [sys.executable, "-m", "pip"], {}
    from deploy import portable  # noqa: PLC0415 - only where pip is missing

    say("this Python has no pip: taking the distribution's own wheel of it")
    unpacked = portable.fetch_debs(("python3-pip-whl",), cache / "pip", say)
    wheels = sorted(unpacked.glob("usr/share/python-wheels/pip-*.whl"))
    if not wheels:
        raise SetupError("pip is missing and could not be fetched: run `apt install python3-pip`.")
    return [sys.executable, "-m", "pip"], {"PYTHONPATH": str(wheels[-1])}


def install_uv(cache: Path) -> Path:
    """Install the pinned uv, the tool that reads uv.lock, into the cache."""
    uv = cache / "uv" / "bin" / "uv"
    marker = cache / "uv" / f".{UV_VERSION}"
    if not marker.exists():
        say(f"fetching uv {UV_VERSION}")
        shutil.rmtree(cache / "uv", ignore_errors=True)
        command, env = pip(cache)
        run(
            [*command, "install", "--quiet", "--target", cache / "uv", f"uv=={UV_VERSION}"],
            trouble="The Python package index cannot be reached: check the network or pip.conf.",
            env=env,
        )
        marker.touch()
    return uv


def install_packages(cache: Path, uv: Path) -> None:
    """Bring the virtual environment to exactly what uv.lock pins, hashes checked."""
    venv = cache / "venv"
    wanted = hashlib.sha256(
        (REPO / "uv.lock").read_bytes() + (REPO / "pyproject.toml").read_bytes()
    ).hexdigest()
    marker = venv / ".packages"
    if marker.exists() and marker.read_text() == f"{wanted} {REPO}":
        return
    say("installing the Python packages that uv.lock pins")
    if not (venv / "bin" / "python").exists():
        run([uv, "venv", "--quiet", "--python", sys.executable, venv], trouble="No environment.")
    pinned = cache / "requirements.txt"
    run(
        [uv, "export", "--quiet", "--frozen", "--no-emit-project", "-o", pinned],
        trouble="uv.lock cannot be read: run `make lock`.",
    )
    python = venv / "bin" / "python"
    run(
        [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, pinned],
        trouble="A Python package could not be fetched: check the network and run make again.",
        env=certificates(),
    )
    run(
        [
            *(uv, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"),
            *("--python", python, "--editable", REPO),
        ],
        trouble="The project itself could not be installed into .cache/venv.",
    )
    marker.write_text(f"{wanted} {REPO}")


def install_tools() -> None:
    """Make Asterisk, SIPp, Prometheus and Alertmanager runnable."""
    from deploy import portable  # noqa: PLC0415 - stdlib only, but slow to no purpose elsewhere

    for name in ("asterisk", "sipp", "prometheus", "promtool", "alertmanager", "amtool"):
        portable.ensure(name, say)


def install_model(cache: Path) -> None:
    """Fetch and verify the Chinese speech model."""
    run(
        [cache / "venv" / "bin" / "hotline", "model", "fetch"],
        trouble="The speech model is missing: transcripts will wait as pending.",
    )


def build_console(cache: Path) -> None:
    """Build the console that the service serves under `/app/`."""
    from deploy.setup import webapp  # noqa: PLC0415 - not needed to fetch uv

    webapp.build((cache / "venv" / "bin" / "python").absolute(), say)


def optional(what: str, step: Callable[[], None]) -> None:
    """Do a step that only a part of the project needs; say what is missing and go on."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 - whatever is missing, the rest goes on
        say(f"WITHOUT {what}: {error}")


def main() -> int:
    """Set up and return the exit status."""
    options = argparse.ArgumentParser(description="Set the project up under .cache/.")
    options.add_argument("--uv-only", action="store_true", help="fetch only uv")
    chosen = options.parse_args()
    began = time.monotonic()
    cache = Path(os.environ.get("HOTLINE_CACHE") or REPO / ".cache")
    if sys.version_info < OLDEST_PYTHON:
        say("STOPPED: Python 3.11 or newer is needed: install it or set PYTHON=python3.12.")
        return 1
    try:
        cache.mkdir(parents=True, exist_ok=True)
        uv = install_uv(cache)
        if chosen.uv_only:
            return 0
        install_packages(cache, uv)
    except (SetupError, OSError) as error:
        say(f"STOPPED: {error}")
        return 1
    optional("Asterisk, SIPp or Prometheus", install_tools)
    optional("the new console (/app/)", lambda: build_console(cache))
    optional("the speech model", lambda: install_model(cache))
    say(f"ready after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
