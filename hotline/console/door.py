"""Who may come in: nobody from outside without the password, nobody through a foreign page.

Without a password the service listens on loopback only (config.py sees to that) and answers only
requests that name this machine as their host, so that a page elsewhere cannot reach it by a host
name of its own (DNS rebinding), and none that came through a proxy.
With one, a session is a signed cookie (HttpOnly, SameSite=Strict) that outlives a restart.
"""

import base64
import hashlib
import hmac
import ipaddress
import os
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from hotline.console.problems import Fault, ProblemError

COOKIE = "hotline_session"
LASTS = timedelta(hours=12)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
_KEY_BYTES = 32
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks; `seat` is an operator's extension where one was named."""

    seat: str | None
    expires_at: datetime | None = None
    nonce: str | None = None

    @property
    def name(self) -> str:
        """How the journal names this person."""
        return self.seat or "console"


class Attempts:
    """Counts wrong passwords by address and makes the next try wait longer and longer."""

    FREE = 5
    LONGEST = timedelta(minutes=15)
    KNOWN = 10_000
    EVERYBODY = ""

    def __init__(self) -> None:
        """`EVERYBODY` is counted beside each address, with a larger allowance."""
        self._seen: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def check(self, address: str, now: datetime) -> None:
        """Raise `ProblemError` where this address, or all together, must wait."""
        for key, free in ((address, self.FREE), (self.EVERYBODY, self.FREE * 20)):
            count, last = self._seen.get(key, (0, now))
            if count < free:
                continue
            wait = min(self.LONGEST, timedelta(seconds=2 ** min(count - free, 20)))
            left = (last + wait - now).total_seconds()
            if left > 0:
                seconds = int(left) + 1
                raise ProblemError(
                    Fault.TOO_MANY_ATTEMPTS,
                    f"Too many wrong passwords: try again in {seconds} s.",
                    retry_after=seconds,
                )

    def failed(self, address: str, now: datetime) -> None:
        """Remember one wrong password; a quiet quarter of an hour forgets them."""
        for key in (address, self.EVERYBODY):
            count, last = self._seen.get(key, (0, now))
            self._seen[key] = (1 if now - last > self.LONGEST else count + 1, now)
            self._seen.move_to_end(key)
        while len(self._seen) > self.KNOWN:
            self._seen.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address that knows the password."""
        self._seen.pop(address, None)
        count, last = self._seen.get(self.EVERYBODY, (0, _LONG_AGO))
        self._seen[self.EVERYBODY] = (max(0, count - 1), last)


class Door:
    """Checks passwords, makes and reads session cookies."""

    def __init__(self, *, password: str | None, key: bytes, host: str) -> None:
        """`host` is where the service listens; `key` signs sessions and survives restarts."""
        self._host = host
        self.password_needed = password is not None
        self._salt = key
        self._hash = _scrypt(password, key) if password is not None else b""
        # A new password ends every session.
        self._sign_with = hmac.digest(key, b"session" + self._hash, "sha256")
        self.attempts = Attempts()
        self._ended: dict[str, datetime] = {}

    def is_password(self, password: str) -> bool:
        """Whether this is the console's password; slow on purpose, so call it in a thread."""
        return hmac.compare_digest(_scrypt(password, self._salt), self._hash)

    def begin(self, seat: str | None, now: datetime) -> tuple[str, Person]:
        """The cookie of a new session and who it stands for."""
        person = Person(seat=seat, expires_at=now + LASTS, nonce=secrets.token_urlsafe(12))
        expires = int((now + LASTS).timestamp())
        payload = f"1.{expires}.{seat or ''}.{person.nonce}"
        return f"{payload}.{self._mac(payload)}", person

    def end(self, person: Person, now: datetime) -> None:
        """A session ends before its time; forgotten once it would have ended anyway."""
        self._ended = {nonce: until for nonce, until in self._ended.items() if until > now}
        if person.nonce and person.expires_at:
            self._ended[person.nonce] = person.expires_at

    def who(self, cookie: str | None, now: datetime) -> Person | None:
        """The person behind a cookie; without a password everyone here is somebody."""
        found = self._read(cookie, now) if cookie else None
        if found is None and not self.password_needed:
            return Person(seat=None)
        return found

    def _read(self, cookie: str, now: datetime) -> Person | None:
        payload, _, mac = cookie.rpartition(".")
        if not hmac.compare_digest(mac.encode(errors="replace"), self._mac(payload).encode()):
            return None
        _, expires, seat, nonce = payload.split(".", 3)
        expires_at = datetime.fromtimestamp(int(expires), UTC)
        if expires_at <= now or nonce in self._ended:
            return None
        return Person(seat=seat or None, expires_at=expires_at, nonce=nonce)

    def _mac(self, payload: str) -> str:
        digest = hmac.digest(self._sign_with, payload.encode(errors="replace"), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def check_origin(self, method: str, headers: Mapping[str, str]) -> None:
        """Refuse what another site's page sends, and what reaches an open console from outside."""
        host = headers.get("Host", "")
        if not self.password_needed:
            if any(name in headers for name in _PROXY_HEADERS):
                raise ProblemError(
                    Fault.WRONG_HOST,
                    "This console is reached through a proxy and has no password: set "
                    "console_password first.",
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
