"""What the running service is made of, handed to whoever builds on it (the console, metrics)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hotline.caption_board import CaptionBoard
from hotline.config import Config
from hotline.database import Pool
from hotline.feed import Feed
from hotline.sounds import SoundStores
from metrics.collect import CaptionFigures
from routing.calendar import Calendar
from routing.directory import City
from routing.in_force import InForce
from routing.policy import Policy
from transcription.transcriber import Transcriber

if TYPE_CHECKING:
    from hotline.browser_phones import BrowserPhones
    from hotline.callout import CalloutDesk
    from hotline.city_desk import CityDesk
    from hotline.control import ControlDesk
    from hotline.duty import DutyDesk
    from hotline.exchange import RunningExchange
    from hotline.operators import OperatorDesk
    from hotline.probe import ProbeDesk

Ping = Callable[[], Awaitable[None]]
"""Returns where a part works, raises an error whose text is one sentence where it does not."""


Clock = Callable[[], datetime]
"""Says what time it is, aware and in UTC; tests bring their own."""


def utc_now() -> datetime:
    """The service's clock; pure code gets its result as an argument."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Open for as long as the service runs; everything in it may be used from any task."""

    config: Config
    pool: Pool
    feed: Feed
    exchanges: Mapping[str, "RunningExchange"]
    """By system name; each has `.connection.state` and the reconciliation's counters."""
    policies: Mapping[str, Policy]
    """Every policy pack that ships, by name (`sichuan-2025/1`); old cases keep theirs."""
    calendar: Calendar
    city_desk: "CityDesk"
    captions: CaptionBoard
    """The captions of the calls that go on."""
    transcriber: Transcriber
    sounds: SoundStores
    """Where recordings are kept."""
    control: "ControlDesk"
    operators: "OperatorDesk"
    browsers: "BrowserPhones"
    callouts: "CalloutDesk"
    duty: "DutyDesk"
    probes: "ProbeDesk"
    pings: Mapping[str, Ping]
    """What `/healthz` asks, by name."""
    clock: Clock = utc_now
    caption_figures: Callable[[], CaptionFigures] = CaptionFigures

    @property
    def limits(self) -> InForce:
        """The rules by which cases are judged now."""
        return InForce(policies=self.policies, policy=self.policy, calendar=self.calendar)

    @property
    def city(self) -> City:
        """The city as it is now; a load replaces it while the service runs."""
        return self.city_desk.city

    @property
    def policy(self) -> Policy:
        """The pack in force for cases opened now."""
        return self.city_desk.casework.policy
