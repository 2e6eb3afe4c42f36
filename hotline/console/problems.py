"""Every way the API says no: a word for programs, a status, and one sentence for people.

The body follows RFC 9457 (`application/problem+json`); `type` is the word, `detail` the sentence.
The page shows its own words for `type`, so a sentence may be in English.
"""

from enum import StrEnum
from http import HTTPStatus

from pydantic import BaseModel, Field


class Fault(StrEnum):
    """The words programs may rely on."""

    NOT_SIGNED_IN = "not_signed_in"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a word, no secret
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    FOREIGN_REQUEST = "foreign_request"
    WRONG_HOST = "wrong_host"
    INVALID = "invalid"
    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    PASSWORD_CHANGE_NEEDED = "password_change_needed"  # noqa: S105 - a word, no secret
    TOO_MANY_REQUESTS = "too_many_requests"
    NOT_YOUR_ROLE = "not_your_role"
    SIGN_IN_REFUSED = "sign_in_refused"
    FORBIDDEN = "forbidden"
    NOT_POSSIBLE = "not_possible"
    EXCHANGE_AWAY = "exchange_away"
    NOT_FOUND = "not_found"
    NO_SOUND = "no_sound"
    STORE_AWAY = "store_away"
    CONFLICT = "conflict"
    ILLEGAL_MOVE = "illegal_move"
    MISSING_FACT = "missing_fact"
    TOO_MANY_READERS = "too_many_readers"
    DATABASE_DOWN = "database_down"
    METHOD = "method_not_allowed"
    BROKEN = "broken"


STATUS: dict[Fault, HTTPStatus] = {
    Fault.NOT_SIGNED_IN: HTTPStatus.UNAUTHORIZED,
    Fault.WRONG_PASSWORD: HTTPStatus.UNAUTHORIZED,
    Fault.TOO_MANY_ATTEMPTS: HTTPStatus.TOO_MANY_REQUESTS,
    Fault.FOREIGN_REQUEST: HTTPStatus.FORBIDDEN,
    Fault.WRONG_HOST: HTTPStatus.MISDIRECTED_REQUEST,
    Fault.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Fault.NOT_JSON: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Fault.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Fault.PASSWORD_CHANGE_NEEDED: HTTPStatus.FORBIDDEN,
    Fault.TOO_MANY_REQUESTS: HTTPStatus.TOO_MANY_REQUESTS,
    Fault.NOT_YOUR_ROLE: HTTPStatus.FORBIDDEN,
    Fault.SIGN_IN_REFUSED: HTTPStatus.UNAUTHORIZED,
    Fault.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Fault.NOT_POSSIBLE: HTTPStatus.CONFLICT,
    Fault.EXCHANGE_AWAY: HTTPStatus.SERVICE_UNAVAILABLE,
    Fault.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Fault.NO_SOUND: HTTPStatus.NOT_FOUND,
    Fault.STORE_AWAY: HTTPStatus.SERVICE_UNAVAILABLE,
    Fault.CONFLICT: HTTPStatus.CONFLICT,
    Fault.ILLEGAL_MOVE: HTTPStatus.CONFLICT,
    Fault.MISSING_FACT: HTTPStatus.UNPROCESSABLE_ENTITY,
    Fault.TOO_MANY_READERS: HTTPStatus.SERVICE_UNAVAILABLE,
    Fault.DATABASE_DOWN: HTTPStatus.SERVICE_UNAVAILABLE,
    Fault.METHOD: HTTPStatus.METHOD_NOT_ALLOWED,
    Fault.BROKEN: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class Problem(BaseModel):
    """The body of every refusal."""

    type: Fault
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="One sentence for a person.")
    missing: tuple[str, ...] = Field(default=(), description="Facts a move must still carry.")
    retry_after: int | None = Field(default=None, description="Seconds to wait.")


class ProblemError(Exception):
    """Raised anywhere in the console; the outermost middleware makes the answer of it."""

    def __init__(
        self,
        fault: Fault,
        detail: str,
        *,
        missing: tuple[str, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        status = STATUS[fault]
        self.problem = Problem(
            type=fault,
            title=status.phrase,
            status=status.value,
            detail=detail,
            missing=missing,
            retry_after=retry_after,
        )
