"""Setting up a softphone: shown to its operator or an administrator, fetched once by the phone.

Asking makes a link and a journal row, so it is a POST: no page, picture or preview can set it off.
"""

import segno
from aiohttp import web
from pydantic import AwareDatetime, Field

from hotline import phones, provisioning
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.operators_api import Nothing
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Told
from hotline.console.who import DESK
from hotline.database import transaction
from hotline.errors import PhoneLinkGoneError, PhoneUnknownError
from routing.cases import Role


class PhoneSettings(Told):
    """What a softphone is set up with; each text is for one make."""

    operator: str
    server: str
    port: int
    transport: str
    password: str
    codecs: tuple[str, ...]
    srtp: bool
    link: str = Field(description="Linphone fetches its settings here, once.")
    expires_at: AwareDatetime
    qr: str = Field(description="The link as a picture to scan: an SVG data URI.")
    linphone: str = Field(description="The document behind the link.")
    microsip: str = Field(description="A section of microsip.ini.")
    zoiper: str
    other: str


async def provision_phone(asked: Request) -> web.Response | PhoneSettings:
    """Show what an operator's softphone is set up with; the journal keeps who saw it."""
    operator, by = _about(asked)
    try:
        async with transaction(asked.services.pool) as tx:
            found = await provisioning.show(
                tx, asked.services.config, operator, by=by, now=asked.services.clock()
            )
    except PhoneUnknownError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    phone = found.telephone
    return PhoneSettings(
        operator=operator,
        server=phone.server,
        port=phone.port,
        transport=phone.transport,
        password=phone.secret,
        codecs=phone.codecs,
        srtp=phone.srtp,
        link=found.link,
        expires_at=found.expires_at,
        qr=segno.make(found.link, micro=False).svg_data_uri(scale=4),
        linphone=phones.linphone(phone),
        microsip=phones.microsip(phone),
        zoiper=phones.zoiper(phone),
        other=phones.anyphone(phone),
    )


def _about(asked: Request) -> tuple[str, str]:
    """Whose telephone, and who asks; before there are users a supervisor's seat administers."""
    operator, who = asked.http.match_info["operator"], asked.who
    administers = (
        Role.ADMINISTRATOR in who.roles
        if who.user_id is not None
        else who.seat in asked.services.config.control.supervisors
    )
    if who.seat != operator and not administers:
        raise ProblemError(
            Fault.FORBIDDEN, "Only an administrator may set up somebody else's telephone."
        )
    return operator, who.name


async def fetch_phone(asked: Request) -> web.Response:
    """Give a softphone its settings for a link that nobody has used yet."""
    try:
        async with transaction(asked.services.pool) as tx:
            phone = await provisioning.fetch(
                tx,
                asked.services.config,
                asked.http.match_info["token"],
                now=asked.services.clock(),
            )
    except (PhoneLinkGoneError, PhoneUnknownError) as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    return web.Response(
        text=phones.linphone(phone),
        content_type="application/xml",
        headers={"Cache-Control": "no-store"},
    )


ENDPOINTS = (
    post(
        "/api/operators/{operator}/provisioning",
        provision_phone,
        Nothing,
        PhoneSettings,
        faults=(Fault.FORBIDDEN, Fault.NOT_POSSIBLE),
        roles=DESK | {Role.ADMINISTRATOR},
    ),
    get(
        "/phones/{token}",
        fetch_phone,
        None,
        media="application/xml",
        is_open=True,
        faults=(Fault.NOT_FOUND,),
    ),
)
