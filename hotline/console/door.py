"""Who may come in: nobody from outside without the password, nobody through a foreign page.

Three stages, and each ends the one before:
- no user and no password: the service listens on loopback only (config.py sees to that) and
  answers only requests that name this machine as their host, so that a page elsewhere cannot reach
  it by a host name of its own (DNS rebinding), and none that came through a proxy;
- no user and a `console_password`: everybody signs in with it, and has every role;
- users: each signs in by login and password or by OpenID Connect, programs by a token.

A session is a row and a signed cookie (HttpOnly, SameSite=Strict) that outlives a restart; ended,
idle and expired ones open nothing, nor does the cookie of a user who was deactivated.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from hotline import session_rows, user_rows
from hotline.accounts import TOKEN_PREFIX, digest
from hotline.config_sign_in import SignIn
from hotline.console.attempts import Attempts, Pace
from hotline.console.person import Person, anybody
from hotline.console.problems import Fault, ProblemError
from hotline.database import Connection, Pool, borrowed
from hotline.users import ROLES, User, Way

COOKIE = "hotline_session"
QUIET = "X-Hotline-Quiet"
"""A page that asks by itself, with nobody touching it, sends this header."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SEEN_EVERY = timedelta(minutes=1)
_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
_KEY_BYTES = 32
_PATIENCE = 3.0
_PAYLOAD = re.compile(r"2\.([cu])\.([0-9]{1,18})\.([A-Za-z0-9_-]{1,64})", re.ASCII)
_TOKEN = re.compile(rf"{TOKEN_PREFIX}_([0-9]{{1,18}})_([A-Za-z0-9_-]{{1,64}})", re.ASCII)


class Door:
    """Knows who comes: reads cookies and tokens, begins and ends sessions."""

    def __init__(
        self, *, pool: Pool, password: str | None, key: bytes, host: str, sign_in: SignIn
    ) -> None:
        """`host` is where the service listens; `key` signs sessions and survives restarts."""
        self._pool, self._host = pool, host
        self._has_password = password is not None
        self._salt = key
        self._hash = _scrypt(password, key) if password is not None else b""
        # A new console password ends every session made with the old one.
        self._sign_with = {
            "c": hmac.digest(key, b"session" + self._hash, "sha256"),
            "u": hmac.digest(key, b"session of a user", "sha256"),
        }
        self.lasts = timedelta(hours=sign_in.session_hours)
        self._idle = timedelta(minutes=sign_in.idle_minutes)
        self.attempts = Attempts()
        self.asking = Attempts(everybody=False)
        self.unknown = Attempts()
        """Counts by login, so that a login nobody has answers like one that exists."""
        self.pace = Pace(sign_in.requests_per_minute)
        self._users = False

    async def look(self) -> None:
        """Find out whether there are users; once there are, there always will be."""
        if not self._users:
            async with asyncio.timeout(_PATIENCE), borrowed(self._pool) as conn:
                self._users = await user_rows.any_user(conn)

    @property
    def has_users(self) -> bool:
        """Whether people sign in as users, as of the last look."""
        return self._users

    @property
    def password_needed(self) -> bool:
        """Whether nobody comes in without one."""
        return self._users or self._has_password

    def is_password(self, password: str) -> bool:
        """Whether this is the console's password; slow on purpose, so call it in a thread."""
        return self._has_password and hmac.compare_digest(_scrypt(password, self._salt), self._hash)

    # ---- coming in ----

    async def who(
        self, headers: Mapping[str, str], cookie: str | None, now: datetime
    ) -> Person | None:
        """Whoever asks; without users and password everyone here is somebody."""
        scheme, _, value = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._program(value.strip(), now)
        found = await self._read(cookie, now, quiet=QUIET in headers) if cookie else None
        if found is None and not self.password_needed:
            return anybody(None)
        return found

    async def _read(self, cookie: str, now: datetime, *, quiet: bool) -> Person | None:
        payload, _, mac = cookie.rpartition(".")
        match = _PAYLOAD.fullmatch(payload)
        if match is None or not hmac.compare_digest(
            mac.encode(errors="replace"), self._mac(payload)
        ):
            return None
        kind, number, secret = match.groups()
        if kind == "c" and self._users:
            return None
        async with borrowed(self._pool) as conn:
            row = await session_rows.session(
                conn, int(number), digest(secret), now=now, idle_since=now - self._idle
            )
            if row is not None and not quiet and now - row.seen_at >= SEEN_EVERY:
                await session_rows.seen(conn, row.id, now)
        if row is None:
            return None
        if row.user_id is None or row.login is None:
            return anybody(row.seat, session_id=row.id, expires_at=row.expires_at)
        return Person(
            name=row.login,
            roles=row.roles,
            unit=row.unit,
            seat=row.seat or row.extension,
            user_id=row.user_id,
            session_id=row.id,
            expires_at=row.expires_at,
            must_change=row.must_change,
        )

    async def _program(self, text: str, now: datetime) -> Person | None:
        match = _TOKEN.fullmatch(text)
        if match is None:
            return None
        async with borrowed(self._pool) as conn:
            row = await session_rows.holder(conn, int(match[1]), digest(match[2]), now)
            if row is not None and (row.used_at is None or now - row.used_at >= SEEN_EVERY):
                await session_rows.used(conn, row.id, now)
        if row is None:
            return None
        return Person(
            name=row.login,
            roles=row.roles & ROLES,
            unit=row.unit,
            seat=row.extension,
            user_id=row.user_id,
            token_id=row.id,
            expires_at=row.expires_at,
        )

    # ---- sessions ----

    async def begin(
        self,
        tx: Connection,
        user: User | None,
        *,
        seat: str | None,
        way: Way,
        address: str,
        now: datetime,
    ) -> tuple[str, Person]:
        """The cookie of a new session and who it stands for; None is the console's password."""
        secret, expires_at = secrets.token_urlsafe(_KEY_BYTES), now + self.lasts
        session_id = await session_rows.begin(
            tx,
            user_id=user.id if user else None,
            secret=digest(secret),
            seat=seat,
            way=way,
            address=address,
            now=now,
            expires_at=expires_at,
        )
        payload = f"2.{'u' if user else 'c'}.{session_id}.{secret}"
        cookie = f"{payload}.{self._mac(payload).decode()}"
        if user is None:
            return cookie, anybody(seat, session_id=session_id, expires_at=expires_at)
        return cookie, Person(
            name=user.login,
            roles=user.roles,
            unit=user.unit,
            seat=seat or user.extension,
            user_id=user.id,
            session_id=session_id,
            expires_at=expires_at,
            must_change=user.must_change and way is Way.PASSWORD,
        )

    def _mac(self, payload: str) -> bytes:
        return signed(payload, self._sign_with[payload[2]])

    def signing_key(self, purpose: str) -> bytes:
        """A key of its own for something else that is signed, such as the way to a provider."""
        return hmac.digest(self._salt, purpose.encode(), "sha256")

    # ---- where requests come from ----

    def check_origin(self, method: str, headers: Mapping[str, str]) -> None:
        """Refuse what another site's page sends, and what reaches an open console from outside."""
        host = headers.get("Host", "")
        if not self.password_needed:
            if any(name in headers for name in _PROXY_HEADERS):
                raise ProblemError(
                    Fault.WRONG_HOST,
                    "This console is reached through a proxy and has no users and no password: "
                    "add an administrator or set console_password first.",
                )
            if not self._is_here(host):
                raise ProblemError(
                    Fault.WRONG_HOST,
                    "Without a password the console answers on this machine's own name only.",
                )
        if method in SAFE_METHODS:
            return
        site = headers.get("Sec-Fetch-Site")
        origin = headers.get("Origin")
        foreign_site = site is not None and site not in {"same-origin", "none"}
        foreign_origin = origin is not None and urlsplit(origin).netloc.lower() != host.lower()
        if foreign_site or foreign_origin:
            raise ProblemError(Fault.FOREIGN_REQUEST, "Another site's page may not do this here.")

    def _is_here(self, host: str) -> bool:
        name = urlsplit(f"//{host}").hostname or ""
        if name in {"localhost", self._host.lower()}:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def signed(payload: str, key: bytes) -> bytes:
    """The signature of a text that a browser keeps for us."""
    made = hmac.digest(key, payload.encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=")


def basic_password(headers: Mapping[str, str]) -> str | None:
    """The password a scraper sends by basic authentication."""
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(errors="replace"), salt=salt, n=2**14, r=8, p=1, dklen=32)


def key_in(file: Path) -> bytes:
    """The signing key kept in a file of the data folder; made at the first start, mode 0600."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = file.read_bytes()
        if len(found) == _KEY_BYTES:
            return found
        file.unlink()  # cut short by a crash: nobody has a session made with it
        return key_in(file)
    with os.fdopen(descriptor, "wb") as opened:
        key = secrets.token_bytes(_KEY_BYTES)
        opened.write(key)
    return key
