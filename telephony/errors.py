"""The error tree of this folder: each message is one sentence for whoever is on duty."""

from __future__ import annotations

from enum import StrEnum


class TelephonyError(Exception):
    """Something between us and the exchange, its files or its calls went wrong."""


class UnsafeAction(TelephonyError):  # noqa: N818 - it names what was refused
    """An action was refused before it was sent, because the exchange would misread it."""

    def __init__(self, sentence: str, *, action: str, header: str | None = None) -> None:
        super().__init__(sentence)
        self.action = action
        self.header = header


class Reason(StrEnum):
    """Why a connection to the exchange ended or did not come about; a label of the metrics."""

    UNREACHABLE = "unreachable"
    TLS = "tls"
    NOT_AN_EXCHANGE = "not_an_exchange"
    BAD_CREDENTIALS = "bad_credentials"
    SLOW_ANSWER = "slow_answer"
    SILENT = "silent"
    CLOSED = "closed"
    SHUTDOWN = "shutdown"
    BROKEN = "broken"
    OVERFLOW = "overflow"
    STOPPED = "stopped"


class LinkError(TelephonyError):
    """The link to the exchange cannot be used; `reason` says which kind of fault it is."""

    def __init__(self, sentence: str, *, reason: Reason) -> None:
        super().__init__(sentence)
        self.reason = reason


class ActionError(TelephonyError):
    """An action got no usable answer; nothing is ever sent a second time on its behalf."""

    def __init__(self, sentence: str, *, action: str) -> None:
        super().__init__(sentence)
        self.action = action


class NotConnected(ActionError):  # noqa: N818 - it states a fact
    """The action was not sent, because there is no session with the exchange."""


class ActionLost(ActionError):  # noqa: N818 - it states a fact
    """The connection ended before the answer came: the exchange may or may not have acted."""


class ActionTimeout(ActionError):  # noqa: N818 - it states a fact
    """No answer within the deadline: the exchange may or may not have acted."""

    def __init__(self, sentence: str, *, action: str, seconds: float) -> None:
        super().__init__(sentence, action=action)
        self.seconds = seconds


class ActionRefused(ActionError):  # noqa: N818 - it states a fact
    """The exchange answered with an error; `answer` is its own sentence."""

    def __init__(self, sentence: str, *, action: str, answer: str) -> None:
        super().__init__(sentence, action=action)
        self.answer = answer


class ControlRefused(TelephonyError):  # noqa: N818 - it states a fact
    """An order was not given to the exchange, because a part of it has the wrong shape."""


class AgentRefused(TelephonyError):  # noqa: N818 - it states a fact
    """An operator cannot be moved to where somebody wants him now."""


class AudioSocketBroken(TelephonyError):  # noqa: N818 - it states a fact
    """What came over a caption connection is no sound of ours."""


class TapPortTaken(TelephonyError):  # noqa: N818 - it states a fact
    """The port for the sound of captions cannot be opened."""
