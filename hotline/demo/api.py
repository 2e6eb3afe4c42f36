"""The service's HTTP API as the demo uses it: the same a person's browser uses, nothing else."""

from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
from pydantic import BaseModel

from hotline.console.case_shapes import CaseDetail, Cases
from hotline.console.number_shapes import Numbers
from hotline.console.shapes import CallDetail, Calls
from hotline.errors import HotlineError
from routing.cases import Move

Shape = TypeVar("Shape", bound=BaseModel)
WAIT_SECONDS = 20


class ApiError(HotlineError):
    """The service said no, or said nothing; the message is its own sentence."""


class Api:
    """One person's session with the service."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=WAIT_SECONDS)
        self._session = aiohttp.ClientSession(self.url, timeout=timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def sign_in(self, seat: str) -> None:
        """Sit down at an operator's seat."""
        await self._ask("POST", "/api/session", {"seat": seat})

    async def calls(self, limit: int = 50) -> Calls:
        """The newest calls."""
        return await self._get(f"/api/calls?limit={limit}", Calls)

    async def call(self, call_id: int) -> CallDetail:
        """One call with its dialogue."""
        return await self._get(f"/api/calls/{call_id}", CallDetail)

    async def cases(self, limit: int = 50) -> Cases:
        """The newest cases."""
        return await self._get(f"/api/cases?limit={limit}", Cases)

    async def case(self, case_id: int) -> CaseDetail:
        """One case with what may be done with it."""
        return await self._get(f"/api/cases/{case_id}", CaseDetail)

    async def numbers(self) -> Numbers:
        """The rates of all lines."""
        return await self._get("/api/numbers", Numbers)

    async def move(self, case_id: int, move: Move, facts: dict[str, Any]) -> CaseDetail:
        """Make one move with a case."""
        told = await self._ask("POST", f"/api/cases/{case_id}/{move.replace('_', '-')}", facts)
        return CaseDetail.model_validate_json(told)

    async def _get(self, path: str, shape: type[Shape]) -> Shape:
        return shape.model_validate_json(await self._ask("GET", path))

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        if self._session is None:
            raise ApiError("The session with the service is not open.")
        try:
            async with self._session.request(method, path, json=body) as answer:
                text = await answer.text()
                if answer.ok:
                    return text
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(f"The service does not answer {method} {path}: {error}.") from error
        raise ApiError(_sentence(text) or f"{method} {path}: HTTP {answer.status}.")


def _sentence(text: str) -> str:
    """The sentence of a problem document (RFC 9457), if it is one."""

    class Problem(BaseModel):
        detail: str = ""

    try:
        return Problem.model_validate_json(text).detail
    except ValueError:
        return ""
