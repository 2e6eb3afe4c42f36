"""Passwords: kept as Argon2id, judged before they are taken.

A check takes tens of milliseconds and 64 MiB on purpose, so it runs in one of two threads, however
many people (or machines) sign in at once.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hotline.errors import PasswordWeakError

SHORTEST = 10
LONGEST = 200
FEWEST_SIGNS = 5
_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")
# What a login nobody has is checked against, so that it takes as long as one that exists.
_NOBODY = _hasher.hash("nobody has this password")


def judge(password: str, login: str) -> None:
    """Raise `PasswordWeakError` where a password is too easy; the sentence never quotes it."""
    if len(password) < SHORTEST:
        raise PasswordWeakError(f"The password is too short: {SHORTEST} characters at least.")
    if len(password) > LONGEST:
        raise PasswordWeakError(f"The password is too long: {LONGEST} characters at most.")
    if login.lower() in password.lower():
        raise PasswordWeakError("The password contains the login: choose another one.")
    if len(set(password)) < FEWEST_SIGNS:
        raise PasswordWeakError("The password repeats itself: choose another one.")


async def hashed(password: str) -> str:
    """The text that is kept of a password."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, _hasher.hash, _encoded(password))


async def fits(password: str, kept: str | None) -> bool:
    """Whether this is the password; without a kept one it takes as long, and the answer is no."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_threads, _verify, password, kept or _NOBODY)
    return found and kept is not None


def is_dated(kept: str) -> bool:
    """Whether the library by now asks for more work than when this password was set."""
    return _hasher.check_needs_rehash(kept)


def _verify(password: str, kept: str) -> bool:
    try:
        return _hasher.verify(kept, _encoded(password))
    except (VerificationError, InvalidHashError):
        return False


def _encoded(password: str) -> bytes:
    return password.encode(errors="replace")
