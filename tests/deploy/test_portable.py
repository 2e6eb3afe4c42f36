"""Packages fetched by a private apt: whole or not at all, whatever happens on the way."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy import portable
from deploy.errors import ToolMissing
from deploy.host import Host
from deploy.prefix import damage, read_manifest
from tests.deploy.archive import ARCH, Archive, Server

SUITE = "bookworm"
NEEDED = ("apt-get", "dpkg-deb", "gpg")
PROGRAM = b"a program, long enough to be cut in the middle\n" * 4000

pytestmark = pytest.mark.skipif(
    any(shutil.which(name) is None for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"
)


@dataclass(frozen=True, kw_only=True)
class Place:
    archive: Archive
    server: Server
    host: Host
    cache: Path

    def fetch(self, *names: str, closure: bool = True) -> Path:
        return portable.fetch_debs(
            names, self.cache / "tools" / names[0], self.said.append, closure=closure
        )

    @property
    def said(self) -> list[str]:
        return SAID


SAID: list[str] = []


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    archive = Archive(tmp_path, SUITE)
    archive.add(
        "tool",
        {"usr/bin/tool": PROGRAM, "usr/share/doc/tool/changelog": b"x", "lib/old/place": b"y"},
        depends="library",
    )
    archive.add("library", {"usr/lib/library.so": b"code"})
    archive.add("lonely", {"usr/bin/lonely": b"z"}, depends="not-carried")
    archive.publish()
    server = Server(archive.folder)
    host = Host(
        family="debian",
        codename=SUITE,
        arch=ARCH,
        triplet="x86_64-linux-gnu",
        loader="ld-linux-x86-64.so.2",
        mirror=server.uri,
        keyring=archive.keyring,
    )
    monkeypatch.setattr(portable, "read_host", lambda: host)
    monkeypatch.setenv("HOTLINE_CACHE", str(tmp_path / "cache"))
    SAID.clear()
    yield Place(archive=archive, server=server, host=host, cache=tmp_path / "cache")
    server.close()
    archive.close()


def other_process(place: Place, *, path: str | None = None) -> "subprocess.Popen[str]":
    """Start the same fetch in a process that can be killed."""
    program = f"""
from pathlib import Path
from deploy import portable
from deploy.host import Host
host = Host(family="debian", codename={SUITE!r}, arch={ARCH!r}, triplet="t", loader="l",
            mirror={place.server.uri!r}, keyring=Path({str(place.archive.keyring)!r}))
portable.read_host = lambda: host
portable.fetch_debs(("tool",), portable.cache_root() / "tools" / "tool", closure=True)
print("fetched", flush=True)
"""
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    return subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, "-u", "-c", program],
        cwd=portable.REPO,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_package_comes_with_what_it_needs_and_without_its_documentation(place: Place) -> None:
    prefix = place.fetch("tool")
    assert (prefix / "usr/bin/tool").read_bytes() == PROGRAM
    assert (prefix / "usr/lib/library.so").exists()
    assert (prefix / "usr/lib/old/place").exists()  # /lib is /usr/lib
    assert not (prefix / "usr/share/doc").exists()
    manifest = read_manifest(prefix)
    assert manifest is not None
    assert {p["name"]: p["version"] for p in manifest["packages"]} == {
        "tool": "1:2.0-1",
        "library": "1:2.0-1",
    }
    assert all(len(p["sha256"]) == 64 for p in manifest["packages"])
    assert damage(prefix, manifest, thorough=True) == []
    assert any("fetching 2 packages" in text for text in place.said)
    assert any("unpacked 2 of 2" in text for text in place.said)


def test_what_is_there_is_not_asked_for_again(place: Place) -> None:
    place.fetch("tool")
    asked = len(place.server.requests)
    place.fetch("tool")
    assert len(place.server.requests) == asked


def test_without_its_closure_only_the_package_comes(place: Place) -> None:
    prefix = place.fetch("tool", closure=False)
    assert (prefix / "usr/bin/tool").exists()
    assert not (prefix / "usr/lib/library.so").exists()


@pytest.mark.parametrize("harm", ["gone", "cut"])
def test_a_damaged_folder_is_fetched_again(harm: str, place: Place) -> None:
    program = place.fetch("tool") / "usr/bin/tool"
    if harm == "gone":
        program.unlink()
    else:
        program.write_bytes(PROGRAM[:100])
    place.fetch("tool")
    assert program.read_bytes() == PROGRAM


def test_a_changed_byte_is_found_by_the_thorough_look(place: Place) -> None:
    prefix = place.fetch("tool")
    (prefix / "usr/bin/tool").write_bytes(PROGRAM[:-1] + b"!")
    manifest = read_manifest(prefix)
    assert manifest is not None
    assert damage(prefix, manifest) == []
    assert damage(prefix, manifest, thorough=True) == ["usr/bin/tool"]
    assert portable.verify(place.said.append) == [str(prefix / "usr/bin/tool")]


def test_a_download_killed_in_the_middle_goes_on_where_it_stopped(place: Place) -> None:
    place.server.stall_at = "tool_"
    killed = other_process(place)
    assert place.server.stalled.wait(30)
    killed.kill()
    killed.communicate()
    place.server.stall_at = None
    place.server.released.set()
    place.server.requests.clear()
    assert (place.fetch("tool") / "usr/bin/tool").read_bytes() == PROGRAM
    ranges = [asked for path, asked in place.server.requests if "/tool_" in path]
    assert ranges == [] or all(ranges), "the half that had come was thrown away"


def test_an_unpacking_killed_in_the_middle_leaves_nothing_half(
    place: Place, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    tar = slow / "tar"
    tar.write_text("#!/bin/sh\necho unpacking >&3\nexec sleep 60\n")
    tar.chmod(tar.stat().st_mode | stat.S_IXUSR)
    began = tmp_path / "began"
    os.mkfifo(began)
    tar.write_text(f"#!/bin/sh\necho $$ > {began}\nexec sleep 60\n")
    killed = other_process(place, path=f"{slow}:{os.environ['PATH']}")
    sleeper = int(began.read_text())
    killed.kill()
    killed.communicate()
    os.kill(sleeper, signal.SIGKILL)
    prefix = place.cache / "tools/tool"
    assert read_manifest(prefix) is None
    place.server.requests.clear()
    assert (place.fetch("tool") / "usr/bin/tool").read_bytes() == PROGRAM
    assert [path for path, _ in place.server.requests if path.endswith(".deb")] == []
    assert [path.name for path in prefix.parent.iterdir()] == ["tool"]


def test_two_set_ups_at_once_fetch_once(place: Place) -> None:
    both = [other_process(place), other_process(place)]
    printed = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], printed
    assert all("fetched" in text for text in printed)
    debs = [path for path, _ in place.server.requests if "/tool_" in path]
    assert len(debs) == 1


def sentence(caught: pytest.ExceptionInfo[ToolMissing]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def test_a_foreign_signature_is_refused(place: Place) -> None:
    place.archive.make_key("stranger")
    place.archive.publish(signer="stranger")
    with pytest.raises(ToolMissing) as caught:
        place.fetch("tool")
    assert "signature" in sentence(caught)
    assert "debian-archive-keyring" in sentence(caught)


def test_an_exchanged_package_is_refused(place: Place) -> None:
    deb = next(place.archive.folder.glob("pool/tool_*"))
    data = bytearray(deb.read_bytes())
    data[len(data) // 2] ^= 0xFF
    deb.write_bytes(data)
    with pytest.raises(ToolMissing) as caught:
        place.fetch("tool")
    assert "signed index" in sentence(caught)
    assert read_manifest(place.cache / "tools/tool") is None


def test_a_package_cut_after_it_was_fetched_is_fetched_again(place: Place) -> None:
    killed = place.cache / "apt"
    place.fetch("tool")
    folder = next(killed.iterdir()) / "archives"
    half = next(place.archive.folder.glob("pool/tool_*")).read_bytes()[:5000]
    (folder / f"tool_1%3a2.0-1_{ARCH}.deb").write_bytes(half)
    shutil.rmtree(place.cache / "tools")
    assert (place.fetch("tool") / "usr/bin/tool").read_bytes() == PROGRAM


def test_without_network_the_mirror_is_named(place: Place) -> None:
    place.server.httpd.socket.close()
    with pytest.raises(ToolMissing) as caught:
        place.fetch("tool")
    assert place.server.uri in sentence(caught)
    assert "network" in sentence(caught)


def test_a_suite_the_mirror_lacks_is_named(place: Place) -> None:
    shutil.rmtree(place.archive.folder / "dists")
    with pytest.raises(ToolMissing) as caught:
        place.fetch("tool")
    assert "does not carry bookworm" in sentence(caught)
    assert "HOTLINE_DEBIAN_MIRROR" in sentence(caught)


@pytest.mark.parametrize("name", ["unknown", "lonely"])
def test_a_package_the_suite_lacks_is_named(name: str, place: Place) -> None:
    with pytest.raises(ToolMissing) as caught:
        place.fetch(name)
    assert f"carries no {name}" in sentence(caught)


def test_a_small_disk_is_noticed_before_anything_is_fetched(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.disk_usage(place.archive.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=1000))
    with pytest.raises(ToolMissing) as caught:
        place.fetch("tool")
    assert "HOTLINE_CACHE" in sentence(caught)
    assert [path for path, _ in place.server.requests if path.endswith(".deb")] == []


def test_a_cache_that_cannot_be_written_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOTLINE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ToolMissing) as caught:
        portable.fetch_debs(("tool",), tmp_path / "into", place.said.append)
    assert str(tmp_path / "file" / "cache") in sentence(caught)


def test_a_machine_without_apt_is_told_what_to_install(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing) as caught:
        place.fetch("tool")
    assert "apt-get" in sentence(caught)


@pytest.mark.parametrize(
    ("name", "printed", "version"),
    [
        ("asterisk", "Asterisk 22.10.1", "22.10.1"),
        ("asterisk", "Asterisk 18.10.0~dfsg+~cs6-2", "18.10.0~dfsg+~cs6-2"),
        ("asterisk", "Asterisk certified/20.7-cert4", "20.7-cert4"),
        ("asterisk", "Asterisk 16.28.0~dfsg-0+deb11u4", None),
        ("asterisk", "bash: segmentation fault", None),
        ("sipp", " SIPp v3.6.1-TLS-SCTP-PCAP-RTPSTREAM.", "3.6.1-TLS-SCTP-PCAP-RTPSTREAM"),
        ("sipp", " SIPp v3.7.2-TLS-SCTP-PCAP.", "3.7.2-TLS-SCTP-PCAP"),
        ("sipp", " SIPp v3.5.2-PCAP, version unknown", None),
        ("prometheus", "prometheus, version 2.42.0+ds (branch: debian)", "2.42.0+ds"),
    ],
)
def test_an_installed_program_is_used_when_it_is_fit(
    name: portable.ToolName,
    printed: str,
    version: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / name
    program.write_text(f"#!/bin/sh\necho '{printed}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("HOTLINE_PORTABLE", raising=False)
    found = portable._installed(name, portable.RECIPES[name])
    assert (found.version if found else None) == version
    if found:
        assert found.argv == (str(program),)
        assert portable.ensure(name) == found


def test_set_up_can_run_it_before_any_environment_exists() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            "import sys; sys.path[:0]=['.']; import deploy.portable",
        ],
        cwd=portable.REPO,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_no_mirror_is_named_in_the_code() -> None:
    for path in (portable.REPO / "deploy").glob("*.py"):
        assert "://" not in path.read_text(), path
