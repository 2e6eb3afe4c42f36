"""Speech, and whether the numbers can be trusted."""

from typing import Any

from deploy.grafana.frame import board, small
from deploy.grafana.panels import (
    ALIVE,
    GREEN,
    NONE_IS_GOOD,
    RED,
    YELLOW,
    Ask,
    Panel,
    curve,
)


def speech() -> Any:
    """Sound and words: what waits, what failed, how much was heard."""
    return (
        board("speech", "12345 语音转写", "Recordings and transcripts.", "now-24h", of_lines=False)
        .with_panel(
            small(
                "待转写",
                "Recorded legs that wait to be transcribed.",
                "hotline_transcripts_pending",
                limits=((None, GREEN), (50, YELLOW)),
                width=6,
            )
        )
        .with_panel(
            small(
                "最久未转写",
                "How long the oldest recording has waited; the alert comes at 15 minutes.",
                "(time() - hotline_transcripts_oldest_pending_timestamp_seconds)"
                " * (hotline_transcripts_oldest_pending_timestamp_seconds > bool 0)",
                unit="s",
                limits=((None, GREEN), (300, YELLOW), (900, RED)),
                width=6,
            )
        )
        .with_panel(
            small(
                "录音缺失或损坏",
                "Recorded legs that are missing or damaged.",
                'sum(hotline_recordings{state=~"missing|damaged"})',
                limits=NONE_IS_GOOD,
                width=6,
            )
        )
        .with_panel(
            small(
                "24小时转写失败",
                "Times a recorded leg could not be transcribed in 24 hours.",
                "increase(hotline_transcripts_failed_total[24h])",
                limits=NONE_IS_GOOD,
                width=6,
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="停放的任务",
                    says="Jobs that failed again and again and were given up, by their step.",
                    asks=(Ask(expr="sum by (step) (hotline_jobs_parked)", legend="{{step}}"),),
                    limits=NONE_IS_GOOD,
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="实时字幕（句/分钟）",
                    says="Final segments of captions in a minute, and the legs that are tapped.",
                    asks=(
                        Ask(
                            expr="rate(hotline_caption_segments_total[5m]) * 60",
                            legend="字幕 segments",
                        ),
                        Ask(expr="hotline_caption_legs", legend="采集通道 legs"),
                    ),
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="转写的录音时长（每小时）",
                    says="Sound transcribed in an hour, in seconds.",
                    asks=(
                        Ask(
                            expr="increase(hotline_transcripts_audio_seconds_total[1h])",
                            legend="录音 sound",
                        ),
                    ),
                    unit="s",
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="录音（按状态）",
                    says="Recorded legs of calls by state.",
                    asks=(Ask(expr="hotline_recordings", legend="{{state}}"),),
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="实时字幕（通话数）",
                    says="Calls captioned now, the room that was measured, and those given up.",
                    asks=(
                        Ask(expr="hotline_caption_calls", legend="有字幕 captioned"),
                        Ask(expr="hotline_caption_capacity_calls", legend="可承载 room"),
                        Ask(
                            expr="sum by (reason) (increase(hotline_caption_shed_total[15m]))",
                            legend="放弃 given up: {{reason}}",
                        ),
                    ),
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="实时字幕延迟",
                    says="How late the words of the slowest leg come after its sound.",
                    asks=(Ask(expr="hotline_caption_lag_seconds", legend="延迟 lag"),),
                    unit="s",
                )
            )
        )
        .build()
    )


def health() -> Any:
    """Whether the numbers can be trusted: connections, differences, test calls, age."""
    return (
        board(
            "health",
            "12345 服务健康",
            "Whether the numbers can be trusted.",
            "now-6h",
            of_lines=False,
        )
        .with_panel(
            small("服务", "The service answers Prometheus.", 'up{job="hotline"}', limits=ALIVE)
        )
        .with_panel(small("数据库", "The database answered.", "hotline_database_up", limits=ALIVE))
        .with_panel(
            small(
                "交换机连接",
                "The event connection to each exchange stands.",
                "min(hotline_ami_connected)",
                limits=ALIVE,
            )
        )
        .with_panel(
            small(
                "测试呼叫",
                "The newest test call into each line was answered and recorded.",
                "min(hotline_probe_success)",
                limits=ALIVE,
            )
        )
        .with_panel(
            small(
                "编号缺失",
                "Call numbers that are gone or that only the exchange knows.",
                "hotline_call_numbers_missing",
                limits=NONE_IS_GOOD,
            )
        )
        .with_panel(
            small(
                "数据时效",
                "How old the numbers are: they come from a cache.",
                "hotline_snapshot_age_seconds",
                unit="s",
                limits=((None, GREEN), (60, YELLOW), (300, RED)),
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="对账差异",
                    says="Where the exchange's files and a stored call told different stories.",
                    asks=(
                        Ask(
                            expr="sum by (system, kind)"
                            " (increase(hotline_reconciliation_differences_total[1h]))",
                            legend="{{system}} {{kind}}",
                        ),
                    ),
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="事件延迟（95%）",
                    says="Delay between the exchange's time stamp of an event and its arrival.",
                    asks=(
                        Ask(
                            expr="histogram_quantile(0.95, sum by (system, le)"
                            " (rate(hotline_ami_event_lag_seconds_bucket[15m])))",
                            legend="{{system}}",
                        ),
                    ),
                    unit="s",
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="事件流量",
                    says="Events received from each exchange in a second.",
                    asks=(
                        Ask(
                            expr="sum by (system) (rate(hotline_ami_events_total[5m]))",
                            legend="{{system}}",
                        ),
                    ),
                    unit="eps",
                )
            )
        )
        .with_panel(
            curve(
                Panel(
                    title="值班超时事项",
                    says="What the duty desk should have done by now and has not.",
                    asks=(Ask(expr="hotline_duty_overdue", legend="{{timer}}"),),
                    limits=NONE_IS_GOOD,
                )
            )
        )
        .build()
    )
