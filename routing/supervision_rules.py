"""What a policy pack says of supervision (督办): what triggers it, its levels, who is told; pure.

Every figure has its basis, as every limit has. A pack without the part `supervision` follows OURS,
this product's defaults: whatever the pack, no overdue case is without a record, so the two
triggers of clocks cannot be left out of a pack's own part.
"""

from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from routing.cases import Kind, Urgency
from routing.documents import Document
from routing.limits import Limit, Origin, Stage, Unit, Verified

if TYPE_CHECKING:
    from routing.policy import Policy


class Level(StrEnum):
    """How hard a matter is pressed: reminded (催办), supervised (督办), listed and summoned."""

    URGE = "urge"
    SUPERVISE = "supervise"
    LIST = "list"

    @property
    def next(self) -> "Level | None":
        """The level above; None at the highest. There is no way round a level."""
        return dict(pairwise(Level)).get(self)


class Trigger(StrEnum):
    """Why a matter came under supervision."""

    NOT_SIGNED = "not_signed"
    OVERDUE = "overdue"
    RETURNED = "returned"
    REPEATED = "repeated"
    CONCENTRATED = "concentrated"
    STALE_CARD = "stale_card"
    BY_HAND = "by_hand"


class Receiver(StrEnum):
    """Whom a level's notice goes to; without a unit it is the office's own work."""

    UNIT = "unit"
    HEAD = "head"
    LEADER = "leader"


OF_CLOCKS = (Trigger.NOT_SIGNED, Trigger.OVERDUE)
_COUNTED = (Trigger.RETURNED, Trigger.REPEATED, Trigger.CONCENTRATED)
_IN_A_TIME = (Trigger.REPEATED, Trigger.CONCENTRATED)


class TriggerRule(Document):
    """When one trigger opens a record.

    `count`: at how many returns, calls of one caller or callers of one matter (and at each
    multiple of it); `within_days`: how far back those are counted.
    """

    trigger: Trigger
    count: int | None = Field(default=None, ge=2, le=10_000)
    within_days: int | None = Field(default=None, ge=1, le=366)
    basis: str = Field(min_length=1)
    origin: Origin
    verified: Verified | None = None

    @model_validator(mode="after")
    def _says_what_it_counts(self) -> Self:
        for name, triggers in (("count", _COUNTED), ("within_days", _IN_A_TIME)):
            if (getattr(self, name) is not None) != (self.trigger in triggers):
                needs = "needs" if self.trigger in triggers else "takes no"
                raise ValueError(f"the trigger {self.trigger} {needs} {name}")
        return self


class LevelRule(Document):
    """One level: whom its notice goes to, and until when the matter must be cleared."""

    level: Level
    receiver: Receiver
    limits: tuple[Limit, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_everything(self) -> Self:
        last = self.limits[-1]
        if any((last.kinds, last.urgencies, last.lines, last.level1, last.channels)):
            raise ValueError(f"the last limit of the level {self.level} must fit every matter")
        return self

    def limit(self, kind: Kind | None, urgency: Urgency) -> Limit:
        """The first limit that fits; a matter that is no case has no kind."""
        return next(one for one in self.limits if one.fits(kind, urgency, None, None))


class SupervisionRules(Document):
    """The triggers and the levels, from the lowest on."""

    triggers: tuple[TriggerRule, ...]
    levels: tuple[LevelRule, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if tuple(one.level for one in self.levels) != tuple(Level):
            raise ValueError(f"the levels are {', '.join(Level)}, in this order, each once")
        named = [one.trigger for one in self.triggers]
        if len(set(named)) != len(named):
            raise ValueError("a trigger stands twice")
        if Trigger.BY_HAND in named:
            raise ValueError("what a person opens by hand has no rule")
        if missing := set(OF_CLOCKS) - set(named):
            raise ValueError(f"the trigger {min(missing)} cannot be left out")
        return self

    def of(self, trigger: Trigger) -> TriggerRule | None:
        """The rule of a trigger; None where the pack leaves it out."""
        return next((one for one in self.triggers if one.trigger is trigger), None)

    def level(self, level: Level) -> LevelRule:
        """The rule of a level."""
        return next(one for one in self.levels if one.level is level)


def rules_of(policy: "Policy") -> SupervisionRules:
    """What a pack says of supervision, or this product's defaults.

    A pack that only has a limit for the stage `supervision` gives that of the second level; what it
    does not say of urgent matters by name stays ours, for they cannot wait for working days.
    """
    if policy.supervision is not None:
        return policy.supervision
    given = policy.stages.get(Stage.SUPERVISION)
    if given is None:
        return OURS
    usual = OURS.level(Level.SUPERVISE)
    named = {urgency for one in given for urgency in one.urgencies or ()}
    urgent = (one for one in usual.limits if one.urgencies and not named & set(one.urgencies))
    limits = (*urgent, *given)
    own = usual.model_copy(update={"limits": limits})
    levels = tuple(own if one.level is Level.SUPERVISE else one for one in OURS.levels)
    return OURS.model_copy(update={"levels": levels})


_JINAN = "参照济南市12345市民服务热线条例（2018）、潍坊市12345条例（2021）列举的督办情形"


def _trigger(
    trigger: Trigger, basis: str, count: int | None = None, within_days: int | None = None
) -> TriggerRule:
    return TriggerRule(
        trigger=trigger, count=count, within_days=within_days, basis=basis, origin=Origin.OURS
    )


def _limit(amount: int, unit: Unit, basis: str, urgency: Urgency | None = None) -> Limit:
    return Limit(
        amount=amount,
        unit=unit,
        basis=basis,
        origin=Origin.OURS,
        urgencies=(urgency,) if urgency else None,
    )


OURS = SupervisionRules(
    triggers=(
        _trigger(Trigger.NOT_SIGNED, f"拒不签收、逾期未签收的督办为本产品默认（{_JINAN}）"),
        _trigger(Trigger.OVERDUE, f"任一环节超过时限的督办为本产品默认（{_JINAN}）"),
        _trigger(
            Trigger.RETURNED,
            "同一工单两次申请退单的督办为本产品默认（国办函〔2025〕66号要求改进退单、改派）",
            2,
        ),
        _trigger(
            Trigger.REPEATED,
            f"同一来电人三十日内就同一事项三次来电的督办为本产品默认（{_JINAN}）",
            3,
            30,
        ),
        _trigger(
            Trigger.CONCENTRATED,
            f"一日内同一地区同一类别十名不同来电人集中反映的督办为本产品默认（{_JINAN}）",
            10,
            1,
        ),
        _trigger(Trigger.STALE_CARD, f"知识库信息逾期未复核的督办为本产品默认（{_JINAN}）"),
    ),
    levels=(
        LevelRule(
            level=Level.URGE,
            receiver=Receiver.UNIT,
            limits=(
                _limit(30, Unit.MINUTES, "特急事项催办30分钟为本产品默认值", Urgency.EMERGENCY),
                _limit(4, Unit.HOURS, "紧急事项催办4小时为本产品默认值", Urgency.URGENT),
                _limit(
                    1,
                    Unit.WORKING_DAYS,
                    "催办1个工作日为本产品默认值（参照某局12345规定：逾期次日催办）",
                ),
            ),
        ),
        LevelRule(
            level=Level.SUPERVISE,
            receiver=Receiver.HEAD,
            limits=(
                _limit(2, Unit.HOURS, "特急事项督办2小时为本产品默认值", Urgency.EMERGENCY),
                _limit(24, Unit.HOURS, "紧急事项督办24小时为本产品默认值", Urgency.URGENT),
                _limit(
                    3, Unit.WORKING_DAYS, "督办3个工作日为本产品默认值（参照上海某街道2019年规定）"
                ),
            ),
        ),
        LevelRule(
            level=Level.LIST,
            receiver=Receiver.LEADER,
            limits=(
                _limit(24, Unit.HOURS, "特急事项挂牌24小时为本产品默认值", Urgency.EMERGENCY),
                _limit(
                    5,
                    Unit.WORKING_DAYS,
                    "挂牌、约谈5个工作日为本产品默认值（参照某局12345规定：逾期五个工作日仍无答复的书面通报）",
                ),
            ),
        ),
    ),
)
