"""A cable between the service and the exchange that a test may cut."""

import asyncio
import contextlib


class Cable:
    """A TCP proxy on loopback; `cut` ends every connection and refuses new ones until `mend`.

    `freeze` leaves the connections there are open for ever and carries nothing more through them,
    as a firewall does that forgot them; later connections work.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.connections = 0
        self._whole = True
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._connected = asyncio.Condition()
        self._flowing = _flowing()
        self._frozen: list[asyncio.Event] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for flowing in self._frozen:
            flowing.set()

    def cut(self) -> None:
        self._whole = False
        for writer in self._writers:
            writer.transport.abort()

    def freeze(self) -> None:
        self._flowing.clear()
        self._frozen.append(self._flowing)
        self._flowing = _flowing()

    async def mend(self) -> None:
        """Let connections through again and return when one has come."""
        before = self.connections
        self._whole = True
        async with asyncio.timeout(30), self._connected:
            await self._connected.wait_for(lambda: self.connections > before)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        async with self._connected:
            self.connections += 1
            self._connected.notify_all()
        flowing = self._flowing
        try:
            await asyncio.gather(
                _pump(reader, far_writer, flowing), _pump(far_reader, writer, flowing)
            )
        finally:
            self._writers -= {writer, far_writer}


def _flowing() -> asyncio.Event:
    flowing = asyncio.Event()
    flowing.set()
    return flowing


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event
) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            await flowing.wait()
            writer.write(chunk)
            await writer.drain()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
