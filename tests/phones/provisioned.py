"""What a person gets to set up a telephone, read back as each make of softphone reads it."""

import configparser
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from deploy.asterisk.config import Exchange
from deploy.asterisk.secrets import FILE
from hotline import phones
from hotline.config import Config, Operator, Phones
from hotline.phones import Telephone
from hotline.provisioning import telephone_of

LPCONFIG = "{http://www.linphone.org/xsds/lpconfig.xsd}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who registers where, as a telephone understood it."""

    user: str
    server: str
    transport: str
    secret: str = field(repr=False)


def telephone_at(exchange: Exchange, extension: str, server: str = "127.0.0.1") -> Telephone:
    """The telephone as a service beside this exchange would hand it out."""
    config = Config(
        operators=tuple(
            Operator(extension=one.extension, badge=one.badge or one.extension)
            for one in exchange.operators
        ),
        phones=Phones(server=server, port=exchange.sip_port, secrets_file=exchange.run_dir / FILE),
    )
    return telephone_of(config, extension)


def read_linphone(document: str) -> dict[str, dict[str, str]]:
    """The sections of a provisioning document."""
    root = ET.fromstring(document)  # noqa: S314 - our own document
    assert root.tag == f"{LPCONFIG}config"
    return {
        section.attrib["name"]: {
            entry.attrib["name"]: entry.text or "" for entry in section.iter(f"{LPCONFIG}entry")
        }
        for section in root.iter(f"{LPCONFIG}section")
    }


def by_linphone(telephone: Telephone) -> Account:
    """Linphone's account number 0, as its remote provisioning gives it."""
    told = read_linphone(phones.linphone(telephone))
    proxy, proof = told["proxy_0"], told["auth_info_0"]
    address, _, transport = proxy["reg_proxy"].strip("<>").partition(";transport=")
    user, _, domain = proxy["reg_identity"].removeprefix("sip:").partition("@")
    server = address.removeprefix("sip:")
    assert (user, domain) == (proof["username"], server)
    return Account(user=user, server=server, transport=transport, secret=proof["passwd"])


def by_microsip(telephone: Telephone, file: Path) -> Account:
    """MicroSIP's account of its ini file."""
    file.write_text(phones.microsip(telephone), encoding="utf-8")
    told = configparser.RawConfigParser()
    told.optionxform = str  # type: ignore[assignment,method-assign]
    told.read(file, encoding="utf-8")
    account = told[f"Account{told['Settings']['accountId']}"]
    return Account(
        user=account["username"],
        server=account["server"],
        transport=account["transport"],
        secret=account["password"],
    )
