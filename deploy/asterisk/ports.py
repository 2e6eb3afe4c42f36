"""Free ports for exchanges that run side by side, as in tests and in the demo."""

import os
import socket
from dataclasses import dataclass

FIRST_MEDIA_PORT = 20000
LAST_MEDIA_PORT = 32000  # below the kernel's own range for outgoing connections
MEDIA_PORTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FreePorts:
    """Ports that nobody held a moment ago."""

    sip: int
    ami: int
    rtp: tuple[int, int]


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, address: str = "127.0.0.1") -> int:
    """Return a port that the kernel just gave and took back."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def free_ports(media: int = MEDIA_PORTS, address: str = "127.0.0.1") -> FreePorts:
    """Return a SIP port, an AMI port and a block of `media` RTP ports that is free as a whole.

    Raises:
        OSError: no block is free.
    """
    blocks = range(FIRST_MEDIA_PORT, LAST_MEDIA_PORT - media, media)
    # A block is taken call by call, so two programs that look now would both find the first free:
    # each starts its search somewhere else.
    here = os.getpid() % len(blocks)
    for first in (*blocks[here:], *blocks[:here]):
        if all(is_free(port, address) for port in range(first, first + media)):
            return FreePorts(
                sip=free_port(socket.SOCK_DGRAM, address),
                ami=free_port(socket.SOCK_STREAM, address),
                rtp=(first, first + media - 1),
            )
    raise OSError(f"No {media} UDP ports in a row are free on {address}.")


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    """Tell whether nobody listens on this UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
