"""A real exchange with real softphones on it, and what Asterisk itself wrote of each call.

Citizens call from 127.0.0.1, which is the trunk; operators register from 127.0.0.2; everybody
outside (110, units, citizens who are called back) sits behind 127.0.0.3.
"""

import asyncio
import csv
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.asterisk.config import Exchange, Line, Operator
from deploy.asterisk.outbound import Outbound
from deploy.asterisk.ports import free_port, free_ports
from deploy.asterisk.process import Asterisk
from deploy.portable import Tool
from telephony.connection import AmiConnection
from telephony.control import CallControl
from telephony.errors import ActionRefused
from telephony.events import UniqueId
from telephony.live import LiveCall, LiveChannel, live_call, live_channels
from tests.phones.provisioned import by_linphone, telephone_at
from tests.phones.softphones import Softphone, Softphones

COLUMNS = (
    *("eventtype", "eventtime", "cid_name", "cid_num", "exten", "context", "channame"),
    *("appname", "appdata", "uniqueid", "linkedid", "peer", "extra"),
)
HOTLINE, CITIZEN, UNIT = "12345", "13800001111", "2233445"
CITIZEN_HZ, POLICE_HZ, UNIT_HZ = 440, 1800, 2100
OPERATOR_HZ, COLLEAGUE_HZ, SUPERVISOR_HZ = 1000, 1300, 700
OPERATOR, COLLEAGUE, SUPERVISOR, SPARE = "1001", "1002", "1009", "1003"
PATIENCE = 15.0


def exchange_at(folder: Path, outside_port: int) -> Exchange:
    """Return an exchange whose mayor's line is answered by 1001 alone."""
    ports = free_ports()
    return Exchange(
        system="mianyang-1",
        run_dir=folder,
        sip_port=ports.sip,
        sip_address="0.0.0.0",  # noqa: S104 - the loopback addresses of this machine are our net
        ami_port=ports.ami,
        rtp_ports=ports.rtp,
        lines=(
            Line(
                name="mayor",
                number=HOTLINE,
                operators=(OPERATOR,),
                ring_seconds=15,
                max_wait_seconds=40,
            ),
        ),
        operators=tuple(
            Operator(extension=seat, badge=f"8{seat}")
            for seat in (OPERATOR, COLLEAGUE, SUPERVISOR, SPARE)
        ),
        outbound=Outbound(
            contact=f"sip:127.0.0.3:{outside_port}",
            number=HOTLINE,
            allowed=("1XXXXXXXXXX", "2XXXXXX", "0816XXXXXXX"),
            calls_per_operator=2,
            longest_seconds=600,
        ),
    )


@dataclass(slots=True, kw_only=True)
class Stage:
    """Everything running, and the ways to look at it."""

    asterisk: Asterisk
    phones: Softphones
    reader: AmiConnection
    actor: AmiConnection
    control: CallControl
    citizen: Softphone
    operator: Softphone
    colleague: Softphone
    supervisor: Softphone
    outside: Softphone
    written: int = 0
    """Rows of CEL that belong to earlier tests."""

    async def begin(self) -> None:
        """End what an earlier test left, and forget what it saw."""
        for channel in await self.channels():
            with suppress(ActionRefused):  # gone since the list was made
                await self.control.hang_up(channel)
        await self.empty()
        self.written = len(self.cel()) + self.written
        for phone in self.phones.phones:
            phone.events.clear()

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.asterisk.exchange.sip_port}"

    def cel(self, *types: str) -> list[dict[str, str]]:
        """What Asterisk wrote into its own record: the rows of these types, in order."""
        with self.asterisk.exchange.cel_file.open(newline="", encoding="utf-8") as file:
            rows = [dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(file)]
        rows = rows[self.written :]
        return [row for row in rows if not types or row["eventtype"] in types]

    def together(self, *channels: str) -> bool:
        """Whether CEL says that these channels have entered one bridge."""
        bridges = [
            {
                row["extra"].partition('"bridge_id":"')[2][:36]
                for row in self.cel("BRIDGE_ENTER")
                if row["channame"].startswith(channel)
            }
            for channel in channels
        ]
        return bool(set.intersection(*bridges))

    def endings(self, channel: str) -> list[dict[str, str]]:
        return [row for row in self.cel("CHAN_END") if row["channame"].startswith(channel)]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for a fact in a file that rings no bell."""
        async with asyncio.timeout(PATIENCE):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def channels(self) -> tuple[LiveChannel, ...]:
        return await live_channels(self.reader)

    async def answered_call(self) -> tuple[LiveCall, int, int]:
        """The citizen calls, the operator answers: the call, and its number at each telephone."""
        at_home = await self.citizen.dial(HOTLINE)
        at_desk = await self.operator.answer()
        await self.citizen.until("up", call=at_home)
        return await self.live(), at_home, at_desk

    async def live(self, *, speaking: Sequence[str] = (OPERATOR,)) -> LiveCall:
        """The citizen's call, once he speaks with all these seats (none: as it is now)."""
        async with asyncio.timeout(PATIENCE):
            while True:
                everybody = await self.channels()
                trunk = [one for one in everybody if one.seat == "trunk"]
                call = live_call(everybody, UniqueId(trunk[-1].unique_id)) if trunk else None
                if call and set(speaking) <= {leg.seat for leg in call.speaking()}:
                    return call
                await asyncio.sleep(0.05)

    async def empty(self) -> None:
        """Wait until no channel is left."""
        async with asyncio.timeout(PATIENCE):
            while await self.channels():  # noqa: ASYNC110 - the exchange is asked each time
                await asyncio.sleep(0.05)


@asynccontextmanager
async def staged(
    folder: Path, tool: Tool, change: Callable[[Exchange], Exchange] = lambda same: same
) -> AsyncIterator[Stage]:
    """Start the exchange and every softphone; all of it ends with the block."""
    outside_port = free_port(socket.SOCK_DGRAM)
    exchange = change(exchange_at(folder / "exchange", outside_port))
    async with Asterisk(exchange, tool) as asterisk, Softphones(folder / "phones") as phones:
        secrets = asterisk.secrets
        reader, actor = (
            AmiConnection("127.0.0.1", exchange.ami_port, name, secret, system=exchange.system)
            for name, secret in (("reader", secrets.reader), ("actor", secrets.actor))
        )
        server = f"127.0.0.1:{exchange.sip_port}"

        async def seat(extension: str, hertz: int) -> Softphone:
            """Registered with what a person scans for Linphone, and nothing else."""
            account = by_linphone(telephone_at(exchange, extension))
            assert (account.server, account.transport) == (server, "udp")
            return await phones.add(
                account.user,
                address="127.0.0.2",
                server=account.server,
                secret=account.secret,
                hertz=hertz,
            )

        running = [
            asyncio.create_task(connection.run(lambda _: None)) for connection in (reader, actor)
        ]
        try:
            async with asyncio.timeout(PATIENCE):
                while not (reader.state.connected and actor.state.connected):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            yield Stage(
                asterisk=asterisk,
                phones=phones,
                reader=reader,
                actor=actor,
                control=CallControl(actor, number=HOTLINE),
                citizen=await phones.add(
                    CITIZEN, address="127.0.0.1", server=server, hertz=CITIZEN_HZ
                ),
                operator=await seat(OPERATOR, OPERATOR_HZ),
                colleague=await seat(COLLEAGUE, COLLEAGUE_HZ),
                supervisor=await seat(SUPERVISOR, SUPERVISOR_HZ),
                outside=await phones.add(
                    "outside",
                    address="127.0.0.3",
                    server=server,
                    hertz=1500,
                    port=outside_port,
                    tones={"110": POLICE_HZ, UNIT: UNIT_HZ, CITIZEN: CITIZEN_HZ},
                ),
            )
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
