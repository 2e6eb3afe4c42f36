"""The kinds of panel that the dashboards use: Chinese title, English description, unit, limits.

Colours never speak alone: each panel shows its value, and red and green have words beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    timeseries,
)
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models

SOURCE = models.DataSourceRef(type_val="prometheus", uid="hotline")
PROMISE = 0.95
GREEN, YELLOW, RED, PLAIN = "green", "yellow", "red", "text"
Limits = Sequence[tuple[float | None, str]]
AT_PROMISE: Limits = ((None, RED), (PROMISE, GREEN))
"""A share below 95 % is red."""
NONE_IS_GOOD: Limits = ((None, GREEN), (1, RED))
NO_LIMIT: Limits = ((None, PLAIN),)
ALIVE: Limits = ((None, RED), (1, GREEN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One query and what its series are called."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What a panel shows; `unit` is Grafana's name of one (`percentunit`, `s`, `short`)."""

    title: str
    says: str
    asks: tuple[Ask, ...]
    unit: str = "short"
    limits: Limits = NO_LIMIT
    width: int = 12
    height: int = 8
    stacked: bool = False
    most: float | None = None
    decimals: int | None = None


def number(panel: Panel) -> Any:
    """Big numbers: how it stands now."""
    built = stat.Panel().color_mode(shapes.BigValueColorMode.VALUE)
    return _common(
        built.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])), panel, instant=True
    )


def bars(panel: Panel) -> Any:
    """A bar for each series: how units or lines compare now."""
    built = bargauge.Panel().orientation(shapes.VizOrientation.HORIZONTAL)
    return _common(
        built.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])), panel, instant=True
    )


def curve(panel: Panel) -> Any:
    """How it went: with a table of the last, mean and highest values below."""
    built = (
        timeseries.Panel()
        .legend(
            common.VizLegendOptions()
            .display_mode(shapes.LegendDisplayMode.TABLE)
            .placement(shapes.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
            .calcs(["lastNotNull", "mean", "max"])
        )
        .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI))
        .fill_opacity(20 if panel.stacked else 5)
        .line_width(2)
        .show_points(shapes.VisibilityMode.NEVER)
    )
    if panel.stacked:
        built = built.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL))
    if panel.limits is not NO_LIMIT:
        style = common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.LINE)
        built = built.thresholds_style(style)
    return _common(built, panel, instant=False)


def _common(built: Any, panel: Panel, *, instant: bool) -> Any:
    steps = [models.Threshold(value=value, color=color) for value, color in panel.limits]
    built = (
        built.title(panel.title)
        .description(panel.says)
        .datasource(SOURCE)
        .unit(panel.unit)
        .min(0)
        .span(panel.width)
        .height(panel.height)
        .no_value("—")
        .thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
    )
    if panel.most is not None:
        built = built.max(panel.most)
    if panel.decimals is not None:
        built = built.decimals(panel.decimals)
    for place, ask in enumerate(panel.asks):
        query = prometheus.Dataquery().expr(ask.expr).legend_format(ask.legend)
        query = query.ref_id(chr(ord("A") + place)).datasource(SOURCE)
        built = built.with_target(query.instant() if instant else query.range())
    return built
