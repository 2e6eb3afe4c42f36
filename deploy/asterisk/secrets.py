"""The passwords of the exchange: made up at the first start, readable by their owner alone."""

import json
import os
import secrets as randomness
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.errors import ExchangeInvalid

FILE = "secrets.json"
BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Secrets of the two AMI users and of the operators' telephones, by extension.

    `browsers` are those of the telephones in the browser: whoever knows one cannot register as the
    other.
    """

    reader: str
    actor: str
    operators: dict[str, str]
    browsers: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Secrets(...)"  # never into a log or a traceback


def load_or_create(run_dir: Path, extensions: Iterable[str] = ()) -> Secrets:
    """Return the secrets of `run_dir`, making up what is missing (mode 0600).

    Raises:
        ExchangeInvalid: the file is not ours to read or is not a secrets file.
    """
    path = run_dir / FILE
    known = _read(path)
    wanted = tuple(extensions)
    secrets = Secrets(
        reader=str(known.get("reader") or randomness.token_urlsafe(BYTES)),
        actor=str(known.get("actor") or randomness.token_urlsafe(BYTES)),
        operators=_telephones(path, known.get("operators", {}), wanted),
        browsers=_telephones(path, known.get("browsers", {}), wanted),
    )
    fresh = {
        "reader": secrets.reader,
        "actor": secrets.actor,
        "operators": secrets.operators,
        "browsers": secrets.browsers,
    }
    if fresh != known:
        run_dir.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(fresh, indent=1) + "\n")
    return secrets


def _telephones(path: Path, known: object, extensions: Iterable[str]) -> dict[str, str]:
    if not isinstance(known, dict):
        raise _damaged(path)
    made = {one: randomness.token_urlsafe(BYTES) for one in extensions if one not in known}
    return {**known, **made}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, complete or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def _read(path: Path) -> dict[str, object]:
    try:
        known = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    if not isinstance(known, dict):
        raise _damaged(path)
    return known


def _damaged(path: Path) -> ExchangeInvalid:
    return ExchangeInvalid(
        f"The secrets file {path} cannot be read: delete it and start again, new ones are made up."
    )
