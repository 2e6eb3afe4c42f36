"""Where Alertmanager sends its alerts (`webhook_configs` of deploy/prometheus/alertmanager.yml)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hotline import alerts
from hotline.alerts import Alert
from hotline.console.desk import Request
from hotline.console.endpoint import post
from hotline.console.shapes import Told
from hotline.console.who import ADMINISTRATORS
from hotline.database import transaction

Text = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
Named = dict[Annotated[str, Field(max_length=200)], Text]


class OfMonitoring(BaseModel):
    """What another program sends: what it says beside this is its own business."""

    model_config = ConfigDict(extra="ignore")


class AlertAsked(OfMonitoring):
    """One alert of a group."""

    status: Literal["firing", "resolved"]
    labels: Named
    annotations: Named = Field(default_factory=dict)
    startsAt: AwareDatetime = Field(description="When it began; the other program's spelling.")  # noqa: N815
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]


class AlertsAsked(OfMonitoring):
    """A group of alerts, version 4 of Alertmanager's webhook."""

    version: Literal["4"]
    alerts: Annotated[tuple[AlertAsked, ...], Field(max_length=1000)]


class AlertsTaken(Told):
    """How many of them were news."""

    told: int


async def take_alerts(asked: Request) -> AlertsTaken:
    """Take in alerts of the monitoring: they are written down, and whoever is on duty is told."""
    given = asked.asked(AlertsAsked)
    async with transaction(asked.services.pool) as tx:
        told = await alerts.take(tx, [_alert(one) for one in given.alerts], asked.services.clock())
    return AlertsTaken(told=told)


def _alert(given: AlertAsked) -> Alert:
    labels, notes = given.labels, given.annotations
    began: datetime = given.startsAt
    return Alert(
        fingerprint=given.fingerprint,
        name=labels.get("alertname", ""),
        severity=labels.get("severity", ""),
        line=labels.get("line", ""),
        system=labels.get("system", ""),
        summary=notes.get("summary", labels.get("alertname", "")),
        summary_zh=notes.get("summary_zh", labels.get("alertname", "")),
        action=notes.get("action", ""),
        starts_at=began,
        is_over=given.status == "resolved",
    )


ENDPOINTS = (post("/api/alerts", take_alerts, AlertsAsked, AlertsTaken, roles=ADMINISTRATORS),)
