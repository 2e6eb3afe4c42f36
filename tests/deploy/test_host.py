"""What machine this is, from its own files: both source formats, both families."""

import platform
from pathlib import Path

import pytest

from deploy.errors import ToolMissing
from deploy.host import read_host, read_sources

DEB822 = """\
# a comment
Types: deb
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
# between the fields
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb deb-src
URIs: http://other.example/x
 http://third.example/y
Suites: stable
Components: contrib
Enabled: no
"""
ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb-src http://src.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] https://packages.example/apt vendor-bookworm main # theirs
deb http://vendor.example/tools bookworm main
deb http://mirror.example/debian bookworm main non-free
deb http://mirror.example/debian bookworm-updates main
"""
UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOTLINE_DEBIAN_MIRROR", "HOTLINE_UBUNTU_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    keys = tmp_path / "usr/share/keyrings"
    keys.mkdir(parents=True)
    (keys / "debian-archive-keyring.gpg").touch()
    (keys / "ubuntu-archive-keyring.gpg").touch()
    (tmp_path / "etc/os-release").write_text(
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_CODENAME=bookworm\n'
    )
    return tmp_path


def test_the_mirror_comes_from_the_machine_in_either_format(root: Path) -> None:
    sources = root / "etc/apt/sources.list.d/debian.sources"
    sources.write_text(DEB822)
    assert read_host(root).mirror == "http://mirror.example/debian"
    sources.unlink()
    (root / "etc/apt/sources.list").write_text(ONE_LINE)
    host = read_host(root)
    assert host.mirror == "http://mirror.example/debian"  # not the vendor's, who names bookworm too
    assert (host.family, host.codename, host.arch) == ("debian", "bookworm", "amd64")
    assert host.components == "main"


def test_disabled_and_source_lines_do_not_count(root: Path) -> None:
    (root / "etc/apt/sources.list.d/a.sources").write_text(DEB822)
    (root / "etc/apt/sources.list").write_text(ONE_LINE)
    uris = {source.uri for source in read_sources(root / "etc/apt")}
    assert uris == {
        "http://mirror.example/debian",
        "http://mirror.example/debian-security",
        "https://packages.example/apt",
        "http://vendor.example/tools",
    }


def test_ubuntu_and_what_is_built_on_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "etc/os-release").write_text(UBUNTU)
    monkeypatch.setenv("HOTLINE_UBUNTU_MIRROR", "http://near.example/ubuntu/")
    host = read_host(root)
    assert (host.family, host.codename, host.mirror) == (
        "ubuntu",
        "noble",
        "http://near.example/ubuntu",
    )
    assert host.components == "main universe"
    assert host.keyring.name == "ubuntu-archive-keyring.gpg"
    mint = 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n'
    (root / "etc/os-release").write_text(mint)
    assert read_host(root).codename == "noble"


@pytest.mark.parametrize("machine", ["riscv64", "armv7l"])
def test_an_unknown_processor_is_said(
    machine: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(ToolMissing, match=machine):
        read_host(root)


def test_another_system_is_said(root: Path) -> None:
    (root / "etc/os-release").write_text('PRETTY_NAME="Fedora 42"\nID=fedora\n')
    with pytest.raises(ToolMissing, match="Fedora 42"):
        read_host(root)
    (root / "etc/os-release").unlink()
    with pytest.raises(ToolMissing, match="neither Debian nor Ubuntu"):
        read_host(root)


def test_a_missing_keyring_names_its_package(root: Path) -> None:
    (root / "etc/apt/sources.list").write_text(ONE_LINE)
    (root / "usr/share/keyrings/debian-archive-keyring.gpg").unlink()
    with pytest.raises(ToolMissing, match="apt-get install debian-archive-keyring"):
        read_host(root)


def test_a_machine_without_sources_is_told_which_variable_helps(root: Path) -> None:
    with pytest.raises(ToolMissing, match="HOTLINE_DEBIAN_MIRROR"):
        read_host(root)
