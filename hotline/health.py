"""Is the service well? Every part is asked; one that does not answer is named, not hidden."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from hotline.masking import mask_text
from hotline.services import Ping, Services

PATIENCE = 3.0
_VITAL = ("database", "exchange")
"""Without these no call is taken down; without the others something only waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What each part said: None where it works, one sentence where it does not."""

    parts: Mapping[str, str | None]

    @property
    def well(self) -> bool:
        """Whether calls are taken down: every vital part works."""
        return not any(said for name, said in self.parts.items() if name.startswith(_VITAL))

    @property
    def complete(self) -> bool:
        """Whether every part works."""
        return not any(self.parts.values())


async def examine(services: Services) -> Health:
    """Ask every part at once; none is waited for longer than `PATIENCE` seconds."""
    said = await asyncio.gather(*(_ask(ping) for ping in services.pings.values()))
    return Health(parts=dict(zip(services.pings, said, strict=True)))


async def _ask(ping: Ping) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE):
            await ping()
    except TimeoutError:
        return f"No answer within {PATIENCE:.0f} s."
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the part has to say
        return mask_text(str(error) or type(error).__name__)
    return None
