"""The line: as it is now, and how its day and week went."""

from typing import Any

from deploy.grafana.frame import OF_LINE, board, ratio, small
from deploy.grafana.panels import (
    AT_PROMISE,
    GREEN,
    NONE_IS_GOOD,
    RED,
    YELLOW,
    Ask,
    Panel,
    bars,
    curve,
)


def line_now() -> Any:
    """The wallboard: who waits, who is free, how the last day stands."""
    return (
        board("now", "12345 线路实况", "The line as it is now, for the wall.", "now-3h")
        .with_panel(
            small(
                "正在等待",
                "Callers waiting for a person.",
                f"hotline_calls_waiting{OF_LINE}",
                limits=((None, GREEN), (1, YELLOW), (5, RED)),
            )
        )
        .with_panel(
            small(
                "最长等待",
                "How long the longest waiting caller has waited; the alert comes at 2 minutes.",
                f"(time() - hotline_calls_oldest_waiting_timestamp_seconds{OF_LINE})"
                f" * (hotline_calls_oldest_waiting_timestamp_seconds{OF_LINE} > bool 0)",
                unit="s",
                limits=((None, GREEN), (15, YELLOW), (120, RED)),
            )
        )
        .with_panel(
            small("正在通话", "Calls that have not ended.", f"hotline_calls_active{OF_LINE}")
        )
        .with_panel(
            ratio(
                "line:hotline_connect:ratio24h",
                "24小时接通率",
                "Answered by a person ÷ asked for a person, sliding 24 hours; promised: 95 %.",
            )
        )
        .with_panel(
            ratio(
                "line:hotline_answered_in_target:ratio24h",
                "15秒接通率",
                "Answered within 15 s ÷ asked for a person, sliding 24 hours; promised: 95 %.",
            )
        )
        .with_panel(
            small(
                "24小时无人接听",
                "Callers of 24 hours who reached nobody, short ones included.",
                f"line:hotline_calls_lost:sum24h{OF_LINE}",
                limits=NONE_IS_GOOD,
            )
        )
        .with_panel(
            bars(
                Panel(
                    title="座席状态",
                    says="Operators by state: free, ringing, talking, wrap-up, paused, offline.",
                    asks=(
                        Ask(
                            expr=f"sum by (state) (hotline_operators{OF_LINE})", legend="{{state}}"
                        ),
                    ),
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="等待与通话",
                    says="Callers waiting and calls in progress.",
                    asks=(
                        Ask(expr=f"hotline_calls_waiting{OF_LINE}", legend="等待 {{line}}"),
                        Ask(expr=f"hotline_calls_active{OF_LINE}", legend="通话 {{line}}"),
                    ),
                )
            )
        )
        .build()
    )


def day_and_week() -> Any:
    """How the day and the week went, beside the week before."""
    calls = f"sum by (outcome) (increase(hotline_calls_ended_total{OF_LINE}[15m]))"
    offered = f"sum(increase(hotline_calls_offered_total{OF_LINE}[1h]))"
    waits = f"sum by (le) (rate(hotline_queue_wait_seconds_bucket{OF_LINE}[1h]))"
    return (
        board("day", "12345 一日一周", "How the day and the week went.", "now-24h")
        .with_panel(
            curve(
                Panel(
                    title="每15分钟来电（按结果）",
                    says="Calls that ended in 15 minutes, by outcome.",
                    asks=(Ask(expr=calls, legend="{{outcome}}"),),
                    stacked=True,
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="每小时来电与上周同期",
                    says="Calls that asked for a person, by the hour, and a week before.",
                    asks=(
                        Ask(expr=offered, legend="本周 this week"),
                        Ask(
                            expr="sum(increase("
                            f"hotline_calls_offered_total{OF_LINE}[1h] offset 1w))",
                            legend="上周 week before",
                        ),
                    ),
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="等待时长（中位、90%、99%）",
                    says="Time from the queue to the answer or the end, of the last hour.",
                    asks=tuple(
                        Ask(expr=f"histogram_quantile({share}, {waits})", legend=f"p{name}")
                        for share, name in ((0.5, 50), (0.9, 90), (0.99, 99))
                    ),
                    unit="s",
                    limits=((None, GREEN), (15, RED)),
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="接通率",
                    says="The sliding rates of 24 hours against the promise of 95 %.",
                    asks=(
                        Ask(
                            expr=f"line:hotline_connect:ratio24h{OF_LINE}",
                            legend="24小时接通率 {{line}}",
                        ),
                        Ask(
                            expr=f"line:hotline_answered_in_target:ratio24h{OF_LINE}",
                            legend="15秒接通率 {{line}}",
                        ),
                    ),
                    unit="percentunit",
                    limits=AT_PROMISE,
                    most=1,
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="平均通话时长",
                    says="Time from the answer to the end of the call, mean of the last hour.",
                    asks=(
                        Ask(
                            expr=f"sum(rate(hotline_talk_seconds_sum{OF_LINE}[1h]))"
                            f" / (sum(rate(hotline_talk_seconds_count{OF_LINE}[1h])) > 0)",
                            legend="平均 mean",
                        ),
                    ),
                    unit="s",
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="主动挂断（长短分列）",
                    says="Callers who hung up before an answer; short: below the threshold of 5 s.",
                    asks=(
                        Ask(
                            expr="sum by (kind)"
                            f" (increase(hotline_calls_abandoned_total{OF_LINE}[1h]))",
                            legend="{{kind}}",
                        ),
                    ),
                    stacked=True,
                )
            )
        )
        .build()
    )
