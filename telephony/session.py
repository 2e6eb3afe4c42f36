"""One TCP connection to the exchange, from the greeting to its end; it is never used again.

It reads always, so that the exchange never has to wait for us, and gives every action its own
answer. Whatever ends it is a `LinkError` with a reason.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from asterisk.ami.action import Action
from asterisk.ami.event import Event
from asterisk.ami.response import Response

from telephony.actions import encode, login
from telephony.ami import Decoder, Message
from telephony.errors import ActionLost, ActionTimeout, LinkError, Reason
from telephony.inflight import InFlight, Listing
from telephony.timing import Clock, Timing

log = logging.getLogger(__name__)

READ_SIZE = 1 << 18
GOODBYE_SECONDS = 1.0
_SIGNS = frozenset({"FullyBooted", "Shutdown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Where an exchange listens and who we are to it. The secret shows in no `repr`."""

    system: str
    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    ssl: ssl.SSLContext | None = None
    auth: Literal["md5", "plain"] = "md5"

    @property
    def place(self) -> str:
        """The exchange as an operator knows it."""
        return f"{self.system} at {self.host}:{self.port}"


async def connect(exchange: Exchange, clock: Clock, timing: Timing) -> Streams:
    """Reach the exchange.

    Raises:
        LinkError: nobody listens there, the certificate does not fit, or it takes too long.
    """
    try:
        async with clock.within(timing.connect):
            return await asyncio.open_connection(
                exchange.host, exchange.port, ssl=exchange.ssl, limit=READ_SIZE
            )
    except ssl.SSLError as error:
        raise LinkError(
            f"The exchange {exchange.place} does not prove who it is over TLS "
            f"({error.reason or error}).",
            reason=Reason.TLS,
        ) from error
    except TimeoutError as error:
        raise LinkError(
            f"The exchange {exchange.place} did not accept a connection within "
            f"{timing.connect:g} s.",
            reason=Reason.UNREACHABLE,
        ) from error
    except (OSError, UnicodeError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise LinkError(
            f"The exchange {exchange.place} cannot be reached ({why}).",
            reason=Reason.UNREACHABLE,
        ) from error


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Session:
    """Reads, answers and actions of one connection.

    `take` gets the events of each chunk, `leave` the names of those that `only` leaves unread.
    """

    def __init__(
        self,
        exchange: Exchange,
        streams: Streams,
        *,
        prefix: str,
        clock: Clock,
        timing: Timing,
        take: Callable[[list[Event]], None],
        leave: Callable[[list[str]], None],
        only: Collection[str] | None = None,
    ) -> None:
        self.decoder = Decoder(only=None if only is None else {*only, *_SIGNS})
        self.greeted = asyncio.Event()
        self.booted = asyncio.Event()
        self.inflight = InFlight(prefix)
        self._exchange = exchange
        self._reader, self._writer = streams
        self._clock = clock
        self._timing = timing
        self._take = take
        self._leave = leave
        self._login_id: str | None = None
        self._shutting_down = False

    async def read_for_ever(self) -> None:
        """Hand over what comes, until the connection ends.

        Raises:
            LinkError: it ended.
        """
        while True:
            try:
                data = await self._reader.read(READ_SIZE)
            except (OSError, ssl.SSLError) as error:
                raise self._lost(Reason.BROKEN, f"broke ({error})") from error
            if not data:
                if self._shutting_down:
                    raise self._lost(Reason.SHUTDOWN, "ended: the exchange is being stopped")
                raise self._lost(Reason.CLOSED, "was closed by the exchange")
            messages = self.decoder.feed(data)
            self._check_greeting()
            self._dispatch(messages)
            # A full socket must not keep the consumer and the ping from their turn.
            await asyncio.sleep(0)

    def _check_greeting(self) -> None:
        if self.greeted.is_set() or self.decoder.greeting is None:
            return
        if self.decoder.version is None:
            raise LinkError(
                f"What listens at {self._exchange.host}:{self._exchange.port} is not an "
                "exchange's manager interface.",
                reason=Reason.NOT_AN_EXCHANGE,
            )
        self.greeted.set()

    def _dispatch(self, messages: list[Message]) -> None:
        events: list[Event] = []
        for message in messages:
            if type(message) is Event:
                if "ActionID" in message.keys and self._is_answer(message):
                    continue
                if message.name in _SIGNS:
                    self._note_sign(message.name)
                events.append(message)
            else:
                self._check_login(message)
                self.inflight.take_response(message)
        if self.decoder.unread:
            self._leave(self.decoder.unread)
        if events:
            self._take(events)

    def _is_answer(self, event: Event) -> bool:
        return self.inflight.take_event(str(event.keys["ActionID"]), event)

    def _note_sign(self, name: str) -> None:
        if name == "Shutdown":
            self._shutting_down = True
        else:
            self.booted.set()

    def _check_login(self, response: Response) -> None:
        """A refused login is told here: the exchange closes before any task could tell it."""
        if self._login_id is None or response.keys.get("ActionID") != self._login_id:
            return
        if response.is_error():
            raise LinkError(
                f"The exchange {self._exchange.place} does not accept the user "
                f"{self._exchange.username!r} with this secret "
                f"({response.keys.get('Message', 'no reason given')}).",
                reason=Reason.BAD_CREDENTIALS,
            )
        self._login_id = None

    async def log_in(self) -> None:
        """Wait for the greeting and say who we are.

        Raises:
            LinkError: no greeting, no answer, or the wrong name and secret.
        """
        try:
            async with self._clock.within(self._timing.answer):
                await self.greeted.wait()
        except TimeoutError as error:
            raise self._lost(Reason.NOT_AN_EXCHANGE, "brought no greeting") from error
        challenge: str | None = None
        if self._exchange.auth == "md5":
            answer = await self.action("Challenge", {"AuthType": "MD5"})
            challenge = str(answer.keys.get("Challenge", ""))
        who = login(self._exchange.username, self._exchange.secret, challenge)
        await self._ask(who, seconds=self._timing.answer, listing=False)

    async def ping_for_ever(self, missed: Callable[[], None]) -> None:
        """Ask for a sign of life again and again; `missed` hears of each that did not come.

        Raises:
            LinkError: too many in a row did not come.
        """
        misses = 0
        while True:
            await self._clock.sleep(self._timing.ping_every)
            try:
                await self.action("Ping", seconds=self._timing.ping_deadline)
            except ActionTimeout:
                missed()
                misses += 1
            else:
                misses = 0
            if misses >= self._timing.pings_missed:
                silence = f"is silent: {misses} pings in a row were not answered"
                raise self._lost(Reason.SILENT, silence)

    async def action(
        self, name: str, headers: Mapping[str, str] | None = None, *, seconds: float | None = None
    ) -> Response:
        """The answer to one action; see `AmiConnection.action`."""
        return await self.send(Action(name, dict(headers or {})), seconds=seconds)

    async def send(self, action: Action, *, seconds: float | None = None) -> Response:
        """The answer to an action that may carry variables."""
        return await self._ask(action, seconds=seconds or self._timing.answer, listing=False)

    async def list_action(
        self, name: str, headers: Mapping[str, str] | None = None, *, seconds: float | None = None
    ) -> Listing:
        """The complete list an action asks for; see `AmiConnection.list_action`."""
        action = Action(name, dict(headers or {}))
        listing = await self._ask(action, seconds=seconds or self._timing.listing, listing=True)
        if not isinstance(listing, Listing):
            raise TypeError(f"{name} was booked as a list and answered as one message")
        return listing

    async def _ask(self, action: Action, *, seconds: float, listing: bool) -> Response | Listing:
        pending = self.inflight.start(action.name, listing=listing)
        try:
            data = encode(action, pending.action_id)
            if action.name == "Login":
                self._login_id = pending.action_id
            async with self._clock.within(seconds):
                self._writer.write(data)
                await self._writer.drain()
                return await pending.answer
        except TimeoutError as error:
            raise ActionTimeout(
                f"The exchange {self._exchange.place} did not answer {action.name} within "
                f"{seconds:g} s.",
                action=action.name,
                seconds=seconds,
            ) from error
        except OSError as error:
            raise self.lost_action(action.name) from error
        finally:
            self.inflight.forget(pending)

    def lost_action(self, action: str) -> ActionLost:
        """What an action is told whose connection ended before its answer."""
        return ActionLost(
            f"The connection to {self._exchange.place} ended before {action} was answered; "
            "it is not sent again.",
            action=action,
        )

    def _lost(self, reason: Reason, what: str) -> LinkError:
        return LinkError(f"The connection to {self._exchange.place} {what}.", reason=reason)

    async def close(self, *, politely: bool) -> None:
        """End the connection; `politely` says goodbye first and waits a second at most."""
        self.inflight.fail_all(self.lost_action)
        if not politely:
            self._writer.transport.abort()
        with suppress(OSError, ssl.SSLError, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                if politely:
                    self._writer.write(encode(Action("Logoff"), "goodbye"))
                self._writer.close()
                await self._writer.wait_closed()
        self._writer.transport.abort()
