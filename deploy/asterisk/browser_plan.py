"""Telephones in the browser: an operator's second endpoint, over a web socket on this machine.

The service relays the socket, so it comes from RELAY_ADDRESS and from nowhere else; sound goes
from browser to exchange, encrypted (DTLS-SRTP), and finds its way by the addresses of the two (ICE
with host candidates: both are in the city's network, so no STUN server is asked). The codec is the
trunk's own G.711: nothing is transcoded, and recordings lose nothing.

Beside it the operator keeps his other telephone. Whom a line rings is told by the queue's member,
PJSIP/1001 or PJSIP/1001-web; whoever is rung by number (transfer, consultation) is rung at the
browser while it is registered.
"""

import ipaddress

from deploy.asterisk.config import RELAY_ADDRESS, Exchange, Operator
from deploy.asterisk.line_plan import NOTHING, fill

SUFFIX = "-web"
BACK_SECONDS = 20  # how long a citizen waits for a browser that reloads or lost its network
RING_SECONDS = 15
LOST_SECONDS = 8
"""Without sound from the browser for so long, its call counts as lost. Longer than the moments in
which a network comes back by itself, shorter than a citizen's patience."""
MODULES = (
    *("res_crypto", "res_http_websocket", "res_pjsip_transport_websocket"),
    *("res_srtp", "res_pjsip_header_funcs"),
)
TRANSPORT = """
[transport-ws]
type = transport
protocol = ws
bind = 127.0.0.1
"""
_SEAT = 'PJSIP/@seat@${IF($["${PJSIP_DIAL_CONTACTS(@seat@@web@)}" != ""]?@web@:)}'


def modules(exchange: Exchange) -> tuple[str, ...]:
    """What must be loaded for it."""
    return () if exchange.browser_port is None else MODULES


def transport(exchange: Exchange) -> str:
    """The transport of pjsip.conf."""
    return NOTHING if exchange.browser_port is None else TRANSPORT.strip()


def ice(exchange: Exchange) -> str:
    """Whether endpoints that ask for it may use ICE; trunks and SIP telephones do not."""
    return "no" if exchange.browser_port is None else "yes"


def telephone(exchange: Exchange, operator: Operator, callerid: str, secret: str) -> str:
    """The browser's endpoint of an operator; nothing where the exchange has none."""
    if exchange.browser_port is None:
        return ""
    words = {
        "endpoint": operator.extension + SUFFIX,
        "callerid": callerid,
        "secret": secret,
        "relay": str(ipaddress.ip_network(RELAY_ADDRESS)),
        "lost_seconds": str(LOST_SECONDS),
    }
    return fill("pjsip-browser.conf", words)


def seat(exchange: Exchange, extension: str = "${EXTEN}") -> str:
    """The channel that rings a seat: the telephone in the browser while that is there."""
    plain = exchange.browser_port is None
    rung = "PJSIP/@seat@" if plain else _SEAT
    return rung.replace("@seat@", extension).replace("@web@", SUFFIX)


def words(exchange: Exchange) -> dict[str, str]:
    """What the dialplan of call control says of browsers."""
    return {
        "web": SUFFIX,
        "back_looks": str(BACK_SECONDS * 2),
        "back_ring_seconds": str(RING_SECONDS),
        "ring_transferrer": seat(exchange, "${TRANSFERRER}"),
    }
