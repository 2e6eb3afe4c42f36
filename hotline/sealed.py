"""The database's types for names and numbers as text: sealed going in, opened coming out.

Where a query has a parameter of type `sealed` it is given text, and a column of that type comes
back as text; a parameter of type `fingerprint` is given the text that is looked for, one of type
`tails` a number whose last digits are. Whoever opened
a connection without keys is told so when it meets such a value, and not before.
"""

from typing import Any, LiteralString

import asyncpg

from telephony.sealing import KeyFile, Keyring, SealError

_KNOWN: LiteralString = """
    SELECT current_schema() AS schema, to_regtype('sealed') IS NOT NULL AS sealed,
           to_regtype('tails') IS NOT NULL AS tails"""
_TAILS_KNOWN: LiteralString = "SELECT to_regtype('tails') IS NOT NULL"
_USED: LiteralString = """
    SELECT DISTINCT (number).key FROM identities WHERE number IS NOT NULL
     UNION SELECT DISTINCT (name).key FROM identities WHERE name IS NOT NULL
     UNION SELECT DISTINCT (part).key FROM duty_reporters,
           LATERAL (VALUES (unit), (name), (post), (phone)) AS parts (part)
            WHERE part IS NOT NULL
     UNION SELECT DISTINCT (phone).key FROM duty_contacts WHERE phone IS NOT NULL
     UNION SELECT DISTINCT (said).key FROM accused_others
     UNION SELECT DISTINCT (address).key FROM notice_addresses WHERE address IS NOT NULL
     UNION SELECT DISTINCT (address).key FROM notices WHERE address IS NOT NULL
     UNION SELECT DISTINCT (applicant).key FROM person_requests"""
_PLAIN: LiteralString = """
    SELECT token, plain_number, plain_name FROM identities WHERE plain_number IS NOT NULL
     LIMIT $1 FOR UPDATE SKIP LOCKED"""
_SEAL: LiteralString = """
    UPDATE identities SET look_up = $2, number = $3, name = $4, plain_number = NULL,
           plain_name = NULL, tail = (($5::tails).hashes)[1]
     WHERE token = $1"""
_NO_TAIL: LiteralString = """
    SELECT token, number FROM identities WHERE tail IS NULL AND number IS NOT NULL
     LIMIT $1 FOR UPDATE SKIP LOCKED"""
_MARK: LiteralString = "UPDATE identities SET tail = (($2::tails).hashes)[1] WHERE token = $1"
_OLD: LiteralString = """
    SELECT token, number, name, number FROM identities WHERE (number).key < $1
     LIMIT $2 FOR UPDATE SKIP LOCKED"""
_RENEW: LiteralString = """
    UPDATE identities SET number = $2, name = $3, tail = (($4::tails).hashes)[1]
     WHERE token = $1"""
_OLD_REPORTERS: LiteralString = """
    SELECT id, unit, name, post, phone FROM duty_reporters
     WHERE least((unit).key, (name).key, (post).key, (phone).key) < $1
     LIMIT $2 FOR UPDATE SKIP LOCKED"""
_RENEW_REPORTER: LiteralString = """
    UPDATE duty_reporters SET unit = $2, name = $3, post = $4, phone = $5 WHERE id = $1"""
_OLD_CONTACTS: LiteralString = """
    SELECT id, name, phone FROM duty_contacts WHERE (phone).key < $1
     LIMIT $2 FOR UPDATE SKIP LOCKED"""
_RENEW_CONTACT: LiteralString = "UPDATE duty_contacts SET name = $2, phone = $3 WHERE id = $1"
_OLD_ACCUSED: LiteralString = """
    SELECT id, said FROM accused_others WHERE (said).key < $1 LIMIT $2 FOR UPDATE SKIP LOCKED"""
_RENEW_ACCUSED: LiteralString = "UPDATE accused_others SET said = $2 WHERE id = $1"
_OLD_ADDRESSES: LiteralString = """
    SELECT id, address FROM notice_addresses WHERE (address).key < $1
     LIMIT $2 FOR UPDATE SKIP LOCKED"""
_RENEW_ADDRESS: LiteralString = "UPDATE notice_addresses SET address = $2 WHERE id = $1"
_OLD_NOTICES: LiteralString = """
    SELECT id, address FROM notices WHERE (address).key < $1
     LIMIT $2 FOR UPDATE SKIP LOCKED"""
_RENEW_NOTICE: LiteralString = "UPDATE notices SET address = $2 WHERE id = $1"
_OLD_APPLICANTS: LiteralString = """
    SELECT id, applicant FROM person_requests WHERE (applicant).key < $1
     LIMIT $2 FOR UPDATE SKIP LOCKED"""
_RENEW_APPLICANT: LiteralString = "UPDATE person_requests SET applicant = $2 WHERE id = $1"
_PLAIN_ADDRESSES: LiteralString = """
    SELECT id, plain_address FROM notice_addresses WHERE plain_address IS NOT NULL
     LIMIT $1 FOR UPDATE SKIP LOCKED"""
_SEAL_ADDRESS: LiteralString = """
    UPDATE notice_addresses SET address = $2, look_up = $3, plain_address = NULL WHERE id = $1"""
_PLAIN_NOTICES: LiteralString = """
    SELECT id, plain_address FROM notices WHERE plain_address IS NOT NULL
     LIMIT $1 FOR UPDATE SKIP LOCKED"""
_SEAL_NOTICE: LiteralString = """
    UPDATE notices SET address = $2, look_up = $3, plain_address = NULL WHERE id = $1"""
_RENEWED: tuple[tuple[LiteralString, LiteralString], ...] = (
    (_OLD, _RENEW),
    (_OLD_REPORTERS, _RENEW_REPORTER),
    (_OLD_CONTACTS, _RENEW_CONTACT),
    (_OLD_ACCUSED, _RENEW_ACCUSED),
    (_OLD_ADDRESSES, _RENEW_ADDRESS),
    (_OLD_NOTICES, _RENEW_NOTICE),
    (_OLD_APPLICANTS, _RENEW_APPLICANT),
)
"""What finds rows that an older key sealed, and what seals one of them anew."""
_SEALED: tuple[tuple[LiteralString, LiteralString, tuple[int, ...]], ...] = (
    (_PLAIN, _SEAL, (0, 1, 1, 2, 1)),
    (_PLAIN_ADDRESSES, _SEAL_ADDRESS, (0, 1, 1)),
    (_PLAIN_NOTICES, _SEAL_NOTICE, (0, 1, 1)),
)
"""What finds rows that an earlier version left plain, what seals one, and with which columns."""
AT_ONCE = 1000


async def teach(conn: asyncpg.Connection, keys: KeyFile | None) -> None:
    """Let a connection seal and open; before the types are there it has nothing to learn."""
    known = await conn.fetchrow(_KNOWN)
    if known is None or not known["sealed"]:
        return

    def ring() -> Keyring:
        if keys is None:
            raise SealError("This connection was opened without the identity keys.")
        return keys.ring

    def opened(value: tuple[Any, ...]) -> str | None:
        return None if value[1] is None else ring().open((value[0], value[1]))

    await conn.set_type_codec(
        "sealed",
        schema=known["schema"],
        encoder=lambda text: ring().seal(text),
        decoder=opened,
        format="tuple",
    )
    await conn.set_type_codec(
        "fingerprint",
        schema=known["schema"],
        encoder=lambda text: (ring().fingerprint(text),),
        decoder=lambda value: value[0],
        format="tuple",
    )
    if known["tails"]:
        await conn.set_type_codec(
            "tails",
            schema=known["schema"],
            encoder=lambda text: (ring().tails(text),),
            decoder=lambda value: value[0],
            format="tuple",
        )


async def check_keys(conn: asyncpg.Connection, keys: Keyring) -> None:
    """Make sure that everything sealed can be opened.

    Raises:
        SealError: the key file lacks a key that the database uses.
    """
    used = {row["key"] for row in await conn.fetch(_USED)}
    if missing := sorted(used - set(keys.keys)):
        raise SealError(
            f"The database holds names and numbers sealed with key {missing[0]}, which the "
            "identity keys do not have: put back the key file that belongs to this database."
        )


async def seal_old(conn: asyncpg.Connection) -> int:
    """Seal what an earlier version left plain; returns how many rows, after any interruption."""
    sealed = 0
    for plain, seal, given in _SEALED:
        while True:
            async with conn.transaction():
                rows = await conn.fetch(plain, AT_ONCE)
                for row in rows:
                    await conn.execute(seal, *(row[at] for at in given))
            sealed += len(rows)
            if not rows:
                break
    return sealed


async def mark_tails(conn: asyncpg.Connection) -> int:
    """Give those of an earlier version the fingerprint of their last digits; returns how many."""
    if not await conn.fetchval(_TAILS_KNOWN):
        return 0
    marked = 0
    while True:
        async with conn.transaction():
            rows = await conn.fetch(_NO_TAIL, AT_ONCE)
            await conn.executemany(_MARK, [(row["token"], row["number"]) for row in rows])
        marked += len(rows)
        if not rows:
            return marked


async def renew(conn: asyncpg.Connection, keys: Keyring) -> int:
    """Seal anew what an older key sealed; returns how many people. Can be cut off anywhere."""
    renewed = 0
    for old, again in _RENEWED:
        while True:
            async with conn.transaction():
                rows = await conn.fetch(old, keys.newest, AT_ONCE)
                for row in rows:
                    await conn.execute(again, *row)
            renewed += len(rows)
            if not rows:
                break
    return renewed
