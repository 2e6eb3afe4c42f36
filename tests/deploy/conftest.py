"""The exchange under test: a real Asterisk in a folder of its own, real SIPp, free ports.

HOTLINE_TEST_ASTERISK names an unpacked prefix, so that the same tests run on another version.
"""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from deploy import portable
from deploy.asterisk.config import Exchange, Line, Operator
from deploy.asterisk.ports import free_port, free_ports
from deploy.errors import ToolMissing
from deploy.host import read_host
from deploy.portable import Tool
from tests.deploy.sip_calls import Sipp

MakeExchange = Callable[..., Exchange]


@pytest.fixture(scope="session")
def asterisk_tool() -> Tool:
    prefix = os.environ.get("HOTLINE_TEST_ASTERISK")
    try:
        if prefix:
            recipe = portable.RECIPES["asterisk"]
            return portable._from_prefix("asterisk", recipe, Path(prefix), read_host())
        return portable.ensure("asterisk")
    except ToolMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def sipp_tool() -> Tool:
    try:
        return portable.ensure("sipp")
    except ToolMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
async def sipp(sipp_tool: Tool, tmp_path: Path) -> AsyncIterator[Sipp]:
    runner = Sipp(sipp_tool, tmp_path / "sipp")
    yield runner
    await runner.close()


@pytest.fixture
def make_exchange(tmp_path: Path) -> MakeExchange:
    """Describe an exchange with one line and one operator; keywords go to the line."""

    def make(
        name: str = "exchange", *, contact_port: int | None = None, **line: object
    ) -> Exchange:
        ports = free_ports()
        port = contact_port or free_port()
        words: dict[str, object] = {"ring_seconds": 3, "max_wait_seconds": 5, **line}
        return Exchange(
            system="mianyang-1",
            run_dir=tmp_path / name,
            sip_port=ports.sip,
            ami_port=ports.ami,
            rtp_ports=ports.rtp,
            lines=(
                Line(name="mayor", number="12345", operators=("1001",), **words),  # type: ignore[arg-type]
            ),
            operators=(
                Operator(extension="1001", badge="8001", contact=f"sip:1001@127.0.0.1:{port}"),
            ),
        )

    return make
