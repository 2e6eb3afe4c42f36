"""A catalogue of categories as a CSV file with the columns level1, level2 and level3."""

import csv
from pathlib import Path

from routing.errors import ModelFault
from routing.leaves import Path3
from routing.rules import LEVEL1

COLUMNS = ("level1", "level2", "level3")


def read_categories(path: Path) -> tuple[Path3, ...]:
    """Return every leaf once, in the file's order.

    Raises:
        ModelFault: one sentence says what is wrong with the file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelFault(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ModelFault(f"{path} is no UTF-8 text.") from error
    rows = csv.DictReader(text.splitlines())
    if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
        raise ModelFault(f"{path} needs the columns level1, level2 and level3; no {missing[0]}.")
    found: dict[Path3, None] = {}
    for number, row in enumerate(rows, start=2):
        leaf = tuple((row[name] or "").strip() for name in COLUMNS)
        if "" in leaf:
            raise ModelFault(f"{path}, line {number}: a leaf has three levels.")
        if leaf[0] not in LEVEL1:
            raise ModelFault(f"{path}, line {number}: {leaf[0]} is no level-1 category.")
        found[leaf[0], leaf[1], leaf[2]] = None
    if not found:
        raise ModelFault(f"{path} has no leaf.")
    return tuple(found)
