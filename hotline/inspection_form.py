"""Reads the form that calls are inspected by: the city's own, else the one that ships."""

from pathlib import Path

from routing.documents import read_document
from transcription.inspection.form import Form

FILE = "inspection.yaml"
SHIPPED_FILE = "inspection/default.yaml"


def load_form(city: Path, shipped: Path) -> Form:
    """The form in force.

    Raises:
        DataFault: the file is missing or wrong; one sentence says where.
    """
    own = city / FILE
    return read_document(own if own.exists() else shipped / SHIPPED_FILE, Form)
