"""`hotline model | train | classify`: the speech model, the case classifier, and a try of it."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hotline.casework import load_casework
from hotline.catalogue import Language, say
from hotline.cli_config import configured
from hotline.speech import speech_model_path
from routing.classify import Classifier
from routing.leaf_files import read_categories
from routing.leaves import learnt
from routing.suggestions import Suggestion
from transcription.models import ensure_model, verify

model = typer.Typer(
    name="model", invoke_without_command=True, help="The speech model: check it, fetch it."
)


@model.callback()
def show(context: typer.Context) -> None:
    """Without a subcommand: verify the model that is there."""
    if context.invoked_subcommand is None:
        typer.echo(verify(speech_model_path(configured())))


@model.command()
def fetch() -> None:
    """Fetch and verify the model; one that is there and sound is kept."""
    config = configured()
    given = config.speech.model_path
    path = ensure_model(config.models_dir, typer.echo, given=given)
    typer.echo(say("model.ready", config.language, path=path))


def train(
    file: Annotated[Path, typer.Argument(help="Labelled messages, CSV.")],
    out: Annotated[Path, typer.Option("--out", help="Where the model is written.")],
    categories: Annotated[
        Path | None,
        typer.Option("--categories", help="Leaves to suggest: CSV of level1,level2,level3."),
    ] = None,
) -> None:
    """Train the classifier on your own labelled messages."""
    from routing.training import train as train_classifier  # noqa: PLC0415 - heavy, rarely needed

    config = configured()
    told = train_classifier(file, out, categories)
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
    text: Annotated[
        str | None,
        typer.Argument(help="What a citizen said or wrote; none: standard input, one a line."),
    ] = None,
    line: Annotated[str | None, typer.Option(help="The line it came in on.")] = None,
    model_file: Annotated[
        Path | None, typer.Option("--model", help="A trained model (else classifier_model).")
    ] = None,
    categories: Annotated[
        Path | None,
        typer.Option("--categories", help="Leaves by name, where the model has learnt none."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a text; always so for standard input.")
    ] = False,
) -> None:
    """Show what the rules and the model, if any, suggest for a text, with reasons."""
    config = configured()
    if model_file is not None:
        config = config.model_copy(update={"classifier_model": model_file})
    if text is None and not as_json and sys.stdin.isatty():
        raise typer.BadParameter(say("classify.nothing", config.language))
    work = load_casework(config)
    classifier = work.classifier
    if categories is not None and (work.model is None or work.model.leaves is None):
        classifier = Classifier(work.city, work.model, learnt(read_categories(categories)))
    for one in _lines() if text is None else (text,):
        found = classifier.suggest(one, line)
        if as_json or text is None:
            # Bytes: a pipe gets UTF-8 whatever the terminal's language.
            typer.echo(json.dumps(asdict(found), ensure_ascii=False).encode())
        else:
            _show(found, config.language)


def _lines() -> Iterator[str]:
    """The texts of standard input; bytes that are no UTF-8 stay visible and stop nothing."""
    for raw in sys.stdin.buffer:
        yield raw.decode("utf-8-sig", errors="replace").rstrip("\r\n")


def _show(found: Suggestion, language: Language) -> None:
    for name in ("level1", "kind", "urgency", "area", "unit"):
        value = getattr(found, name)
        shown = say(f"{name}.{value}", language) if name in {"kind", "urgency"} else value
        typer.echo(f"{say(f'cases.column.{name}', language)}: {shown or ''}")
    typer.echo(f"{say('classify.confidence', language)}: {found.confidence:.2f}")
    if found.alternatives:
        others = "  ".join(f"{it.level1} {it.confidence:.2f}" for it in found.alternatives)
        typer.echo(f"{say('classify.alternatives', language)}: {others}")
    if found.leaves:
        leaves = "  ".join(f"{it.path} {it.score:.2f}" for it in found.leaves)
        typer.echo(f"{say('classify.leaves', language)}: {leaves}")
    typer.echo(say("classify.reasons", language))
    for reason in found.reasons:
        typer.echo(f"  {reason.sort} {reason.value}: {reason.text} ({reason.by}, {reason.weight})")
