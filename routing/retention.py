"""How long each class of data is kept, as a versioned file of the city; pure but for reading it.

Sources: 个人信息保护法 19, 47; 网络安全法 21 (network logs, six months at least); 网络数据安全管理
条例 12 (records of giving personal data to others, three years at least); domain facts 5.
"""

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from routing.documents import Document, read_document

FILE = "retention.yaml"


class Kept(StrEnum):
    """A class of data with a period of its own."""

    RECORDINGS = "recordings"
    TRANSCRIPTS = "transcripts"
    TEXTS = "texts"
    EVIDENCE = "evidence"
    REPORTERS = "reporters"
    DUTY_LOG = "duty_log"
    CONTACTS = "contacts"
    PUBLICATIONS = "publications"
    APPEALS = "league_appeals"
    IDENTITIES = "identities"
    ACCESS = "access"
    GIVEN = "given"


LEAST = {Kept.ACCESS: 6, Kept.GIVEN: 36}
"""Months that the law asks for at least."""


class Period(Document):
    """How many months, and what says so."""

    months: int = Field(ge=1, le=1200)
    basis: str = Field(min_length=4)


class Retention(Document):
    """One version of the periods; `name` ends in the version, `default/1`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*/[1-9][0-9]*$")
    classes: dict[Kept, Period]
    answer_working_days: int = Field(default=15, ge=1, le=60)
    """Within which a request of a person about the own data is answered."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if missing := set(Kept) - set(self.classes):
            raise ValueError(f"classes: {min(missing)} is missing")
        for kind, months in LEAST.items():
            if self.classes[kind].months < months:
                raise ValueError(f"classes.{kind}.months: the law asks for {months} at least")
        return self

    def fingerprint(self) -> str:
        """The hash of what it says: a file changed under the same name is another one."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_retention(city: Path, shipped: Path) -> Retention:
    """The city's own periods, else those that ship.

    Raises:
        DataFault: the file is wrong; one sentence says where.
    """
    own = city / FILE
    return read_document(own if own.exists() else shipped / FILE, Retention)
