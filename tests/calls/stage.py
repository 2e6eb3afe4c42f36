"""Where the plays are recorded: an exchange, telephones, and a hand on its call control."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress

from deploy.asterisk.process import Asterisk
from telephony.connection import AmiConnection
from telephony.control import CallControl
from telephony.live import LiveCall, LiveChannel, live_call, live_channels
from tests.deploy.sip_calls import Caller, Sipp, Telephone

QUIET_SECONDS = 1.0
_LOOK_SECONDS = 0.05
_PATIENCE = 15.0


class Desk:
    """What the service does with a call, done by hand."""

    def __init__(self, reader: AmiConnection, actor: AmiConnection) -> None:
        self.reader, self.actor = reader, actor
        self.control = CallControl(actor, number="12345")

    async def until(self, is_so: Callable[[LiveCall], bool]) -> LiveCall:
        """The only caller's call, once it is so."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                channels = await live_channels(self.reader)
                for channel in channels:
                    live = live_call(channels, channel.unique_id)
                    if channel.name.startswith("PJSIP/trunk-") and live and is_so(live):
                        return live
                await asyncio.sleep(_LOOK_SECONDS)

    async def talking(self, seat: str) -> tuple[LiveCall, LiveChannel]:
        live = await self.until(lambda call: any(leg.seat == seat for leg in call.speaking()))
        return live, next(leg for leg in live.speaking() if leg.seat == seat)

    async def ringing(self, seat: str) -> LiveChannel:
        def rings(call: LiveCall) -> bool:
            return any(leg.seat == seat and leg.state == "Ringing" for leg in call.others)

        live = await self.until(rings)
        return next(leg for leg in live.others if leg.seat == seat)


@asynccontextmanager
async def desk(asterisk: Asterisk) -> AsyncIterator[Desk]:
    """Connected as both users of the service for a while."""
    secrets, port = asterisk.secrets, asterisk.exchange.ami_port
    system = asterisk.exchange.system
    reader = AmiConnection("127.0.0.1", port, "reader", secrets.reader, system=system)
    actor = AmiConnection("127.0.0.1", port, "actor", secrets.actor, system=system)
    running = [asyncio.create_task(one.run(lambda _: None)) for one in (reader, actor)]
    try:
        async with asyncio.timeout(_PATIENCE):
            while not (reader.state.connected and actor.state.connected):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)
        yield Desk(reader, actor)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class Stage:
    """An exchange with two lines and some operators, and whoever calls."""

    def __init__(self, asterisk: Asterisk, sipp: Sipp, ports: dict[str, int]) -> None:
        self.asterisk, self.sipp, self.ports = asterisk, sipp, ports

    async def call(self, caller: Caller, **operators: Telephone | str) -> None:
        """One call, and the operators who are at their telephones for it."""
        await self.play(caller, operators)

    async def play(
        self,
        caller: Caller | str,
        operators: Mapping[str, Telephone | str],
        meanwhile: Callable[[dict[str, asyncio.subprocess.Process]], Coroutine[None, None, None]]
        | None = None,
    ) -> None:
        """One call, with something that is done to it; a text is a scenario of its own."""
        telephones = {
            name.removeprefix("at_"): await self.seat(name, telephone)
            for name, telephone in operators.items()
        }
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.dial(caller))
            if meanwhile is not None:
                tasks.create_task(meanwhile(telephones))
        await asyncio.gather(*(ended(telephone) for telephone in telephones.values()))

    async def seat(
        self, name: str, telephone: Telephone | str, calls: int = 1
    ) -> asyncio.subprocess.Process:
        port = self.ports[name.removeprefix("at_")]
        steps = telephone if isinstance(telephone, str) else telephone.steps()
        return await self.sipp.listen(steps, port, calls)

    async def dial(self, caller: Caller | str) -> int:
        steps = caller if isinstance(caller, str) else caller.steps()
        return await self.sipp.dial(steps, self.asterisk.exchange.sip_port)


async def ended(telephone: asyncio.subprocess.Process) -> None:
    """One that was never called waits for ever, and is taken away."""
    with suppress(TimeoutError):
        await asyncio.wait_for(telephone.wait(), QUIET_SECONDS)
    if telephone.returncode is None:
        telephone.kill()
        await telephone.wait()
