"""What this machine is and where it gets its packages, read from its own files.

No mirror is named here: the address comes from the machine's apt sources, or from
HOTLINE_DEBIAN_MIRROR / HOTLINE_UBUNTU_MIRROR.
"""

import os
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.errors import ToolMissing

Family = Literal["debian", "ubuntu"]

#: Kernel's machine name -> Debian's name, folder of its libraries, its loader.
ARCHITECTURES: Mapping[str, tuple[str, str, str]] = {
    "x86_64": ("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": ("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A Debian or Ubuntu machine: family, code name, architecture and its mirror."""

    family: Family
    codename: str
    arch: str
    triplet: str
    loader: str
    mirror: str
    keyring: Path

    @property
    def components(self) -> str:
        """Where Asterisk and SIPp live: Ubuntu keeps them in universe."""
        return "main universe" if self.family == "ubuntu" else "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One line of an apt source: an address, its suites and components."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


def read_host(root: Path = Path("/")) -> Host:
    """Describe the machine whose file system is at `root`.

    Raises:
        ToolMissing: not Debian or Ubuntu, an unknown processor, no keyring, no mirror known.
    """
    family, codename = _release(root)
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise ToolMissing(
            f"No packages are known for the processor {machine}: "
            "install asterisk (18 or newer), sipp and prometheus by hand and run again."
        )
    arch, triplet, loader = ARCHITECTURES[machine]
    return Host(
        family=family,
        codename=codename,
        arch=arch,
        triplet=triplet,
        loader=loader,
        mirror=_mirror(root, family, codename),
        keyring=_keyring(root, family),
    )


def _release(root: Path) -> tuple[Family, str]:
    """Return family and code name from os-release."""
    path = root / "etc/os-release"
    pairs = re.findall(
        r'^(\w+)="?([^"\n]*)"?$', path.read_text() if path.exists() else "", re.MULTILINE
    )
    fields = dict(pairs)
    likes = {fields.get("ID", ""), *fields.get("ID_LIKE", "").split()}
    if "ubuntu" in likes and (fields.get("UBUNTU_CODENAME") or fields.get("VERSION_CODENAME")):
        return "ubuntu", fields.get("UBUNTU_CODENAME") or fields["VERSION_CODENAME"]
    if "debian" in likes and fields.get("VERSION_CODENAME"):
        return "debian", fields["VERSION_CODENAME"]
    raise ToolMissing(
        f"This system ({fields.get('PRETTY_NAME', 'unknown')}) is neither Debian nor Ubuntu: "
        "install asterisk (18 or newer), sipp and prometheus by hand and run again."
    )


def _keyring(root: Path, family: Family) -> Path:
    """Return the archive's public keys that the distribution itself installed."""
    for ending in ("gpg", "pgp"):
        path = root / f"usr/share/keyrings/{family}-archive-keyring.{ending}"
        if path.exists():
            return path
    package = "debian-archive-keyring" if family == "debian" else "ubuntu-keyring"
    raise ToolMissing(
        f"The keys that sign the packages are missing: run `apt-get install {package}` as root."
    )


def _mirror(root: Path, family: Family, codename: str) -> str:
    """Return the address this machine takes its own suite from, without a trailing slash."""
    variable = f"HOTLINE_{family.upper()}_MIRROR"
    chosen = os.environ.get(variable)
    if chosen:
        return chosen.rstrip("/")
    found = [
        source
        for source in read_sources(root / "etc/apt")
        if codename in source.suites and "main" in source.components
    ]
    if not found:
        raise ToolMissing(
            f"No apt source of {codename} was found under /etc/apt: "
            f"set {variable} to the address of a mirror and run again."
        )
    # A third party may publish under the same code name; the archive itself also has updates,
    # and its address ends with the family's name.
    with_updates = {s.uri for s in found if f"{codename}-updates" in s.suites}
    best = max(found, key=lambda s: (s.uri.endswith(f"/{family}"), s.uri in with_updates))
    return best.uri


def read_sources(apt: Path) -> list[Source]:
    """Return the enabled binary sources of an apt folder, in both formats."""
    found: list[Source] = []
    lines = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]
    for path in lines:
        if path.is_file():
            found += _one_line_sources(path.read_text(errors="replace"))
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        found += _deb822_sources(path.read_text(errors="replace"))
    return found


def _one_line_sources(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)", line.strip())
        if match:
            yield Source(
                uri=match[1].rstrip("/"), suites=(match[2],), components=tuple(match[3].split())
            )


def _deb822_sources(text: str) -> Iterator[Source]:
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", text):
        joined = re.sub(r"\n[ \t]+", " ", stanza)
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(r"^([\w-]+):[ \t]*(.*)$", joined, re.MULTILINE)
        }
        if fields.get("enabled") == ["no"] or "deb" not in fields.get("types", []):
            continue
        for uri in fields.get("uris", []):
            yield Source(
                uri=uri.rstrip("/"),
                suites=tuple(fields.get("suites", [])),
                components=tuple(fields.get("components", [])),
            )
