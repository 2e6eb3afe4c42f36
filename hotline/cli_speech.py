"""`hotline model | train | classify`: the speech model, the case classifier, and a try of it."""

from pathlib import Path
from typing import Annotated

import typer

from hotline.casework import load_casework
from hotline.catalogue import say
from hotline.config import Config
from hotline.speech import speech_model_path
from transcription.models import ensure_model, verify

model = typer.Typer(
    name="model", invoke_without_command=True, help="The speech model: check it, fetch it."
)


def _configured() -> Config:
    from hotline.cli import configured  # noqa: PLC0415 - cli imports this file

    return configured()


@model.callback()
def show(context: typer.Context) -> None:
    """Without a subcommand: verify the model that is there."""
    if context.invoked_subcommand is None:
        typer.echo(verify(speech_model_path(_configured())))


@model.command()
def fetch() -> None:
    """Fetch and verify the model; one that is there and sound is kept."""
    config = _configured()
    given = config.speech.model_path
    path = ensure_model(config.models_dir, typer.echo, given=given)
    typer.echo(say("model.ready", config.language, path=path))


def train(
    file: Annotated[Path, typer.Argument(help="Labelled messages, CSV.")],
    out: Annotated[Path, typer.Option("--out", help="Where the model is written.")],
) -> None:
    """Train the classifier on your own labelled messages."""
    from routing.training import train as train_classifier  # noqa: PLC0415 - heavy, rarely needed

    config = _configured()
    told = train_classifier(file, out)
    typer.echo(
        say(
            "train.done",
            config.language,
            examples=told.messages,
            skipped=told.skipped,
            accuracy=f"{told.held_out_accuracy:.3f}",
            path=out,
        )
    )


def classify(
    text: Annotated[str, typer.Argument(help="What a citizen said or wrote.")],
    line: Annotated[str | None, typer.Option(help="The line it came in on.")] = None,
) -> None:
    """Show what the rules (and the model, if configured) suggest for a text, with reasons."""
    config = _configured()
    language = config.language
    found = load_casework(config).classifier.suggest(text, line)
    for name in ("level1", "kind", "urgency", "area", "unit"):
        value = getattr(found, name)
        shown = say(f"{name}.{value}", language) if name in {"kind", "urgency"} else value
        typer.echo(f"{say(f'cases.column.{name}', language)}: {shown or ''}")
    typer.echo(say("classify.reasons", language))
    for reason in found.reasons:
        typer.echo(f"  {reason.sort} {reason.value}: {reason.text} ({reason.by}, {reason.weight})")
