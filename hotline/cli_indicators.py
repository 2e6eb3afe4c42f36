"""`hotline indicators`: every definition as a page, or the figures of a period."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated

import typer

from hotline import database
from hotline.catalogue import Language, say
from hotline.cli_config import configured
from hotline.config import Config
from hotline.reports import lines_of
from metrics.collect import Line
from metrics.indicators.definitions import Figure, Indicator, Measure, Scope, Words
from metrics.indicators.every import INDICATORS
from metrics.indicators.store import figures
from routing.numbers import SHANGHAI

indicators_app = typer.Typer(
    name="indicators", no_args_is_help=True, help="Every rate: its definition, and its figures."
)


@indicators_app.command()
def define() -> None:
    """Print the page of definitions: formula, exclusions, window and source of every rate."""
    typer.echo("\n".join(page(configured().language)))


@indicators_app.command()
def show(
    first: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The first day.")],
    last: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The last day.")],
    line: Annotated[str | None, typer.Option(help="One line; else all.")] = None,
    unit: Annotated[str | None, typer.Option(help="One unit; else all.")] = None,
) -> None:
    """Print every figure of whole days with its two numbers and what was left out."""
    if last < first:
        raise typer.BadParameter("The last day is before the first.")
    config = configured()
    scope = of_days(first.date(), last.date(), line=line, unit=unit, lines=lines_of(config))
    for figure in asyncio.run(_figures(config, scope)).values():
        typer.echo("\n".join(_told(figure, config.language)))


def of_days(
    first: date, last: date, *, line: str | None, unit: str | None, lines: tuple[Line, ...]
) -> Scope:
    """The scope of whole days, as the city counts them; a deadline at midnight ends a day."""
    begin = datetime.combine(first, time(), SHANGHAI)
    end = datetime.combine(last + timedelta(days=1), time(), SHANGHAI)
    return Scope(since=begin, until=end, line=line, unit=unit, lines=lines)


async def _figures(config: Config, scope: Scope) -> Mapping[str, Figure]:
    async with (
        database.opened(config.dsn, config.data_dir) as dsn,
        database.connected(dsn) as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await figures(conn, scope, INDICATORS)


def page(language: Language) -> Iterator[str]:
    """The page of definitions as Markdown, made from the definitions alone."""
    yield f"# {say('indicators.title', language)}"
    yield ""
    yield say("indicators.about", language)
    for it in INDICATORS:
        yield from _defined(it, language)


def _both(words: Words) -> str:
    return f"{words.zh} / {words.en}"


def _defined(it: Indicator, language: Language) -> Iterator[str]:
    yield ""
    yield f"## {_both(it.name)} (`{it.key}`)"
    yield ""
    for key, text in (
        ("formula", _both(it.formula)),
        ("numerator", " + ".join(_both(one.words) for one in it.numerator)),
        ("denominator", " + ".join(_both(one.words) for one in it.denominator)),
        ("excluded", "; ".join(_both(one.words) for one in it.excluded)),
        ("beside", "; ".join(_both(one.words) for one in it.beside)),
        ("window", say(f"indicators.window.{it.window}", language)),
        ("promise", "" if it.promise is None else f"{it.promise:.0%}"),
        ("basis", _both(it.basis)),
        ("origin", say(f"indicators.origin.{'ours' if it.ours else 'rule'}", language)),
    ):
        if text:
            yield f"- **{say(f'indicators.{key}', language)}**: {text}"


def _told(figure: Figure, language: Language) -> Iterator[str]:
    it = figure.indicator
    yield f"{_both(it.name)}  {shown(figure)}  ({figure.numerator} / {figure.denominator})"
    for key, some in (("excluded", it.excluded), ("beside", it.beside)):
        told = [f"{_both(one.words)} {figure.facts[one.key]}" for one in some]
        if told:
            yield f"    {say(f'indicators.{key}', language)}: {'; '.join(told)}"


def shown(figure: Figure) -> str:
    """The figure as people read it; a dash while there is nothing to divide by."""
    if figure.value is None:
        return "—"
    match figure.indicator.measure:
        case Measure.RATIO:
            return f"{figure.value:.2%}"
        case Measure.SECONDS:
            return f"{figure.value:.1f} s"
        case Measure.HOURS:
            return f"{figure.value / 3600:.1f} h"
