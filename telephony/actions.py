"""An asterisk-ami `Action` in, bytes out that the exchange can only read as they were meant.

Pure. What the library writes it writes without a look; whoever may choose a value, a caller's name
say, could start a header of his own. Here every name and value is looked at first.
"""

from __future__ import annotations

import re
from hashlib import md5

from asterisk.ami.action import Action, LoginAction

from telephony.errors import UnsafeAction

MAX_ACTION_HEADERS = 128
"""Asterisk reads no more headers of one action than this (manager.h, AST_MAX_MANHEADERS)."""
MAX_ACTION_LINE = 1024
"""Bytes with the line's end; Asterisk throws a longer line away (manager.c, inbuf)."""

# Every control character, and what Unicode calls a line end, and half a surrogate pair.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
# Asterisk splits `Variable` at commas and takes quotes and backslashes away.
_FORBIDDEN_IN_VARIABLE = re.compile(r'[,"\\]')


def encode(action: Action, action_id: str) -> bytes:
    """`action` as bytes for the wire, carrying `action_id`.

    Raises:
        UnsafeAction: a name or a value the exchange would read as something else, more than
            128 headers, or a line over 1024 bytes. Nothing of it has been sent then.
    """
    keys = dict(action.keys)
    if {"action", "actionid"} & {key.lower() for key in keys}:
        raise UnsafeAction(
            f"The action {action.name!r} carries its own name or number among its headers.",
            action=action.name,
        )
    whole = Action(action.name, {"ActionID": action_id, **keys}, dict(action.variables))
    _check_size(whole)
    _check("Action", whole.name, whole)
    for key, value in whole.keys.items():
        _check(key, value, whole)
    for key, value in whole.variables.items():
        _check_variable(key, value, whole)
    return (str(whole) + "\r\n").encode()


def _check_size(action: Action) -> None:
    headers = 1 + len(action.keys) + len(action.variables)
    if headers > MAX_ACTION_HEADERS:
        raise UnsafeAction(
            f"The action {action.name!r} has {headers} headers; the exchange reads no more "
            f"than {MAX_ACTION_HEADERS}.",
            action=action.name,
        )


def _check(header: str, value: object, action: Action) -> None:
    if not _HEADER_NAME.match(header):
        raise UnsafeAction(
            f"{header!r} is not a name the exchange accepts for a header.",
            action=action.name,
            header=header,
        )
    if not isinstance(value, str | int):
        raise UnsafeAction(
            f"The header {header} of the action {action.name!r} must be one text or number.",
            action=action.name,
            header=header,
        )
    _check_line(header, f"{header}: {value}", action)


def _check_variable(name: str, value: object, action: Action) -> None:
    text = f"{name}={value}"
    if not name or "=" in name or _FORBIDDEN_IN_VARIABLE.search(text):
        raise UnsafeAction(
            f"A variable of the action {action.name!r} needs a name, and neither it nor its "
            "value may carry a comma, a double quote or a backslash.",
            action=action.name,
            header="Variable",
        )
    _check_line("Variable", f"Variable: {text}", action)


def _check_line(header: str, line: str, action: Action) -> None:
    found = _FORBIDDEN.search(line)
    if found:
        raise UnsafeAction(
            f"The header {header} of the action {action.name!r} carries the character "
            f"U+{ord(found.group()):04X}, which could start a header of its own.",
            action=action.name,
            header=header,
        )
    if len(line.encode()) + 2 > MAX_ACTION_LINE:
        raise UnsafeAction(
            f"The header {header} of the action {action.name!r} is longer than the "
            f"{MAX_ACTION_LINE} bytes the exchange reads.",
            action=action.name,
            header=header,
        )


def login(username: str, secret: str, challenge: str | None) -> Action:
    """The login: with MD5 over the exchange's challenge, or with the secret itself if None.

    MD5 is what AMI offers (manager.c, authenticate); it keeps the secret off the wire, no more.
    """
    action = LoginAction(username, secret)
    if challenge is not None:
        del action.keys["Secret"]
        proof = md5(f"{challenge}{secret}".encode(), usedforsecurity=False).hexdigest()
        action.keys.update({"AuthType": "MD5", "Key": proof})
    action.keys["Events"] = "on"
    return action
