"""The telephone in an operator's browser: which exchange it is at, its password, its lost calls.

chosen (API)              -> operator_states.phone, journal(operator.phone) -> the queues
the browser's socket      -> relayed to the exchange he sits at, as the page's own
the page was loaded anew  -> legs that no page holds any more are ended as lost -> the dialplan
                             brings the citizen back to the same telephone
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hotline import config as settings
from hotline.config import Config
from hotline.database import Pool, borrowed
from hotline.errors import ControlImpossibleError, ControlUnavailableError, PhoneUnknownError
from hotline.exchange import RunningExchange
from hotline.operator_rows import Seated, seated_at
from hotline.operators import OperatorDesk
from hotline.provisioning import read_secrets
from telephony.control import CallControl
from telephony.errors import TelephonyError
from telephony.live import live_channels
from telephony.seating import Phone, channel_to
from telephony.text import BROWSER

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a page registers with; `socket` is where the exchange takes it, told to nobody."""

    system: str
    user: str
    domain: str
    socket: str
    password: str = field(repr=False)


class BrowserPhones:
    """Knows whose telephone is where; keeps nothing of its own."""

    def __init__(
        self,
        *,
        config: Config,
        pool: Pool,
        exchanges: Mapping[str, RunningExchange],
        operators: OperatorDesk,
    ) -> None:
        """The exchanges and operators are those of the service."""
        self._pool, self._exchanges, self._operators = pool, exchanges, operators
        self._seats = {one.extension for one in config.operators}
        self._at = {one.system: one for one in config.exchanges if one.browser_socket}
        self._config = config

    async def chosen(self, seat: str) -> Phone:
        """Which telephone of his the lines ring."""
        seated = await self._seated(seat)
        return seated.phone if seated else Phone.DESK

    async def choose(self, seat: str, phone: Phone) -> None:
        """Ring this one from now on.

        Raises:
            ControlImpossibleError: he is on a call, or his exchange takes no browsers.
            ControlUnavailableError: it is noted, and the exchange will follow later.
        """
        if seat not in self._seats:
            raise ControlImpossibleError(f"There is no operator {seat}.")
        if phone is Phone.BROWSER and await self.account(seat) is None:
            raise ControlImpossibleError(
                "The exchange of this seat takes no telephones in browsers."
            )
        await self._operators.choose(seat, seat, phone)

    async def account(self, seat: str) -> Account | None:
        """What his page registers with; None where his exchange takes no browsers.

        Raises:
            PhoneUnknownError: his password cannot be read.
        """
        exchange = self._exchange_of(await self._seated(seat))
        if exchange is None or exchange.browser_socket is None or seat not in self._seats:
            return None
        file = exchange.browser_secrets_file
        secret = read_secrets(file, "browsers").get(seat) if file else None
        if not isinstance(secret, str):
            raise PhoneUnknownError(
                f"The password of {seat}'s telephone in the browser is missing."
            )
        return Account(
            system=exchange.system,
            user=f"{seat}{BROWSER}",
            domain=urlsplit(exchange.browser_socket).hostname or "",
            socket=exchange.browser_socket,
            password=secret,
        )

    async def let_go(self, seat: str) -> int:
        """End this seat's legs that no page holds any more; how many there were.

        Raises:
            ControlUnavailableError: the exchange did not tell, or did not do it.
        """
        at = self._exchange_of(await self._seated(seat))
        exchange = self._exchanges.get(at.system) if at else None
        if exchange is None or exchange.actor is None:
            raise ControlUnavailableError("The exchange of this seat takes no orders.")
        control = CallControl(exchange.actor, number=self._config.lines[0].number)
        mine = f"{channel_to(seat, Phone.BROWSER)}-"
        try:
            legs = [
                leg
                for leg in await live_channels(exchange.connection)
                if leg.name.startswith(mine) and leg.is_up
            ]
            for leg in legs:
                await control.let_go(leg)
        except TelephonyError as error:
            raise ControlUnavailableError(f"The exchange did not do it. {error}") from error
        return len(legs)

    async def _seated(self, seat: str) -> Seated | None:
        async with borrowed(self._pool) as conn:
            return await seated_at(conn, seat)

    def _exchange_of(self, seated: Seated | None) -> settings.Exchange | None:
        """Where he sits; before he ever did, the first exchange that takes browsers."""
        if seated is not None and seated.system:
            return self._at.get(seated.system)
        return next(iter(self._at.values()), None)
