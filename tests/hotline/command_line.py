"""The command line as an administrator types it: the status and all that was printed come back."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hotline import cli

Run = Callable[..., tuple[int, str]]


def typist(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], toml: Path) -> Run:
    """What runs `hotline WORDS` with this configuration and with no setting of this machine."""
    for name in [name for name in os.environ if name.startswith("HOTLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOTLINE_CONFIG", str(toml))

    def typed(*words: str | Path) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["hotline", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return typed
