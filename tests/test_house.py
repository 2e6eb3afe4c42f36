"""The rules of the house that a machine can check."""

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
OURS = ("telephony", "transcription", "routing", "metrics", "hotline", "deploy")
LONGEST_FILE = 400
# A test of a whole path may be long; a file of the product may not.
FORBIDDEN_NAMES = ("utils", "util", "common", "core", "helper", "helpers", "manager", "misc")


def run(*argv: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).parent / argv[0]
    return subprocess.run(  # noqa: S603 - the project's own tools
        [str(tool), *argv[1:]],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def tracked(*patterns: str) -> Sequence[Path]:
    done = subprocess.run(  # noqa: S603
        ["git", "ls-files", "-z", *patterns],  # noqa: S607 - git is what set-up asks for
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in done.stdout.split("\0") if name and (path := REPO / name).is_file()]


@pytest.mark.timeout(600)
def test_types_hold_everywhere() -> None:
    done = run("mypy", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint_finds_nothing() -> None:
    done = run("ruff", "check", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_is_formatted() -> None:
    done = run("ruff", "format", "--check", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_go_one_way() -> None:
    done = run("lint-imports")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_other_distribution_ships_our_packages() -> None:
    owners = packages_distributions()
    taken = {name: set(owners.get(name, [])) - {"hotline"} for name in OURS}
    assert not {name: others for name, others in taken.items() if others}


def test_files_stay_small_and_well_named() -> None:
    product = [path for path in tracked("*.py") if path.relative_to(REPO).parts[0] in OURS]
    assert product
    long = {str(p): n for p in product if (n := len(p.read_text().splitlines())) > LONGEST_FILE}
    badly_named = [str(path) for path in product if path.stem in FORBIDDEN_NAMES]
    assert not long
    assert not badly_named


def test_every_folder_says_what_it_is() -> None:
    for package in OURS:
        opening = (REPO / package / "__init__.py").read_text()
        described = opening.split('"""')[1] if opening.count('"""') > 1 else ""
        assert 3 <= len(described.strip().splitlines()) <= 15, package


def test_no_download_address_of_a_registry_is_committed() -> None:
    hosts = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "debian" + ".org")
    found = [
        f"{path.relative_to(REPO)}: {host}"
        for path in tracked()
        if path.stat().st_size < 5_000_000
        for host in hosts
        if host.encode() in path.read_bytes()
    ]
    assert not found
