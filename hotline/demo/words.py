"""What the demo says to people, Chinese first, English beside it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hotline.catalogue import messages

SHANGHAI = ZoneInfo("Asia/Shanghai")

SAID: dict[str, tuple[str, str]] = {
    "setup": ("准备", "Set-up"),
    "tools": (
        "正在准备交换机、话机和语音模型",
        "Getting exchange, telephones and speech model ready",
    ),
    "tool": ("就绪：{name} {version}", "Ready: {name} {version}"),
    "model": ("就绪：语音模型 {name}", "Ready: speech model {name}"),
    "no_model": (
        "没有语音模型，转写将保持等待：{why}",
        "Without the speech model transcripts stay pending: {why}",
    ),
    "started": (
        "准备用时 {setup:.0f} 秒：数据库、交换机、服务与 {seats} 部坐席话机都在运行",
        "Set-up took {setup:.0f} s: database, exchange, service, {seats} telephones",
    ),
    "watch": ("实时页面：{url}", "Live page: {url}"),
    "placing": ("正在拨打 {count} 个电话", "Placing {count} real calls"),
    "title": ("市长公开电话与值班电话", "Mayor's line and duty line"),
    "acted": (
        "【演示坐席】工单 {case}：{did_zh}",
        "demo's operator: {did_en}",
    ),
    "acting_failed": (
        "【演示坐席】工单 {case} 未能办理：{why}",
        "demo's operator could not make the move",
    ),
    "column.call": ("电话", "Call"),
    "column.line": ("线路", "Line"),
    "column.caller": ("来电", "Caller"),
    "column.stage": ("状态", "Stage"),
    "column.wait": ("等待", "Wait"),
    "column.talk": ("通话", "Talk"),
    "column.recorded": ("录音", "Rec."),
    "column.words": ("转写", "Words"),
    "column.level1": ("类别", "Category"),
    "column.kind": ("类型", "Kind"),
    "column.unit": ("承办单位", "Unit"),
    "column.case": ("工单", "Case"),
    "column.state": ("办理", "State"),
    "stage.planned": ("未拨", "not yet"),
    "stage.dialling": ("接入", "coming in"),
    "stage.waiting": ("排队", "waiting"),
    "stage.talking": ("通话中", "talking"),
    "report": ("每个电话", "Every call"),
    "deadline": ("办理期限 {at}", "due {at}"),
    "no_deadline": ("待人工确认后起算", "runs from a person's confirmation"),
    "rates": ("指标", "Rates"),
    "complete": (
        "拨打 {placed} 个，入库 {stored} 个：全部完整",
        "{placed} placed, {stored} stored: everything is there",
    ),
    "incomplete": ("{call} 缺少 {what}", "{call} lacks {what}"),
    "refused": (
        "{call}：话机未按脚本结束（{why}）",
        "{call}: the telephone did not end as scripted ({why})",
    ),
    "extra": ("多出 {count} 个未拨打的电话", "{count} calls stored that nobody placed"),
    "took": (
        "准备 {setup:.0f} 秒，运行 {run:.0f} 秒",
        "Set-up {setup:.0f} s, run {run:.0f} s",
    ),
    "serving": (
        "服务继续运行，按 Ctrl-C 结束",
        "It keeps serving; Ctrl-C ends it",
    ),
    "addresses": (
        "页面 {url}/    接口 {url}/api/openapi.json    指标 {url}/metrics",
        "page, API and metrics",
    ),
    "taken": (
        "另一个演示正在运行（{folder}）：请先结束它，或把 HOTLINE_CACHE 指向别处",
        "another demo already runs there: end it first, or set HOTLINE_CACHE",
    ),
    "stopping": ("正在结束……", "Stopping ..."),
    "stopped": ("已全部结束", "Everything has stopped"),
}


def both(key: str, **facts: object) -> str:
    """The sentence in Chinese with the English beside it."""
    chinese, english = SAID[key]
    return f"{chinese.format(**facts)}  [dim]{english.format(**facts)}[/dim]"


def plain(key: str, **facts: object) -> str:
    """The same without any styling, for error messages."""
    return "  ".join(words.format(**facts) for words in SAID[key])


def chinese(key: str) -> str:
    """The Chinese alone, for narrow columns."""
    return SAID[key][0]


def term(group: str, value: str | None) -> str:
    """A word of the service's own catalogue: `term("kind", "help")`; unknown ones stay."""
    if value is None:
        return ""
    return messages("zh").get(f"{group}.{value}", value)


def moment(at: datetime) -> str:
    """A time as people in the city read it."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
