"""A folder of unpacked packages: complete or absent, never half, and checked before each use."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy.apt_root import Package, Say
from deploy.errors import ToolMissing

MANIFEST = "hotline-manifest.json"
FORMAT = 1
#: Documentation that nothing here reads. Asterisk's own XML stays: its modules need it to start.
PRUNED = (
    "./usr/share/doc",
    "./usr/share/man",
    "./usr/share/info",
    "./usr/share/lintian",
    "./usr/share/locale",
    "./usr/share/bug",
    "./usr/share/perl*",
    "./var",
)
MERGED = ("bin", "sbin", "lib", "lib64")
PROGRESS_EVERY = 50


def unpack(
    debs: Sequence[Path], plan: Sequence[Package], prefix: Path, say: Say, facts: dict[str, str]
) -> None:
    """Unpack into a folder beside `prefix`, write the manifest last, then rename.

    Raises:
        ToolMissing: the disk is full or a package cannot be read.
    """
    for left in prefix.parent.glob(f"{prefix.name}.part-*"):  # by runs that were killed
        shutil.rmtree(left, ignore_errors=True)
    # A new name each time: a tar that outlived its killed parent may still write to the old one.
    staging = Path(tempfile.mkdtemp(prefix=f"{prefix.name}.part-", dir=prefix.parent))
    staging.chmod(0o755)
    for name in MERGED:  # older packages say /lib where newer ones say /usr/lib
        (staging / "usr" / name).mkdir(parents=True)
        (staging / name).symlink_to(f"usr/{name}")
    try:
        for number, deb in enumerate(debs, start=1):
            _extract(deb, staging)
            if number % PROGRESS_EVERY == 0 or number == len(debs):
                say(f"unpacked {number} of {len(debs)} packages")
        _write_manifest(staging, plan, facts)
        shutil.rmtree(prefix, ignore_errors=True)
        staging.rename(prefix)
    except OSError as error:
        raise ToolMissing(
            f"Packages could not be unpacked under {prefix.parent} ({error.strerror}): "
            "make room, or set HOTLINE_CACHE to a folder that can be written."
        ) from error


def _extract(deb: Path, into: Path) -> None:
    """Unpack one package without its documentation, owned by whoever runs this."""
    tar = ["tar", "-x", "-C", str(into), "--keep-directory-symlink", "--no-same-owner"]
    tar += ["--no-same-permissions", *(f"--exclude={path}" for path in PRUNED)]
    with subprocess.Popen(  # noqa: S603 - a file that apt verified
        ["dpkg-deb", "--fsys-tarfile", str(deb)],  # noqa: S607 - the host's own
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as source:
        done = subprocess.run(  # noqa: S603
            tar, stdin=source.stdout, capture_output=True, text=True, check=False
        )
    if done.returncode == 0 and source.returncode == 0:
        return
    last = (done.stderr.strip().splitlines() or ["dpkg-deb could not read it"])[-1]
    if "No space left" in done.stderr or "quota" in done.stderr:
        raise ToolMissing(
            "The disk is full: make room, or set HOTLINE_CACHE to a folder on a larger disk.",
            output=done.stderr,
        )
    raise ToolMissing(f"The package {deb.name} could not be unpacked ({last}): run again.")


def _files(prefix: Path) -> Iterator[tuple[str, Path]]:
    for folder, _, names in os.walk(prefix):
        for name in names:
            path = Path(folder, name)
            relative = str(path.relative_to(prefix))
            if relative != MANIFEST and not path.is_symlink():
                yield relative, path


def _write_manifest(prefix: Path, plan: Sequence[Package], facts: dict[str, str]) -> None:
    """Record what was unpacked: each package by the signed index, each file as it now lies."""
    manifest = {
        "format": FORMAT,
        **facts,
        "packages": [
            {"name": p.name, "version": p.version, "sha256": p.sha256, "file": p.file} for p in plan
        ],
        "files": {
            relative: [path.stat().st_size, _sha256(path)]
            for relative, path in sorted(_files(prefix))
        },
    }
    text = json.dumps(manifest, indent=1, sort_keys=True)
    part = prefix / (MANIFEST + ".part")
    part.write_text(text)
    part.rename(prefix / MANIFEST)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(prefix: Path) -> dict[str, Any] | None:
    """Return the manifest of a completely unpacked prefix, None when there is none."""
    try:
        manifest = json.loads((prefix / MANIFEST).read_text())
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("format") == FORMAT else None


def damage(prefix: Path, manifest: dict[str, Any], *, thorough: bool = False) -> list[str]:
    """Return the files that are gone or changed; `thorough` reads them all, else sizes decide."""
    harmed = []
    for relative, (size, digest) in manifest["files"].items():
        path = prefix / relative
        try:
            same = path.stat().st_size == size and (not thorough or _sha256(path) == digest)
        except OSError:
            same = False
        if not same:
            harmed.append(relative)
    return harmed
