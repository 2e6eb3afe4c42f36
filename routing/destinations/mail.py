"""Notices by mail, over a city's own mail server."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum

import aiosmtplib

from routing.destinations.notice import SECONDS_TO_ANSWER, DeliveryError, Notice

PERMANENT = 500


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in, and in whose name."""

    host: str
    port: int
    security: Security
    sender: str
    username: str | None = None
    password: str | None = None


class Mail:
    """One mail server."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def send(self, notice: Notice) -> None:
        """Hand one mail in; an address the server refuses for good is not tried again."""
        server = self._server
        try:
            await aiosmtplib.send(
                self._written(notice),
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.security is Security.TLS,
                start_tls=server.security is Security.STARTTLS,
                timeout=SECONDS_TO_ANSWER,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [one.code for one in error.recipients]
            raise _refusal(max(codes)) from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise DeliveryError(
                "The mail server refuses the user name or password.", final=False
            ) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(error.code) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise DeliveryError(
                f"The mail server cannot be reached ({type(error).__name__}).", final=False
            ) from error

    def _written(self, notice: Notice) -> EmailMessage:
        mail = EmailMessage()
        try:
            mail["From"] = Address(addr_spec=self._server.sender)
            mail["To"] = Address(addr_spec=notice.to)
        except (ValueError, IndexError) as error:
            raise DeliveryError("This is no mail address.", final=True) from error
        mail["Subject"] = " ".join(notice.subject.split())
        mail["Date"] = format_datetime(notice.at)
        mail["Message-ID"] = f"<{notice.id}@{self._server.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        mail.set_content(notice.text)
        return mail


def _refusal(code: int) -> DeliveryError:
    """RFC 5321: a 4yz reply is passing, a 5yz one final."""
    return DeliveryError(
        f"The mail server refuses the mail (code {code}).", final=code >= PERMANENT
    )
