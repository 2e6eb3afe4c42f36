"""Asterisk as a process: started until it answers, stopped until it is gone."""

import asyncio
import contextlib
import os
import signal
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.apt_root import Say
from deploy.asterisk.config import Exchange
from deploy.asterisk.render import render
from deploy.asterisk.secrets import Secrets, load_or_create
from deploy.errors import ExchangeNotStarted, PortTaken
from deploy.portable import Tool, ensure

START_SECONDS = 30.0
STOP_SECONDS = 10.0
PROBE_SECONDS = 2.0
RETRY_SECONDS = 0.05
LOG_LINES = 12
LONGEST_LINE = 240


class Asterisk:
    """One running exchange; as a context manager it is started and stopped.

    AMI answers on 127.0.0.1:exchange.ami_port to the user "reader" with `secrets.reader`.
    """

    def __init__(self, exchange: Exchange, tool: Tool | None = None, say: Say = print) -> None:
        self.exchange = exchange
        self.tool = tool
        self.say = say
        self.log_path = exchange.log_dir / "messages.log"
        self._process: asyncio.subprocess.Process | None = None
        self._secrets: Secrets | None = None

    @property
    def secrets(self) -> Secrets:
        """The secrets of this exchange; made up at the first use."""
        if self._secrets is None:
            extensions = [operator.extension for operator in self.exchange.operators]
            self._secrets = load_or_create(self.exchange.run_dir, extensions)
        return self._secrets

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Render the configuration, start Asterisk and return when AMI says it is fully booted.

        An Asterisk that a killed run left behind in the same folder is ended first.

        Raises:
            ToolMissing, ExchangeInvalid, PortTaken, ExchangeNotStarted: one sentence each.
        """
        if self.pid is not None:
            return
        if self.tool is None:
            self.tool = await asyncio.to_thread(ensure, "asterisk", self.say)
        await end_left_over(self.exchange)
        check_ports(self.exchange)
        render(self.exchange, self.tool, self.secrets)
        console = self.exchange.log_dir / "console.log"
        argv = [*self.tool.argv, "-f", "-n", "-C", str(self.exchange.etc / "asterisk.conf")]
        with console.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=self.exchange.run_dir,
                env={**os.environ, **self.tool.env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a Ctrl-C meant for the service is not meant for calls
            )
        _pid_file(self.exchange).write_text(f"{self._process.pid}\n")
        try:
            await self._until_booted(self._process)
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """Ask Asterisk to end now and wait until it is gone; calls in progress are hung up."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End Asterisk as a power cut would."""
        await self._end(signal.SIGKILL)

    async def wait(self) -> int:
        """Return Asterisk's exit status once it has ended by itself or by stop()."""
        return await self._process.wait() if self._process else 0

    async def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._process = None
        _pid_file(self.exchange).unlink(missing_ok=True)

    async def _until_booted(self, process: asyncio.subprocess.Process) -> None:
        ended = asyncio.create_task(process.wait())
        booted = asyncio.create_task(self._poll())
        try:
            await asyncio.wait(
                {ended, booted}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if booted.done():
                self._check_listening()
                return
            if ended.done():
                raise ExchangeNotStarted(
                    f"Asterisk ended with status {ended.result()} instead of starting; "
                    f"its log {self.log_path} says:",
                    log_tail=log_tail(self.exchange),
                )
            raise ExchangeNotStarted(
                f"Asterisk was not ready after {START_SECONDS:.0f} s; "
                f"its log {self.log_path} says:",
                log_tail=log_tail(self.exchange),
            )
        finally:
            for task in (ended, booted):
                task.cancel()
            await asyncio.gather(ended, booted, return_exceptions=True)

    def _check_listening(self) -> None:
        """Make sure that calls can come in: Asterisk boots even when a module could not."""
        try:
            check_ports(self.exchange, only="sip_port")
        except PortTaken:
            return
        raise ExchangeNotStarted(
            f"Asterisk runs but does not listen for calls on port {self.exchange.sip_port}/udp; "
            f"its log {self.log_path} says:",
            log_tail=log_tail(self.exchange),
        )

    async def _poll(self) -> None:
        port = self.exchange.ami_port
        # Asterisk tells nobody when it is ready: only asking shows it.
        while not await is_booted(port, "reader", self.secrets.reader):  # noqa: ASYNC110
            await asyncio.sleep(RETRY_SECONDS)


async def is_booted(port: int, user: str, secret: str) -> bool:
    """Log in to AMI once and tell whether it says FullyBooted."""
    login = f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: on\r\n\r\n"
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(login.encode())
                await writer.drain()
                await reader.readuntil(b"FullyBooted\r\n")
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return False
    return True


def check_ports(exchange: Exchange, *, only: str | None = None) -> None:
    """Make sure that nobody holds the exchange's ports.

    Raises:
        PortTaken: names the port.
    """
    for kind, protocol, address, port, setting in (
        (socket.SOCK_DGRAM, "udp", exchange.sip_address, exchange.sip_port, "sip_port"),
        (socket.SOCK_STREAM, "tcp", "127.0.0.1", exchange.ami_port, "ami_port"),
    ):
        if only not in (None, setting):
            continue
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:  # connections just closed do not count
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise PortTaken(
                    f"Port {port}/{protocol} on {address} cannot be used ({error.strerror}): "
                    f"stop the program that holds it or choose another {setting}.",
                    port=port,
                    protocol=protocol,
                ) from error


async def end_left_over(exchange: Exchange) -> None:
    """End the Asterisk that an earlier run of the same folder left behind, and no other."""
    pid = _left_over(exchange)
    if pid is None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                while _is_alive(pid):  # noqa: ASYNC110 - not our child: nothing to await
                    await asyncio.sleep(RETRY_SECONDS)
        if not _is_alive(pid):
            break


def _left_over(exchange: Exchange) -> int | None:
    """Return the pid of a running Asterisk that reads this exchange's configuration."""
    try:
        pid = int(_pid_file(exchange).read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if str(exchange.etc / "asterisk.conf").encode() in command else None


def _is_alive(pid: int) -> bool:
    """Tell whether any thread of a process is left; the last one gives the ports back."""
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rsplit(")", 1)[1].split()[0]
        return state != "Z" or len(list((process / "task").iterdir())) > 1
    except (OSError, IndexError):
        return False


def _pid_file(exchange: Exchange) -> Path:
    return exchange.run_dir / "asterisk.pid"


def log_tail(exchange: Exchange) -> str:
    """Return the last lines of Asterisk's log, or of its console when it never opened one."""
    for name in ("messages.log", "console.log"):
        try:
            lines = (exchange.log_dir / name).read_text(errors="replace").splitlines()
        except OSError:
            continue
        if lines:
            return "\n".join(line[:LONGEST_LINE] for line in lines[-LOG_LINES:])
    return "(it wrote nothing)"
