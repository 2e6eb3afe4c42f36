"""What forbids a move beside its state, its maker's role and what it must carry; pure.

Each guard returns None where it has nothing against the move, else a clause for one sentence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from routing.cases import (
    HIGHEST_LEVEL,
    Actor,
    Case,
    Explanation,
    MoveData,
    Reached,
    Role,
    Satisfied,
    Solved,
)
from routing.errors import RoutingError
from routing.in_force import InForce
from transcription.personal import PersonalSort, personal


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A move as somebody wants to make it."""

    case: Case
    actor: Actor
    data: MoveData
    now: datetime
    limits: InForce


Guard = Callable[[Attempt], str | None]
OF_A_PERSON = frozenset(
    {PersonalSort.IDENTITY, PersonalSort.MOBILE, PersonalSort.CARD, PersonalSort.PLATE}
)
"""Numbers that no public text may hold."""
OVERSEERS = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.ADMINISTRATOR})
"""Who may act where the owner or the lead unit does not."""


def speaking_unit(attempt: Attempt) -> str | None:
    """The unit a person speaks for; one desk for everything names it with the move."""
    actor = attempt.actor
    return attempt.data.unit if actor.everywhere else actor.unit


def by_the_unit(attempt: Attempt) -> str | None:
    """Only the lead unit's own people."""
    if attempt.actor.acts_for(attempt.case.unit):
        return None
    return f"only {attempt.case.unit} may do this, which has the case"


def by_the_lead_or_overseer(attempt: Attempt) -> str | None:
    """The lead unit's own people, or those who oversee it."""
    return None if attempt.actor.roles & OVERSEERS else by_the_unit(attempt)


def apart_from_the_unit(attempt: Attempt) -> str | None:
    """Nobody judges his own unit's work."""
    if attempt.actor.is_apart_from(attempt.case.unit):
        return None
    return f"{attempt.case.unit} cannot judge its own work"


def by_an_asked_unit(attempt: Attempt) -> str | None:
    """A unit that was asked for its comment, once."""
    unit = speaking_unit(attempt)
    if unit in attempt.case.asked:
        return None
    waiting = ", ".join(attempt.case.asked) or "nobody"
    return f"the comment of this unit is not asked for now (of: {waiting})"


def by_a_helper(attempt: Attempt) -> str | None:
    """A unit that helps the lead."""
    if speaking_unit(attempt) in attempt.case.helpers:
        return None
    return f"only a helping unit gives feedback (they are: {_named(attempt.case.helpers)})"


def _named(units: tuple[str, ...]) -> str:
    return ", ".join(units) or "none"


def new_helpers(attempt: Attempt) -> str | None:
    """Helpers are units beside the lead, each once."""
    helpers = attempt.data.helpers or ()
    lead = attempt.data.unit or attempt.case.unit
    if lead in helpers:
        return f"{lead} leads the case and cannot help itself"
    return _once(helpers, attempt.case.helpers if attempt.case.unit == lead else ())


def new_units(attempt: Attempt) -> str | None:
    """Each unit is asked once in a consultation."""
    return _once(attempt.data.units or (), ())


def _once(units: tuple[str, ...], known: tuple[str, ...]) -> str | None:
    twice = next((it for n, it in enumerate(units) if it in known or it in units[:n]), None)
    return None if twice is None else f"{twice} is named already"


def never_returned_again(attempt: Attempt) -> str | None:
    """After a ruling the case stays where the ruling put it."""
    if not attempt.case.return_ruled:
        return None
    return "it was ruled who handles this case, and the ruling is binding"


def return_in_time(attempt: Attempt) -> str | None:
    """The policy says until when a return may be asked for."""
    return _told(lambda: attempt.limits.check_return(attempt.case, attempt.now))


def extension_possible(attempt: Attempt) -> str | None:
    """Before the present limit ends, as often and as long as the policy allows."""
    days = attempt.data.days or 0
    if days < 1:
        return "an extension has at least one working day"
    return _told(lambda: attempt.limits.check_extension(attempt.case, days, attempt.now))


def no_more_than_asked(attempt: Attempt) -> str | None:
    """Granted is what was asked for, or less."""
    asked, days = attempt.case.asked_days or 0, attempt.data.days
    if days is None or 1 <= days <= asked:
        return None
    return f"between 1 and {asked} working days can be granted, for so many were asked for"


def law_is_longer(attempt: Attempt) -> str | None:
    """A cited law counts only where its limit ends later."""
    cited = attempt.data.statutory or ""
    if attempt.case.statutory == cited:
        return "this law is cited already"
    return _told(lambda: attempt.limits.check_law(attempt.case, cited))


def _told(check: Callable[[], None]) -> str | None:
    try:
        check()
    except RoutingError as error:
        return str(error).rstrip(".")
    return None


def says_what_came_of_it(attempt: Attempt) -> str | None:
    """An answer says whether the matter is solved, why not, and when the caller was spoken to."""
    data = attempt.data
    if data.solved is Solved.NOT_ANSWERED:
        return "the unit says whether the matter is solved: yes or no"
    if data.solved is Solved.NO and "unsolved_reason" not in data.given():
        return "an unsolved matter needs unsolved_reason"
    if data.contacted_at is None and "not_contacted" not in data.given():
        return "an answer needs contacted_at, or not_contacted with the reason"
    if data.contacted_at is not None and data.contacted_at > attempt.now:
        return "the caller cannot have been contacted in the future"
    return None


def gives_its_reasons(attempt: Attempt) -> str | None:
    """What is beyond a unit's duty and what is kept from the public has a reason, else none."""
    data, given = attempt.data, attempt.data.given()
    beyond, withheld = data.beyond_duty is True, data.publish is False
    if beyond != ("beyond_duty_reason" in given):
        if beyond:
            return "what is beyond the unit's duty needs beyond_duty_reason"
        return "beyond_duty_reason is for what is beyond the unit's duty: give beyond_duty, too"
    if withheld != ("withheld_reason" in given):
        if withheld:
            return "a public reply that is not published needs withheld_reason, the law behind it"
        return "withheld_reason is for a public reply that is not published: say publish false"
    return None


def names_nobody(attempt: Attempt) -> str | None:
    """What the public may read holds no number of a person; a landline may be an office's."""
    data = attempt.data
    if data.publish is False or data.public_reply is None:
        return None
    told = {one.sort for one in personal(data.public_reply)} & OF_A_PERSON
    if told:
        return "the public reply holds a number of a person: leave it out"
    return None


def told_where_to_go(attempt: Attempt) -> str | None:
    """The same matter under way is named and so linked; what is secret is not written down."""
    data = attempt.data
    if data.explanation is Explanation.SECRET and data.summary is not None:
        return "what is secret is explained and not written down, so give no summary"
    if data.explanation is Explanation.SAME_MATTER and data.same_as is None:
        return "the same matter needs same_as, the case it is handled in"
    if data.same_as == attempt.case.id:
        return "a case is not its own earlier matter"
    return None


def was_not_reached(attempt: Attempt) -> str | None:
    """A try is one that did not reach the caller; one that did closes the case or has it redone."""
    if attempt.data.result is not Reached.REACHED:
        return None
    return "the caller was reached, so close the case or have it redone"


def called_back(attempt: Attempt) -> str | None:
    """The caller's own word, or as many tries as the policy wants; never 'satisfied' by default."""
    data, said = attempt.data, {attempt.data.solved, attempt.data.satisfied}
    if data.result is Reached.REACHED:
        return "what the caller said needs solved and satisfied" if None in said else None
    if said - {None, Solved.NOT_ANSWERED, Satisfied.NOT_ANSWERED}:
        return "who was not reached said nothing, so solved and satisfied stay not_answered"
    if data.result is Reached.LATER:
        return "the caller wants to be called later, so the case stays open"
    tries = attempt.limits.tries_of(attempt.case)
    if data.result is Reached.NOT_REACHED and attempt.case.call_back_tries < tries:
        return f"the caller must be tried {tries} times before, not {attempt.case.call_back_tries}"
    return None


def below_the_highest(attempt: Attempt) -> str | None:
    """There is nothing above the standing meeting."""
    return None if attempt.case.level < HIGHEST_LEVEL else "it is before the standing meeting"


def at_a_level(attempt: Attempt) -> str | None:
    """Only a level above the unit rules."""
    return None if attempt.case.level > 0 else "its level was not raised, so none can rule"


def by_the_owner_or_overseer(attempt: Attempt) -> str | None:
    """The owner offers the case, or those who oversee offer it for an owner who cannot."""
    case, actor = attempt.case, attempt.actor
    if attempt.data.person == case.owner:
        return f"{case.owner} answers for it already"
    if actor.answers_to(case.owner) or actor.roles & OVERSEERS:
        return None
    return f"only {case.owner}, who answers for it, may offer it"


def by_whom_it_was_offered_to(attempt: Attempt) -> str | None:
    """Nobody becomes responsible without being asked, nor by another's word."""
    if attempt.case.offered_to is None:
        return "it was offered to nobody"
    if attempt.actor.answers_to(attempt.case.offered_to):
        return None
    return f"it was offered to {attempt.case.offered_to}"


def offered(attempt: Attempt) -> str | None:
    """The one asked says no, or the owner takes the offer back."""
    case = attempt.case
    if case.offered_to is not None and attempt.actor.answers_to(case.owner):
        return None
    return by_whom_it_was_offered_to(attempt)


def may_join(attempt: Attempt) -> str | None:
    """A case goes with one other, once."""
    if attempt.data.lead == attempt.case.id:
        return "a case cannot go with itself"
    return goes_alone(attempt)


def goes_alone(attempt: Attempt) -> str | None:
    """What goes with another case has no order of its own."""
    if attempt.case.lead is None:
        return None
    return f"it goes with case {attempt.case.lead}; take it out first"


def goes_with_another(attempt: Attempt) -> str | None:
    """Only a case that goes with another can leave it or follow it."""
    return "it goes with no other case" if attempt.case.lead is None else None


def has_a_unit(attempt: Attempt) -> str | None:
    """Only what a unit handled can be handled by it again."""
    if attempt.case.signed_at is not None:
        return None
    return "no unit handled it, so close it and reopen it on new facts"


OF_THE_PERSON = frozenset(
    {
        *(by_the_unit, by_the_lead_or_overseer, apart_from_the_unit, never_returned_again),
        *(return_in_time, below_the_highest, at_a_level, by_the_owner_or_overseer),
        *(by_whom_it_was_offered_to, offered),
        *(goes_alone, goes_with_another, has_a_unit),
    }
)
"""The guards that speak of the case and the person alone, not of what a move carries."""
