"""Names and numbers sealed before they reach the database: its files and copies tell nothing.

AES-256-GCM with a random nonce (NIST SP 800-38D); each value keeps the number of its key, so that
keys can change one row after the other. A caller is found again by a keyed fingerprint of the
number (HMAC-SHA256): equal numbers have equal ones, and without the key none can be tried out.
The last digits of a number have fingerprints of their own, made with keys that follow from the
sealing ones and change with them: ten thousand endings could be tried out by whoever has one.
The keys lie in one file of the service's own folder, never in the database.
"""

import base64
import binascii
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from telephony.errors import TelephonyError

KEY_BYTES = 32
NONCE_BYTES = 12
ABOUT = b"hotline identity 1"
LOOK_UP = "look-up"
TAIL = b"hotline tail 1"
TAIL_DIGITS = 4
DIGITS = frozenset("0123456789")


class SealError(TelephonyError):
    """A sealed name or number cannot be read or written; the sentence says what is missing."""


Sealed = tuple[int, bytes]
"""The number of the key, and nonce and ciphertext."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """The keys by number, and the one fingerprints are made with; new values take the newest."""

    keys: Mapping[int, bytes] = field(repr=False)
    fingerprints: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """A ring with one fresh key."""
        return cls(keys={1: _fresh()}, fingerprints=_fresh())

    @property
    def newest(self) -> int:
        """The number of the key that seals."""
        return max(self.keys)

    def with_new_key(self) -> Self:
        """The same ring with one key more; what older ones sealed stays readable."""
        return type(self)(
            keys={**self.keys, self.newest + 1: _fresh()}, fingerprints=self.fingerprints
        )

    def without_old_keys(self) -> Self:
        """Only the newest key is left: nothing may be sealed with another any more."""
        return type(self)(
            keys={self.newest: self.keys[self.newest]}, fingerprints=self.fingerprints
        )

    def seal(self, text: str) -> Sealed:
        """The text so that nobody without the key can read it."""
        nonce, number = os.urandom(NONCE_BYTES), self.newest
        return number, nonce + AESGCM(self.keys[number]).encrypt(nonce, text.encode(), ABOUT)

    def open(self, sealed: Sealed) -> str:
        """The text that was sealed.

        Raises:
            SealError: its key is not on the ring, or it was tampered with.
        """
        number, box = sealed
        if (key := self.keys.get(number)) is None:
            raise SealError(
                f"A name or number was sealed with key {number}, which the key file does not have:"
                " put the right identity keys back."
            )
        try:
            return AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], ABOUT).decode()
        except (InvalidTag, ValueError) as error:
            raise SealError("A sealed name or number was changed in the database.") from error

    def fingerprint(self, text: str) -> bytes:
        """What a text is found by: 32 bytes, the same for the same text."""
        return hmac.digest(self.fingerprints, text.encode(), "sha256")

    def tails(self, number: str) -> list[bytes]:
        """What a number's last four digits are found by: one for each key, the newest first."""
        tail = "".join(char for char in number if char in DIGITS)[-TAIL_DIGITS:].encode()
        ordered = (self.keys[name] for name in sorted(self.keys, reverse=True))
        return [hmac.digest(hmac.digest(it, TAIL, "sha256"), tail, "sha256") for it in ordered]


def _fresh() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def read_keys(path: Path) -> Keyring:
    """The keys in a file: one a line, its number (or `look-up`) and base64.

    Raises:
        SealError: the file is not there or not what it should be; the keys are never quoted.
    """
    try:
        lines = path.read_text(encoding="ascii").split("\n")
        found = {
            name: _key(rest) for name, _, rest in (one.partition(" ") for one in lines) if name
        }
        fingerprints = found.pop(LOOK_UP)
        keys = {int(name): key for name, key in found.items()}
    except OSError as error:
        raise SealError(
            f"The identity keys {path} cannot be read ({error.strerror}): without them nobody's "
            "name or number can be told."
        ) from error
    except (ValueError, KeyError) as error:
        raise SealError(f"The identity keys {path} are damaged: put back their copy.") from error
    if not keys or min(keys) < 1:
        raise SealError(f"The identity keys {path} hold no key: put back their copy.")
    return Keyring(keys=keys, fingerprints=fingerprints)


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if len(key) != KEY_BYTES:
        raise ValueError("a key of another length")
    return key


def write_keys(path: Path, ring: Keyring) -> None:
    """Put the keys into a file only its owner reads, whole or not at all."""
    named = {LOOK_UP: ring.fingerprints} | {str(n): key for n, key in sorted(ring.keys.items())}
    text = "".join(f"{name} {base64.b64encode(key).decode()}\n" for name, key in named.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class KeyFile:
    """The keys in a file, read again whenever the file was written anew.

    So a running service follows a change of keys without being told.
    """

    def __init__(self, path: Path) -> None:
        """Read the file, and make it at the very first start.

        Raises:
            SealError: see `read_keys`.
        """
        self.path = path
        _make_first(path)
        self._seen = _stamp(path)
        self._ring = read_keys(path)

    @property
    def ring(self) -> Keyring:
        """The keys as the file has them now."""
        try:
            stamp = _stamp(self.path)
        except OSError:
            return self._ring  # the file is away for a moment: what was read still holds
        if stamp != self._seen:
            self._ring, self._seen = read_keys(self.path), stamp
        return self._ring


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino


def _make_first(path: Path) -> None:
    """Make the file where there is none; two that start at once take the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.first.{secrets.token_hex(4)}")
        write_keys(draft, Keyring.new())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another was first: its keys count
        finally:
            draft.unlink()
