"""Writes uv.lock without download addresses, so that any mirror serves it.

The lock pins every version and hash; where the files come from is the machine's own setting
(pip.conf, UV_INDEX_URL or the default index). Run by `make lock`.
"""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

LOCK = Path(__file__).resolve().parents[2] / "uv.lock"


def without_addresses(lock: str) -> str:
    """Return the lock's text with each index named `index` and each file by its name alone."""
    lock = re.sub(r'registry = "[^"]+"', 'registry = "index"', lock)
    lock = re.sub(r'url = "[^"]*/([^"/]+)"', lambda url: f'path = "{unquote(url[1])}"', lock)
    return re.sub(r', upload-time = "[^"]+"', "", lock)


def main(uv: str) -> None:
    """Lock the project's dependencies with the given uv and strip the addresses."""
    LOCK.unlink(missing_ok=True)
    subprocess.run([uv, "lock", "--quiet"], check=True, cwd=LOCK.parent)  # noqa: S603 - our own uv
    LOCK.write_text(without_addresses(LOCK.read_text()))


if __name__ == "__main__":
    main(sys.argv[1])
