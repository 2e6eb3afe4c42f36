"""Live captions: whether there are any, where the exchange sends the sound, and what they may cost.

How many legs can be heard at once is measured at the start, on this machine; nothing here says it.
"""

import ipaddress
from typing import Annotated

from pydantic import Field, field_validator

from hotline.config_tables import Table, Text


class Captions(Table):
    """The sound of a talk, one leg each, to a port of ours; nothing proves who sends but its id.

    So `host` is this machine's loopback address or one in a network of telephony alone, and names
    the address the exchange connects to. A `port` of 0 takes any free one.
    """

    enabled: bool = False
    host: Text = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    cpu_share: Annotated[float, Field(gt=0, le=1)] = 0.6
    """Of all cores, how much captions may plan to use; calls and recordings come first."""
    memory_reserve_mebibytes: Annotated[int, Field(ge=0, le=1_048_576)] = 1024
    """What stays free for everything else."""
    lag_seconds: Annotated[float, Field(ge=1, le=60)] = 4.0
    """Words that come later are of no use: the youngest call loses its captions."""

    @field_validator("host")
    @classmethod
    def _is_private(cls, host: str) -> str:
        address = ipaddress.ip_address(host)
        if not address.is_private or address.is_unspecified:
            raise ValueError("must be a loopback or private address: AudioSocket knows no password")
        return host
