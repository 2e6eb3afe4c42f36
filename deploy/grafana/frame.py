"""What all dashboards have: their head, the choice of lines, and their big numbers."""

from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.panels import AT_PROMISE, SOURCE, Ask, Panel, number

OF_LINE = '{line=~"$line"}'
_TAG = "hotline"


def board(uid: str, title: str, says: str, since: str, *, of_lines: bool = True) -> Any:
    """A dashboard without panels; `since` is how far back it looks, such as `now-3h`."""
    built = (
        dashboard.Dashboard(title)
        .uid(f"hotline-{uid}")
        .description(says)
        .tags([_TAG])
        .timezone("Asia/Shanghai")
        .time(since, "now")
        .refresh("30s")
        .readonly()
        .link(
            dashboard.DashboardLink("12345热线")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([_TAG])
            .as_dropdown(as_dropdown=False)
            .keep_time(keep_time=False)
        )
    )
    if of_lines:
        built = built.with_variable(
            dashboard.QueryVariable("line")
            .label("线路 / line")
            .datasource(SOURCE)
            .query("label_values(hotline_calls_offered_total, line)")
            .multi(multi=True)
            .include_all(include_all=True)
            .all_value(".+")
        )
    return built


def small(title: str, says: str, expr: str, **more: Any) -> Any:
    """A big number, six to a row."""
    shown = {"width": 4, "height": 5} | more
    return number(Panel(title=title, says=says, asks=(Ask(expr=expr, legend="{{line}}"),), **shown))


def ratio(name: str, title: str, says: str) -> Any:
    """A big number that is red below the promise of 95 %."""
    return small(title, says, f"{name}{OF_LINE}", unit="percentunit", limits=AT_PROMISE, decimals=2)
