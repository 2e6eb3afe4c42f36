"""`hotline dashboards`: the dashboards for Grafana, as files it reads."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.grafana.boards import write as write_all
from hotline.catalogue import say
from hotline.cli_config import configured


def write(
    folder: Annotated[Path, typer.Argument(help="The folder that Grafana's provisioning names.")],
) -> None:
    """Write every dashboard into a folder; Grafana takes up what changes there."""
    config = configured()
    for path in write_all(folder):
        typer.echo(say("dashboards.written", config.language, path=path))
