"""What a softphone must be told to register, in the words of each make. Pure.

Linphone: its remote provisioning (XML; the keys are those of liblinphone's own list), fetched from
a link that is scanned. MicroSIP: a section of microsip.ini, in which it takes a plain password and
seals it at its first start (settings.cpp, 3.19). Zoiper and others: the fields a person types.
"""

from dataclasses import dataclass, field
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

Transport = Literal["udp", "tcp", "tls"]
_CODECS = {"PCMA": "G.711 a-law", "PCMU": "G.711 u-law", "G722": "G.722"}
_RATES = {"PCMA": "PCMA/8000/1", "PCMU": "PCMU/8000/1", "G722": "G722/16000/1"}
REGISTERS_EVERY = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephone:
    """One operator's telephone and the exchange it registers with."""

    operator: str
    label: str
    server: str
    port: int
    transport: Transport
    secret: str = field(repr=False)
    codecs: tuple[str, ...]
    srtp: bool

    @property
    def host(self) -> str:
        """The server as it stands in an address."""
        return f"[{self.server}]" if ":" in self.server else self.server

    @property
    def registrar(self) -> str:
        """Where it registers, `10.0.0.5:5060`."""
        return f"{self.host}:{self.port}"


def linphone(phone: Telephone) -> str:
    """Linphone's remote provisioning document."""
    address = f"<sip:{phone.registrar};transport={phone.transport}>"
    sections = {
        "sip": {
            "default_proxy": "0",
            "media_encryption": "srtp" if phone.srtp else "none",
            "media_encryption_mandatory": str(int(phone.srtp)),
        },
        "proxy_0": {
            "reg_proxy": address,
            "reg_route": address,
            "reg_identity": f"sip:{phone.operator}@{phone.registrar}",
            "reg_expires": str(REGISTERS_EVERY),
            "reg_sendregister": "1",
            "publish": "0",
        },
        "auth_info_0": {
            "username": phone.operator,
            "userid": phone.operator,
            "passwd": phone.secret,
            "domain": phone.host,
        },
        **{
            f"audio_codec_{n}": {"mime": codec, "rate": "8000", "channels": "1", "enabled": "1"}
            for n, codec in enumerate(phone.codecs)
        },
    }
    body = "\n".join(_section(name, entries) for name, entries in sections.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">\n'
        f"{body}\n</config>\n"
    )


def _section(name: str, entries: dict[str, str]) -> str:
    lines = "\n".join(
        f'    <entry name={quoteattr(key)} overwrite="true">{escape(value)}</entry>'
        for key, value in entries.items()
    )
    return f"  <section name={quoteattr(name)}>\n{lines}\n  </section>"


def microsip(phone: Telephone) -> str:
    """Sections for microsip.ini, to paste while MicroSIP is closed."""
    return "\n".join(
        (
            "[Settings]",
            "accountId=1",
            f"audioCodecs={' '.join(_RATES.get(codec, codec) for codec in phone.codecs)}",
            "[Account1]",
            f"label={phone.label}",
            f"server={phone.registrar}",
            "proxy=",
            f"domain={phone.registrar}",
            f"username={phone.operator}",
            f"password={phone.secret}",
            f"authID={phone.operator}",
            f"displayName={phone.label}",
            f"transport={phone.transport}",
            f"SRTP={'mandatory' if phone.srtp else ''}",
            f"registerRefresh={REGISTERS_EVERY}",
            "publish=0",
            "ICE=0",
            "",
        )
    )


def zoiper(phone: Telephone) -> str:
    """What Zoiper's account page asks for, in its order."""
    return "\n".join(
        (
            f"Username / Login: {phone.operator}@{phone.registrar}",
            f"Password: {phone.secret}",
            f"Hostname: {phone.registrar}",
            "Authentication username: (leave empty)",
            "Outbound proxy: (leave empty)",
            f"SIP transport: {phone.transport.upper()}",
            "",
        )
    )


def anyphone(phone: Telephone) -> str:
    """Every field by its usual name, for any other telephone."""
    codecs = ", ".join(_CODECS.get(codec, codec) for codec in phone.codecs)
    return "\n".join(
        (
            f"SIP address: sip:{phone.operator}@{phone.registrar}",
            f"Server: {phone.server}",
            f"Port: {phone.port}",
            f"Transport: {phone.transport.upper()}",
            f"User: {phone.operator}",
            f"Password: {phone.secret}",
            f"Codecs: {codecs}",
            f"SRTP: {'required (SDES)' if phone.srtp else 'off'}",
            "",
        )
    )
