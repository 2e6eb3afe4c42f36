"""The passwords of the exchange: made up at the first start, readable by their owner alone."""

import json
import os
import secrets as randomness
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import ExchangeInvalid

FILE = "secrets.json"
BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Secrets of the two AMI users and of the operators' telephones, by extension."""

    reader: str
    actor: str
    operators: dict[str, str]

    def __repr__(self) -> str:
        return "Secrets(...)"  # never into a log or a traceback


def load_or_create(run_dir: Path, extensions: Iterable[str] = ()) -> Secrets:
    """Return the secrets of `run_dir`, making up what is missing (mode 0600).

    Raises:
        ExchangeInvalid: the file is not ours to read or is not a secrets file.
    """
    path = run_dir / FILE
    known = _read(path)
    telephones = known.get("operators", {})
    if not isinstance(telephones, dict):
        raise _damaged(path)
    secrets = Secrets(
        reader=str(known.get("reader") or randomness.token_urlsafe(BYTES)),
        actor=str(known.get("actor") or randomness.token_urlsafe(BYTES)),
        operators={
            **telephones,
            **{
                extension: randomness.token_urlsafe(BYTES)
                for extension in extensions
                if extension not in telephones
            },
        },
    )
    fresh = {"reader": secrets.reader, "actor": secrets.actor, "operators": secrets.operators}
    if fresh != known:
        run_dir.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(fresh, indent=1) + "\n")
    return secrets


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
