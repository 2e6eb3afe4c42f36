"""`hotline phones`: set up an operator's softphone from the terminal."""

import getpass
from typing import Annotated

import segno
import typer

from hotline import phones, provisioning
from hotline.catalogue import say
from hotline.cli_cases import at_work
from hotline.cli_config import configured
from hotline.services import utc_now

phones_app = typer.Typer(
    name="phones", no_args_is_help=True, help="Softphones: what each is set up with."
)


@phones_app.callback()
def options() -> None:
    """Softphones: what each is set up with."""


@phones_app.command()
def show(
    operator: Annotated[str, typer.Argument(help="The operator's extension.")],
) -> None:
    """Show a QR code for Linphone and the settings for other makes; the journal keeps who did."""
    config = configured()
    by = f"terminal:{getpass.getuser()}"
    found = at_work(
        config, lambda tx: provisioning.show(tx, config, operator, by=by, now=utc_now())
    )
    minutes = round(config.phones.link_seconds / 60)
    typer.echo(say("phones.scan", config.language, operator=operator, minutes=minutes))
    segno.make(found.link, micro=False).terminal(compact=True)
    typer.echo(found.link)
    for key, text in (
        ("phones.microsip", phones.microsip(found.telephone)),
        ("phones.zoiper", phones.zoiper(found.telephone)),
        ("phones.other", phones.anyphone(found.telephone)),
    ):
        typer.echo(f"\n{say(key, config.language)}\n{text}")
