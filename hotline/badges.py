"""The badge a caller is told, where the exchange reads it: one file a seat somebody logged in at.

The exchange plays it by itself when that telephone is picked up (deploy/asterisk/line_plan.py), so
it is told while the service is away, too. The configuration names each seat's badge; `write_badges`
makes the folder agree with who has logged in, and may be repeated at any time.
"""

from collections.abc import Mapping
from pathlib import Path


def write_badges(folder: Path, wanted: Mapping[str, str]) -> None:
    """Make the folder hold exactly these badges, by seat; what is no seat's file is left alone.

    Raises:
        OSError: the folder cannot be written; what was told before may still be told.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name.isdecimal() and path.name not in wanted:
            path.unlink(missing_ok=True)
    for seat, badge in wanted.items():
        path = folder / seat
        if not path.is_file() or path.read_text(encoding="utf-8") != badge:
            written = path.with_name(f".{seat}")
            written.write_text(badge, encoding="utf-8")
            written.chmod(0o600)
            written.replace(path)
