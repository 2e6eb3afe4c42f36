"""`hotline bench`: what this installation achieves on sound of your own."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hotline import inspection_bench, speech_bench
from hotline.casework import SHIPPED
from hotline.catalogue import Language, say
from hotline.cli_config import configured
from hotline.config import Config
from hotline.inspection_form import load_form
from hotline.speech import transcriber_of
from routing.directory import load_city

bench_app = typer.Typer(name="bench", no_args_is_help=True, help="Measure this installation.")


@bench_app.callback()
def about() -> None:
    """Measure what this installation achieves."""


@bench_app.command()
def speech(
    folder: Annotated[Path, typer.Argument(help="Scripted calls: calls.json and its legs.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, each leg.")] = False,
) -> None:
    """Hear scripted calls; say how right the words are before and after finishing, and how fast."""
    config = configured()
    scripts = speech_bench.read_scripts(folder)
    found = asyncio.run(_measured(config, scripts))
    if as_json:
        typer.echo(speech_bench.as_json(found))
    else:
        _show(found, config.language)


@bench_app.command()
def inspection(
    folder: Annotated[Path, typer.Argument(help="Scripted calls with timed turns.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, each item.")] = False,
) -> None:
    """Plant faults in heard calls; say how many of them the inspection finds, and what else."""
    config = configured()
    found = asyncio.run(_inspected(config, folder))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for way, items in found.items():
        typer.echo(say(f"bench.way.{way}", config.language))
        for item, one in items.items():
            counts = {name: one[name] for name in ("planted", "found", "not_judged", "false")}
            rates = {name: _percent(one[name]) for name in ("recall", "precision")}
            typer.echo(say("bench.planted", config.language, item=item, **counts, **rates))


async def _inspected(config: Config, folder: Path) -> dict[str, Any]:
    form = load_form(config.city_dir, SHIPPED)
    engine = transcriber_of(config)
    try:
        calls = await inspection_bench.hear(folder, engine)
    finally:
        await engine.aclose()
    return inspection_bench.report(calls, form)


async def _measured(config: Config, scripts: list[speech_bench.Script]) -> dict[str, Any]:
    vocabulary = load_city(config.city_dir).vocabulary
    engine = transcriber_of(config)
    try:
        heard, effort = await speech_bench.measure(scripts, engine, vocabulary)
        return speech_bench.report(heard, effort, engine)
    finally:
        await engine.aclose()


def _show(found: dict[str, Any], language: Language) -> None:
    for name, rates in found["cer"].items():
        if rates["raw"] is not None:
            raw, finished = f"{rates['raw']:.1%}", f"{rates['finished']:.1%}"
            leg = say(f"bench.leg.{name}", language)
            typer.echo(say("bench.cer", language, leg=leg, raw=raw, finished=finished))
    for name, scores in found["mentions"].items():
        typer.echo(
            say(
                "bench.mentions",
                language,
                what=say(f"bench.what.{name}", language),
                said=scores["after"]["said"],
                **{
                    f"{when}_{rate}": _percent(scores[when][rate])
                    for when in ("before", "after")
                    for rate in ("recall", "precision")
                },
            )
        )
    typer.echo(
        say(
            "bench.effort",
            language,
            seconds=f"{found['sound_seconds']:.0f}",
            cores=found["cores"],
            factor=f"{found['real_time_factor']:.3f}",
            megabytes=found["decoder_megabytes"] or "—",
        )
    )


def _percent(rate: float | None) -> str:
    return "—" if rate is None else f"{rate:.0%}"
