"""The part of an asyncpg connection (plain or from a pool) that the stores of routing use."""

from typing import Any, Protocol


class Connection(Protocol):
    """Runs SQL inside the caller's transaction."""

    async def fetch(self, query: str, *args: object) -> list[Any]:
        """Return all rows."""
        ...

    async def fetchrow(self, query: str, *args: object) -> Any:
        """Return one row or None."""
        ...

    async def fetchval(self, query: str, *args: object) -> Any:
        """Return one value."""
        ...
