"""The case as a value: where it stands, who may move it, what a move gives; pure.

The table of legal moves stands in moves.py, what each of them changes in moving.py, and how a case
is built again from its journal in fold.py.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum


class CaseState(StrEnum):
    """Where a case stands."""

    DRAFT = "draft"
    OPEN = "open"
    CONSULTING = "consulting"
    DISPATCHED = "dispatched"
    RETURN_ASKED = "return_asked"
    HANDLING = "handling"
    EXTENSION_ASKED = "extension_asked"
    TERMINATION_ASKED = "termination_asked"
    ANSWERED = "answered"
    CALLING_BACK = "calling_back"
    CLOSED = "closed"
    ARCHIVED = "archived"


class Outcome(StrEnum):
    """How a case ended."""

    DIRECT = "direct"
    HANDLED = "handled"
    EXPLAINED = "explained"
    TERMINATED = "terminated"
    WITHDRAWN = "withdrawn"


class Explanation(StrEnum):
    """Why a request is no work order; each is told, with its reason and the right channel."""

    EMERGENCY_TRANSFER = "emergency_transfer"
    OTHER_CHANNEL = "other_channel"
    SAME_MATTER = "same_matter"
    SECRET = "secret"  # noqa: S105 - a word, no secret
    OUTSIDE_GOVERNMENT = "outside_government"
    UNLAWFUL = "unlawful"
    CLOSED_LAWFULLY = "closed_lawfully"
    ABUSIVE = "abusive"


class Kind(StrEnum):
    """What the caller wants; the limit depends on it."""

    CONSULT = "consult"
    HELP = "help"
    SUGGESTION = "suggestion"
    COMPLAINT = "complaint"
    REPORT = "report"
    FOLLOW_UP = "follow_up"
    INCIDENT = "incident"


class Urgency(StrEnum):
    """How fast somebody must act."""

    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class Channel(StrEnum):
    """How a matter reached the city; a pack may give each of them limits of its own."""

    PHONE = "phone"
    DUTY_PHONE = "duty_phone"
    WEB = "web"
    WECHAT = "wechat"
    SMS = "sms"
    MAIL = "mail"
    VISIT = "visit"
    SUPERIOR = "superior"
    """Handed down by a higher office (上级转办)."""
    PLATFORM = "platform"


DUTY_LINE = "duty"


def channel_of(line: str) -> Channel:
    """By which channel a call on a line comes."""
    return Channel.DUTY_PHONE if line == DUTY_LINE else Channel.PHONE


class Solved(StrEnum):
    """Whether the matter is solved: as the unit says, or as the caller says when called back."""

    YES = "yes"
    NO = "no"
    NOT_ANSWERED = "not_answered"


class Truth(StrEnum):
    """Whether what the caller said is so, as the unit found (诉求属实)."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Satisfied(StrEnum):
    """What the caller says of the handling; nobody is satisfied who did not say so."""

    SATISFIED = "satisfied"
    BASICALLY = "basically"
    DISSATISFIED = "dissatisfied"
    NOT_ANSWERED = "not_answered"


class Reached(StrEnum):
    """What became of a try to call the caller back."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    REFUSED = "refused"
    LATER = "later"


class Role(StrEnum):
    """What a person may do; one person may hold several. SYSTEM is no person."""

    OPERATOR = "operator"
    DISPATCHER = "dispatcher"
    UNIT = "unit"
    AUDITOR = "auditor"
    CALL_BACK = "call_back"
    SUPERVISOR = "supervisor"
    DUTY_OFFICER = "duty_officer"
    LEADER = "leader"
    ADMINISTRATOR = "administrator"
    DISCIPLINE = "discipline"
    SYSTEM = "system"


class Move(StrEnum):
    """A step somebody makes with a case."""

    OPEN = "open"
    ANSWER_DIRECTLY = "answer_directly"
    EXPLAIN = "explain"
    WITHDRAW = "withdraw"
    CONSULT = "consult"
    COMMENT = "comment"
    CONCLUDE = "conclude"
    DISPATCH = "dispatch"
    SIGN = "sign"
    ASK_RETURN = "ask_return"
    ACCEPT_RETURN = "accept_return"
    REFUSE_RETURN = "refuse_return"
    ADD_HELPER = "add_helper"
    HELPER_FEEDBACK = "helper_feedback"
    CITE_LAW = "cite_law"
    ASK_EXTENSION = "ask_extension"
    GRANT_EXTENSION = "grant_extension"
    REFUSE_EXTENSION = "refuse_extension"
    ANSWER = "answer"
    APPROVE = "approve"
    REDO = "redo"
    CALL_BACK_TRIED = "call_back_tried"
    CLOSE = "close"
    ASK_TERMINATION = "ask_termination"
    APPROVE_TERMINATION = "approve_termination"
    REFUSE_TERMINATION = "refuse_termination"
    RAISE_LEVEL = "raise_level"
    RULE = "rule"
    HAND_OVER = "hand_over"
    ACCEPT = "accept"
    DECLINE = "decline"
    DEPUTISE = "deputise"
    PROTECT = "protect"
    TAKE_OVER = "take_over"
    RECUSE = "recuse"
    ARCHIVE = "archive"
    REOPEN = "reopen"
    JOIN = "join"
    LEAVE = "leave"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who makes a move: an account's or extension's name, the roles it holds, its unit.

    `unit` is the unit's name as in the city's directory; None belongs to the hotline itself.
    """

    name: str
    roles: frozenset[Role]
    unit: str | None = None
    stands_for: frozenset[str] = frozenset()
    """Other names that are this person's now: the own seat, people away (see absences.py)."""

    def answers_to(self, name: str | None) -> bool:
        """Whether what belongs to this name is this person's to do."""
        return name is not None and (name == self.name or name in self.stands_for)

    @property
    def everywhere(self) -> bool:
        """Whether this is one desk for everything, which may act for any unit.

        So it is where people have no accounts of their own yet: an administrator with every role.
        """
        return self.unit is None and {Role.ADMINISTRATOR, Role.UNIT} <= self.roles

    def acts_for(self, unit: str | None) -> bool:
        """Whether this person speaks for a unit."""
        return self.everywhere or (unit is not None and self.unit == unit)

    def is_apart_from(self, unit: str | None) -> bool:
        """Whether this person is not of that unit, and so may judge its work."""
        return self.everywhere or self.unit is None or self.unit != unit


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveData:
    """What somebody gives with a move; a move refuses what it does not take (see moves.py).

    `helpers` and `units` are names of units, `days` working days, `evidence` ids of the case's own
    evidence, `beyond_duty` says that the matter is not the unit's to do (超职责), `publish` that
    everybody may read the public reply, `person` whom a case is offered to, `statutory` the id of a
    law's longer limit, `lead` the case that one goes with.
    """

    kind: Kind | None = None
    urgency: Urgency | None = None
    level1: str | None = None
    area: str | None = None
    unit: str | None = None
    summary: str | None = None
    reply: str | None = None
    public_reply: str | None = None
    reason: str | None = None
    basis: str | None = None
    ruling: str | None = None
    comment: str | None = None
    feedback: str | None = None
    channel: str | None = None
    told: str | None = None
    unsolved_reason: str | None = None
    not_contacted: str | None = None
    beyond_duty_reason: str | None = None
    withheld_reason: str | None = None
    contacted_at: datetime | None = None
    helpers: tuple[str, ...] | None = None
    units: tuple[str, ...] | None = None
    days: int | None = None
    evidence: tuple[int, ...] | None = None
    explanation: Explanation | None = None
    same_as: int | None = None
    lead: int | None = None
    truth: Truth | None = None
    beyond_duty: bool | None = None
    publish: bool | None = None
    solved: Solved | None = None
    satisfied: Satisfied | None = None
    result: Reached | None = None
    person: str | None = None
    statutory: str | None = None

    def given(self) -> frozenset[str]:
        """The names of what was given; a blank text and an empty list are nothing."""
        found = ((name, getattr(self, name)) for name in GIVEN)
        return frozenset(name for name, value in found if not _is_nothing(value))

    def texts(self) -> dict[str, str]:
        """The free text, by its sort."""
        return {name: getattr(self, name) for name in TEXTS if name in self.given()}


def _is_nothing(value: object) -> bool:
    return value is None or value == () or (isinstance(value, str) and not value.strip())


GIVEN = tuple(field.name for field in fields(MoveData))
ABOUT = ("kind", "urgency", "level1", "area", "summary")
"""What a case is about: a case may hold it already when a move must carry it."""
TEXTS = (
    *("summary", "reply", "public_reply", "reason", "basis", "ruling", "comment", "feedback"),
    *("channel", "told", "unsolved_reason", "not_contacted"),
    *("beyond_duty_reason", "withheld_reason"),
)
"""What people write in their own words; it is kept apart from the journal and can be erased."""
HIGHEST_LEVEL = 2
"""Level 0 is the unit, 1 the city's office (市政府办), 2 its standing meeting (常务会议)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One matter of one caller, from the first word to its end.

    `kind`, `level1`, `area` and `unit` of a draft are what the words suggest; from `open` on they
    are what a person confirmed. `owner` is who answers for the case now: there always is one.
    `version` counts every change, so that two who saw the same case cannot both change it.
    """

    id: int
    number: str
    call_id: int | None
    line: str
    state: CaseState
    owner: str
    drafted_at: datetime
    channel: Channel = Channel.PHONE
    """How it came; never changed afterwards."""
    version: int = 0
    kind: Kind | None = None
    urgency: Urgency = Urgency.NORMAL
    level1: str | None = None
    area: str | None = None
    unit: str | None = None
    """The lead unit (主办)."""
    helpers: tuple[str, ...] = ()
    """Units that help it (协办)."""
    asked: tuple[str, ...] = ()
    """Units of the present consultation that have not commented yet."""
    offered_to: str | None = None
    """Who was asked to take the case over from its owner."""
    summary: str | None = None
    policy: str | None = None
    opened_at: datetime | None = None
    dispatched_at: datetime | None = None
    """The first dispatch: a return never starts a limit again."""
    given_at: datetime | None = None
    """When the present unit was given the case."""
    signed_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    archived_at: datetime | None = None
    reopened_at: datetime | None = None
    due_at: datetime | None = None
    """The end of the main limit with what was added to it, as last set by a move."""
    asked_days: int | None = None
    """Working days of the extension that is asked for now."""
    extended_days: tuple[int, ...] = ()
    """Working days of each extension granted."""
    statutory: str | None = None
    return_ruled: bool = False
    """A return was refused, or a level ruled: this case is never returned again."""
    level: int = 0
    truth: Truth | None = None
    beyond_duty: bool | None = None
    publish: bool | None = None
    """Whether the public reply may be published, as the unit said; one withheld has a reason."""
    unit_solved: Solved | None = None
    solved: Solved | None = None
    satisfied: Satisfied | None = None
    call_back_tries: int = 0
    outcome: Outcome | None = None
    explanation: Explanation | None = None
    same_as: int | None = None
    """The case of the same matter, where this one needs no order of its own."""
    lead: int | None = None
    """The case of the same matter that this one goes with; its caller is told what came of that."""


CASE_FACTS = tuple(field.name for field in fields(Case))
