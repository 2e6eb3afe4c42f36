"""A private apt: packages chosen, fetched and checked by apt itself, without root rights.

An empty package database makes apt bring the whole closure of a package, C library included, so
that the result runs with its own loader whatever the host carries. apt checks the signature of
the index by the distribution's own keyring and each file by the index's hash; we check the
SHA-256 once more before unpacking.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from deploy.errors import ToolMissing
from deploy.host import Host

Say = Callable[[str], None]

#: Unpacked packages measured 3.0 times their download; the rest is room for the index and for luck.
ROOM_PER_BYTE = 4.2
PROGRESS_STEP = 20


class NotCarried(Exception):  # noqa: N818 - a fact about a suite, not a failure of ours
    """The suite has no such package, or not all it depends on at the moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One file of the plan, as the signed index names it."""

    file: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The package's name."""
        return self.file.split("_", 1)[0]

    @property
    def version(self) -> str:
        """The package's version with its epoch, e.g. "1:22.10.1+dfsg-1"."""
        return unquote(self.file.split("_")[1])


class AptRoot:
    """One suite of the archive under a folder of our own."""

    def __init__(self, host: Host, suite: str, folder: Path, say: Say) -> None:
        self.host, self.suite, self.folder, self.say = host, suite, folder, say
        self.archives = folder / "archives"
        self._lock_fd: int | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder alone; an apt left by a killed run holds it too, until it ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say("another set-up is fetching the same packages: waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            self._lock_fd = lock.fileno()
            try:
                yield
            finally:
                self._lock_fd = None

    def plan(self, names: Sequence[str], *, closure: bool = True) -> list[Package]:
        """Refresh the index and return every file that the packages need.

        Raises:
            NotCarried: the suite does not have them.
            ToolMissing: no apt, no network, a bad signature.
        """
        self._lay_out()
        self.say(f"reading the package index of {self.suite}")
        self._apt("-o", "APT::Update::Error-Mode=any", "update")
        nothing = self.folder / "nothing"  # so that files fetched before are listed, too
        (nothing / "partial").mkdir(parents=True, exist_ok=True)
        words = ["-o", "Acquire::ForceHash=SHA256", "-o", f"Dir::Cache::archives={nothing}"]
        words += ["--print-uris", *_verb(closure), *names]
        listed = self._apt(*words)
        found = re.findall(r"^'[^']*' (\S+) (\d+) SHA256:([0-9a-f]{64})$", listed, re.MULTILINE)
        if not found:
            raise NotCarried(", ".join(names))
        return [Package(file=f, size=int(size), sha256=digest) for f, size, digest in found]

    def fetch(
        self, names: Sequence[str], plan: Sequence[Package], *, closure: bool = True
    ) -> list[Path]:
        """Bring the planned files, keeping what an interrupted run left, and check each one."""
        wanted = [package for package in plan if not self._is_whole(package)]
        if wanted:
            self._make_room(plan)
            size = sum(package.size for package in wanted) / 1e6
            self.say(f"fetching {len(wanted)} packages, {size:.0f} MB")
            self._apt(*_verb(closure), *names, progress=True)
        for package in plan:
            if not self._is_whole(package):
                raise ToolMissing(
                    f"The package {package.file} is not what the signed index promises: "
                    "run again, and if it stays so, choose another mirror."
                )
        return [self.archives / package.file for package in plan]

    def forget(self, plan: Sequence[Package]) -> None:
        """Drop the packages once they are unpacked."""
        for package in plan:
            (self.archives / package.file).unlink(missing_ok=True)

    def _is_whole(self, package: Package) -> bool:
        path = self.archives / package.file
        if not path.exists():
            return False
        with path.open("rb") as file:
            whole = hashlib.file_digest(file, "sha256").hexdigest() == package.sha256
        if not whole:
            path.unlink()
        return whole

    def _make_room(self, plan: Sequence[Package]) -> None:
        needed = int(sum(package.size for package in plan) * ROOM_PER_BYTE)
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise ToolMissing(
                f"The disk of {self.folder} has {free / 1e6:.0f} MB free and {needed / 1e6:.0f} MB "
                "are needed: make room, or set HOTLINE_CACHE to a folder on a larger disk."
            )

    def _lay_out(self) -> None:
        """Write the folders and the configuration; the host's own proxies stay in force."""
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise ToolMissing(
                "apt-get and dpkg-deb are needed to fetch packages: "
                "install asterisk (18 or newer), sipp and prometheus by hand and run again."
            )
        for name in ("lists/partial", "archives/partial", "etc/parts", "etc/keys", "log"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        host = self.host
        suites = [self.suite]
        if self.suite == host.codename:
            suites.append(f"{self.suite}-updates")
        (self.folder / "etc/sources.list").write_text(
            "".join(
                f"deb [arch={host.arch} signed-by={host.keyring}] "
                f"{host.mirror} {suite} {host.components}\n"
                for suite in suites
            )
        )
        (self.folder / "etc/apt.conf").write_text(_configuration(self.folder, host.arch))

    def _apt(self, *words: str, progress: bool = False) -> str:
        """Run apt-get under our configuration and return what it printed.

        Raises:
            NotCarried, ToolMissing: as its complaint says.
        """
        argv = ["apt-get", "-c", str(self.folder / "etc/apt.conf"), "-y", "-q=2", *words]
        environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        keep = () if self._lock_fd is None else (self._lock_fd,)
        if progress:
            argv[1:1] = ["-o", "APT::Status-Fd=1"]
        with subprocess.Popen(  # noqa: S603 - our own words and package names
            argv,
            cwd=self.archives,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=keep,
        ) as apt:
            printed = self._follow(apt)
        if apt.returncode != 0:
            raise _explain(printed, self.host, self.suite)
        return printed

    def _follow(self, apt: "subprocess.Popen[str]") -> str:
        """Collect the output; tell each fifth of a download."""
        lines: list[str] = []
        told = 0
        for line in apt.stdout or ():
            match = re.match(r"dlstatus:\d+:([\d.]+):", line)
            if match is None:
                lines.append(line)
            elif float(match[1]) >= told + PROGRESS_STEP:
                told = int(float(match[1])) // PROGRESS_STEP * PROGRESS_STEP
                self.say(f"fetched {told} %")
        return "".join(lines)


def _verb(closure: bool) -> list[str]:  # noqa: FBT001 - private, one meaning
    return ["--no-install-recommends", "--download-only", "install"] if closure else ["download"]


def _configuration(folder: Path, arch: str) -> str:
    """Return our apt configuration: everything below `folder`, no hooks of the host."""
    return f"""\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear Acquire::IndexTargets;
Acquire::IndexTargets::deb::Packages {{
  MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages";
  flatMetaKey "Packages";
  ShortDescription "Packages";
  Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages";
  flatDescription "$(RELEASE) Packages";
  Optional "0";
}};
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "";
APT::Default-Release "";
Dir::State::status "{folder}/status";
Dir::State::extended_states "{folder}/extended_states";
Dir::State::lists "{folder}/lists/";
Dir::Cache "{folder}/";
Dir::Cache::archives "{folder}/archives/";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "{folder}/etc/sources.list";
Dir::Etc::sourceparts "{folder}/etc/parts";
Dir::Etc::preferences "{folder}/etc/preferences";
Dir::Etc::preferencesparts "{folder}/etc/parts";
Dir::Etc::trusted "{folder}/etc/none.gpg";
Dir::Etc::trustedparts "{folder}/etc/keys";
Dir::Log "{folder}/log";
"""


#: What apt says -> the sentence for the operator, tried in this order.
COMPLAINTS: tuple[tuple[str, str], ...] = (
    (
        r"NO_PUBKEY|EXPKEYSIG|BADSIG|is not signed|invalid signature|Missing key|be verified",
        "The signature of {suite} could not be checked: bring the package {keys} up to date.",
    ),
    (
        r"Hash Sum mismatch|unexpected size|Hashes of (received|expected) file",
        "A file from {mirror} is not what the signed index promises: run again, or set {variable}.",
    ),
    (
        r"is not valid yet|is expired",
        "The package index of {suite} is not of this time: set the clock or {variable}.",
    ),
    (
        r"No space left on device|Disk quota exceeded",
        "The disk is full: make room, or set HOTLINE_CACHE to a folder on a larger disk.",
    ),
    (
        r"does not have a Release file|404 +Not Found",
        "The mirror {mirror} does not carry {suite}: set {variable} to one that does.",
    ),
    (
        r"resolve|Temporary failure|connect|Cannot initiate|timed out|Failed to fetch",
        "{suite} could not be fetched from {mirror}: check the network and run again.",
    ),
)
LACKS = (
    r"Unable to locate package|unmet dependencies|no installation candidate|Can't select|"
    r"held broken packages|has no candidate|Unable to correct problems|Unable to satisfy"
)


def _explain(printed: str, host: Host, suite: str) -> Exception:
    """Turn apt's complaint into one sentence."""
    facts = {
        "suite": suite,
        "mirror": host.mirror,
        "keys": "debian-archive-keyring" if host.family == "debian" else "ubuntu-keyring",
        "variable": f"HOTLINE_{host.family.upper()}_MIRROR",
    }
    if re.search(LACKS, printed):
        return NotCarried(printed.strip())
    for pattern, sentence in COMPLAINTS:
        if re.search(pattern, printed):
            return ToolMissing(sentence.format(**facts), output=printed)
    last = (printed.strip().splitlines() or ["it said nothing"])[-1]
    return ToolMissing(f"apt-get failed ({last}): run again, or look at {suite}.", output=printed)
