"""Cases and their limits, by unit."""

from typing import Any

from deploy.grafana.frame import OF_LINE, board, ratio, small
from deploy.grafana.panels import (
    AT_PROMISE,
    GREEN,
    NONE_IS_GOOD,
    YELLOW,
    Ask,
    Panel,
    bars,
    curve,
)


def cases() -> Any:
    """Cases and their limits, by unit."""
    return (
        board("cases", "12345 工单与时限", "Cases and their limits, by unit.", "now-7d")
        .with_panel(
            ratio(
                "line:hotline_handling:ratio30d",
                "30天办理率",
                "Items answered ÷ items that fell due in 30 days; promised: 95-100 %.",
            )
        )
        .with_panel(
            ratio(
                "line:hotline_handling_on_time:ratio30d",
                "30天按时答复率",
                "Items answered by their due time ÷ items that fell due in 30 days.",
            )
        )
        .with_panel(
            small(
                "超期未答复",
                "Accepted items past their due time without an answer.",
                f"hotline_cases_overdue{OF_LINE}",
                limits=NONE_IS_GOOD,
            )
        )
        .with_panel(
            small(
                "超期无督办",
                "Overdue matters without a supervision record: always 0.",
                "hotline_overdue_unsupervised",
                limits=NONE_IS_GOOD,
            )
        )
        .with_panel(
            small(
                "无法计时",
                "Items without a due time: a policy or a calendar year is missing.",
                f"hotline_handling_undated{OF_LINE}",
                limits=NONE_IS_GOOD,
            )
        )
        .with_panel(
            small(
                "登记率",
                "Answered calls with a confirmed case ÷ answered calls, all time.",
                f"line:hotline_registered:ratio{OF_LINE}",
                unit="percentunit",
                limits=AT_PROMISE,
                decimals=2,
            )
        )
        .with_panel(
            bars(
                Panel(
                    title="各单位超期",
                    says="Cases past their limit without an answer, by the unit that has them.",
                    asks=(
                        Ask(
                            expr='sort_desc(hotline_unit_cases{deadline="overdue"})',
                            legend="{{unit}}",
                        ),
                    ),
                    limits=NONE_IS_GOOD,
                )
            )
        )
        .with_panel(
            bars(
                Panel(
                    title="各单位按时办结率",
                    says="Of the items that fell due in 30 days, those answered by then, by unit.",
                    asks=(Ask(expr="sort(unit:hotline_on_time:ratio30d)", legend="{{unit}}"),),
                    unit="percentunit",
                    limits=AT_PROMISE,
                )
            )
        )
        .with_panel(
            bars(
                Panel(
                    title="各单位24小时内到期",
                    says="Cases whose limit ends within 24 hours, by the unit that has them.",
                    asks=(
                        Ask(
                            expr='sort_desc(hotline_unit_cases{deadline="soon"})',
                            legend="{{unit}}",
                        ),
                    ),
                    limits=((None, GREEN), (1, YELLOW)),
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="工单状态",
                    says="Cases by state; closed ones left out.",
                    asks=(
                        Ask(
                            expr='sum by (state) (hotline_cases{line=~"$line",'
                            'state!~"closed|archived"})',
                            legend="{{state}}",
                        ),
                    ),
                    stacked=True,
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="督办",
                    says="Matters under supervision that are not cleared, by level.",
                    asks=(Ask(expr="hotline_supervision", legend="{{level}}"),),
                    stacked=True,
                )
            )
        )
        .build()
    )
