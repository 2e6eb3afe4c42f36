"""An operator's telephone is set up: his SIP password is shown, or fetched from a link, and told.

    somebody may see it      -> a link (its hash), journal(phone.provisioned, way=shown)
    the telephone fetches it -> the link is used up, journal(phone.provisioned, way=link)

The password comes from the file the exchange was configured from, at the moment it is wanted, and
goes to whoever asked and nowhere else: not into the database, the journal or the log.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import LiteralString

from hotline import journal
from hotline.config import Config, Operator
from hotline.database import Connection
from hotline.errors import PhoneLinkGoneError, PhoneUnknownError
from hotline.journal import Event
from hotline.phones import Telephone

TOKEN_BYTES = 32
_KEPT_FOR = timedelta(days=1)

_ISSUE: LiteralString = """
    INSERT INTO phone_links (hash, operator, issued_by, issued_at, expires_at)
    VALUES ($1, $2, $3, $4, $5)"""
_USE: LiteralString = """
    UPDATE phone_links SET used_at = $2
     WHERE hash = $1 AND used_at IS NULL AND expires_at > $2
    RETURNING operator, issued_by"""
_FORGET: LiteralString = "DELETE FROM phone_links WHERE expires_at < $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """What somebody is shown: the telephone, and the link that gives the same once more."""

    telephone: Telephone
    link: str = field(repr=False)
    expires_at: datetime


async def show(
    tx: Connection, config: Config, operator: str, *, by: str, now: datetime
) -> Provisioned:
    """The settings of an operator's telephone, with a fresh link; `by` may see them.

    Raises:
        PhoneUnknownError: there is no such operator, or nobody has told the service his password.
    """
    telephone = telephone_of(config, operator)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = now + timedelta(seconds=config.phones.link_seconds)
    await tx.execute(_FORGET, now - _KEPT_FOR)
    await tx.execute(_ISSUE, _hash(token), operator, by, now, expires_at)
    await _tell(tx, operator, by, "shown", now)
    link = f"{config.phones_url}/phones/{token}"
    return Provisioned(telephone=telephone, link=link, expires_at=expires_at)


async def fetch(tx: Connection, config: Config, token: str, *, now: datetime) -> Telephone:
    """The settings behind a link, which is used up by it.

    Raises:
        PhoneLinkGoneError: it was used, is too old, or never was.
        PhoneUnknownError: his password is not known any more.
    """
    row = await tx.fetchrow(_USE, _hash(token), now)
    if row is None:
        raise PhoneLinkGoneError(
            "This link was used or is too old: have the telephone's settings shown again."
        )
    telephone = telephone_of(config, row["operator"])
    await _tell(tx, row["operator"], row["issued_by"], "link", now)
    return telephone


def telephone_of(config: Config, operator: str) -> Telephone:
    """An operator's telephone with its password; reads the exchange's secrets file."""
    person = next((one for one in config.operators if one.extension == operator), None)
    if person is None:
        raise PhoneUnknownError(f"There is no operator {operator}.")
    phones = config.phones
    if phones.server is None:
        raise PhoneUnknownError(
            "The configuration does not say where telephones register: set [phones] server."
        )
    return Telephone(
        operator=operator,
        label=person.badge,
        server=phones.server,
        port=phones.port,
        transport=phones.transport,
        secret=_secret(person, phones.secrets_file),
        codecs=phones.codecs,
        srtp=phones.srtp,
    )


def _secret(person: Operator, file: Path | None) -> str:
    if person.secret is not None:
        return person.secret.get_secret_value()
    if file is not None:
        known = read_secrets(file, "operators").get(person.extension)
        if isinstance(known, str):
            return known
    raise PhoneUnknownError(
        f"The password of telephone {person.extension} is not known here: give its secret_file, "
        "or name the exchange's secrets file in [phones]."
    )


def read_secrets(file: Path, of: str) -> dict[str, object]:
    """The passwords by extension (`of`: operators, browsers), as deploy/asterisk writes them.

    Raises:
        PhoneUnknownError: the file is none, or cannot be read.
    """
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        operators = told[of]
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = getattr(error, "strerror", None) or "it is not such a file"
        raise PhoneUnknownError(f"The secrets file {file} cannot be read ({why}).") from None
    return operators if isinstance(operators, dict) else {}


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def _tell(tx: Connection, operator: str, by: str, way: str, now: datetime) -> None:
    body = {"operator": operator, "way": way}
    await journal.write(tx, at=now, actor=by, event=Event.PHONE_PROVISIONED, body=body)
