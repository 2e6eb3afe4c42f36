"""Asterisk, SIPp and Prometheus on any Debian or Ubuntu machine, without root rights.

An installed program is used when it is new enough; else the distribution's own packages are
fetched through a private apt (apt_root.py), unpacked under the cache (prefix.py) and run with
their own loader. HOTLINE_PORTABLE=1 never uses an installed one. Standard library only: this runs
before any virtual environment exists.

    python3 -m deploy.portable asterisk sipp prometheus     fetch what is missing
    python3 -m deploy.portable --verify                     read every unpacked file again
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from deploy.apt_root import AptRoot, NotCarried, Package, Say
from deploy.errors import ToolMissing
from deploy.host import Host, read_host
from deploy.prefix import damage, read_manifest, unpack

__all__ = ["Tool", "ToolMissing", "cache_root", "ensure", "fetch_debs"]

ToolName = Literal["asterisk", "sipp", "prometheus", "promtool", "alertmanager", "amtool"]
REPO = Path(__file__).resolve().parents[1]
SYSTEM_PATHS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
OLDEST_ASTERISK = 18
SIPP_ALWAYS_STREAMS = (3, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that runs: start it with `[*argv, ...]`.

    `prefix` is the folder it was unpacked into, None when the machine had it installed.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    version: str
    prefix: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one program is known and where its package comes from."""

    package: str
    binary: str  # below the prefix
    version_flag: str
    accepts: Callable[[str], str | None]  # what --version printed -> the version, None if unfit
    bundle: str  # tools of one package share a prefix


def _asterisk_version(printed: str) -> str | None:
    match = re.search(r"Asterisk (?:GIT-|SVN-|certified/)?(\d+)[^\s]*", printed)
    if match is None or int(match[1]) < OLDEST_ASTERISK:
        return None
    return re.sub(r"^Asterisk (?:GIT-|SVN-|certified/)?", "", match[0])


def _sipp_version(printed: str) -> str | None:
    match = re.search(r"SIPp v?((\d+)\.(\d+)[^\s,]*)", printed)
    if match is None:
        return None
    streams = "RTPSTREAM" in match[1] or (int(match[2]), int(match[3])) >= SIPP_ALWAYS_STREAMS
    return match[1].rstrip(".") if streams else None


def _prometheus_version(printed: str) -> str | None:
    match = re.search(r"version (\d+[^\s,]*)", printed)
    return match[1] if match else None


RECIPES: Mapping[ToolName, Recipe] = {
    "asterisk": Recipe(
        package="asterisk",
        binary="usr/sbin/asterisk",
        version_flag="-V",
        accepts=_asterisk_version,
        bundle="asterisk",
    ),
    "sipp": Recipe(
        package="sip-tester",
        binary="usr/bin/sipp",
        version_flag="-v",
        accepts=_sipp_version,
        bundle="sip-tester",
    ),
    "prometheus": Recipe(
        package="prometheus",
        binary="usr/bin/prometheus",
        version_flag="--version",
        accepts=_prometheus_version,
        bundle="prometheus",
    ),
    "promtool": Recipe(
        package="prometheus",
        binary="usr/bin/promtool",
        version_flag="--version",
        accepts=_prometheus_version,
        bundle="prometheus",
    ),
    "alertmanager": Recipe(
        package="prometheus-alertmanager",
        binary="usr/bin/prometheus-alertmanager",
        version_flag="--version",
        accepts=_prometheus_version,
        bundle="alertmanager",
    ),
    "amtool": Recipe(
        package="prometheus-alertmanager",
        binary="usr/bin/amtool",
        version_flag="--version",
        accepts=_prometheus_version,
        bundle="alertmanager",
    ),
}


def cache_root() -> Path:
    """Return where everything fetched lives: $HOTLINE_CACHE, else .cache of the checkout."""
    return Path(os.environ.get("HOTLINE_CACHE") or REPO / ".cache").absolute()


def ensure(name: ToolName, say: Say = print) -> Tool:
    """Return a program that runs, fetching it at the first call.

    Raises:
        ToolMissing: one sentence that says what to do.
    """
    recipe = RECIPES[name]
    if os.environ.get("HOTLINE_PORTABLE") != "1":
        installed = _installed(name, recipe)
        if installed is not None:
            return installed
    host = read_host()
    for suite in suites_of(host, recipe.package):
        prefix = cache_root() / "tools" / f"{recipe.bundle}-{suite}-{host.arch}"
        if _is_sound(prefix):
            return _from_prefix(name, recipe, prefix, host)
    return _from_prefix(name, recipe, _fetch(recipe, host, say), host)


def suites_of(host: Host, package: str) -> tuple[str, ...]:
    """Return the suites to try: Debian's releases carry no Asterisk, its unstable does."""
    if package == "asterisk" and host.family == "debian":
        return ("sid", "testing")
    return (host.codename,)


def _installed(name: ToolName, recipe: Recipe) -> Tool | None:
    """Return the machine's own program when it is fit for us."""
    search = os.pathsep.join((os.environ.get("PATH", ""), *SYSTEM_PATHS))
    found = shutil.which(name, path=search)
    if found is None:
        return None
    version = recipe.accepts(_ask_version((found,), recipe))
    return Tool(name=name, argv=(found,), version=version, prefix=None) if version else None


def _ask_version(argv: Sequence[str], recipe: Recipe) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the program itself
            [*argv, recipe.version_flag],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout + done.stderr


def _is_sound(prefix: Path) -> bool:
    manifest = read_manifest(prefix)
    return manifest is not None and not damage(prefix, manifest)


def _fetch(recipe: Recipe, host: Host, say: Say) -> Path:
    """Fetch and unpack the recipe's package from the first suite that carries it."""

    def tell(text: str) -> None:
        say(f"{recipe.bundle}: {text}")

    lacking = ""
    for suite in suites_of(host, recipe.package):
        prefix = cache_root() / "tools" / f"{recipe.bundle}-{suite}-{host.arch}"
        apt = AptRoot(host, suite, _apt_folder(host, suite), tell)
        try:
            with _writable(), apt.locked():
                if not _is_sound(prefix):  # another set-up may have just brought it
                    _bring(apt, (recipe.package,), prefix, tell)
        except NotCarried as error:
            lacking = f"{suite}: {error}"
            continue
        return prefix
    raise ToolMissing(
        f"The distribution carries no usable {recipe.package} at the moment: "
        f"install {recipe.package} by hand and run again.",
        output=lacking,
    )


def _bring(apt: AptRoot, names: Sequence[str], prefix: Path, say: Say) -> None:
    plan = apt.plan(names)
    _refuse_old_asterisk(plan)
    debs = apt.fetch(names, plan)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    facts = {"suite": apt.suite, "family": apt.host.family, "arch": apt.host.arch}
    unpack(debs, plan, prefix, say, facts)
    apt.forget(plan)
    say(f"ready under {prefix}")


def _refuse_old_asterisk(plan: Sequence[Package]) -> None:
    for package in plan:
        major = re.match(r"(?:\d+:)?(\d+)", package.version)
        if package.name == "asterisk" and major and int(major[1]) < OLDEST_ASTERISK:
            raise NotCarried(f"asterisk {package.version} is older than {OLDEST_ASTERISK}")


def _apt_folder(host: Host, suite: str) -> Path:
    """Return the private apt's folder; another mirror gets another one."""
    mirror = hashlib.sha256(host.mirror.encode()).hexdigest()[:8]
    return cache_root() / "apt" / f"{host.family}-{suite}-{host.arch}-{mirror}"


class _writable:  # noqa: N801 - reads as a word of the with statement
    """Turns a cache that cannot be written into one sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise ToolMissing(
                f"The cache {cache_root()} cannot be written ({error.strerror}): "
                "set HOTLINE_CACHE to a folder of your own with 1 GB free."
            ) from error


def _from_prefix(name: ToolName, recipe: Recipe, prefix: Path, host: Host) -> Tool:
    """Return the unpacked program behind its own loader, after asking it for its version."""
    libraries = prefix / "usr/lib" / host.triplet
    folders = f"{libraries}:{prefix / 'usr/lib'}"
    argv = (
        str(libraries / host.loader),
        "--library-path",
        folders,
        str(prefix / recipe.binary),
    )
    printed = _ask_version(argv, recipe)
    version = recipe.accepts(printed)
    if version is None:
        raise ToolMissing(
            f"The fetched {name} does not run here: delete {prefix} and run again.", output=printed
        )
    terminfo = f"{prefix / 'usr/share/terminfo'}:/usr/share/terminfo:/lib/terminfo"
    return Tool(
        name=name, argv=argv, env={"TERMINFO_DIRS": terminfo}, version=version, prefix=prefix
    )


def fetch_debs(
    names: Sequence[str],
    into: Path,
    say: Say = print,
    *,
    suite: str | None = None,
    closure: bool = False,
) -> Path:
    """Fetch packages of the host's suite, unpack them under `into` and return it.

    Without `closure` only the named packages come, not what they depend on. A folder that
    already holds them whole is returned at once.

    Raises:
        ToolMissing: one sentence that says what to do.
    """
    if _holds(into, names):
        return into
    host = read_host()
    apt = AptRoot(host, suite or host.codename, _apt_folder(host, suite or host.codename), say)
    try:
        with _writable(), apt.locked():
            if _holds(into, names):  # another set-up may have just brought them
                return into
            plan = apt.plan(names, closure=closure)
            debs = apt.fetch(names, plan, closure=closure)
            into.parent.mkdir(parents=True, exist_ok=True)
            unpack(debs, plan, into, say, {"suite": apt.suite, "family": host.family})
            apt.forget(plan)
    except NotCarried as error:
        raise ToolMissing(
            f"{apt.suite} carries no {', '.join(names)}: install it by hand and run again.",
            output=str(error),
        ) from error
    return into


def _holds(prefix: Path, names: Sequence[str]) -> bool:
    """Tell whether a folder holds these packages, undamaged."""
    manifest = read_manifest(prefix)
    held = {package["name"] for package in manifest["packages"]} if manifest else set()
    return manifest is not None and set(names) <= held and not damage(prefix, manifest)


def verify(say: Say = print) -> list[str]:
    """Read every unpacked file and compare it with the manifest; return what differs."""
    harmed: list[str] = []
    for prefix in sorted((cache_root() / "tools").glob("*")):
        manifest = read_manifest(prefix)
        if manifest is None:
            continue
        found = damage(prefix, manifest, thorough=True)
        say(f"{prefix.name}: {len(manifest['files'])} files, {len(found)} damaged")
        harmed += [str(prefix / name) for name in found]
    return harmed


def main(words: Sequence[str] | None = None) -> int:
    """Fetch the named tools, or verify those that are there; return the exit status."""
    parser = argparse.ArgumentParser(description="Fetch Asterisk, SIPp and Prometheus.")
    parser.add_argument("tools", nargs="*", metavar="tool", help=", ".join(get_args(ToolName)))
    parser.add_argument("--verify", action="store_true", help="read every unpacked file again")
    chosen = parser.parse_args(words)
    if chosen.verify:
        return 1 if verify() else 0
    unknown = [name for name in chosen.tools if name not in RECIPES]
    if unknown:
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(RECIPES)}")
    try:
        for name in chosen.tools or RECIPES:
            tool = ensure(name)
            print(f"{name} {tool.version}: {shutil.which(tool.argv[-1]) or tool.argv[-1]}")
    except ToolMissing as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
