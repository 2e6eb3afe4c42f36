"""Everything that can go wrong in routing, each as one sentence an operator understands."""

from datetime import date
from pathlib import Path


class RoutingError(Exception):
    """Something in routing could not be done; the message says what and what helps."""


class CaseError(RoutingError):
    """A case could not be read or moved; nothing was changed."""

    def __init__(self, message: str, *, case_id: int | None = None) -> None:
        super().__init__(message)
        self.case_id = case_id


class IllegalMove(CaseError):  # noqa: N818 - reads as what it is
    """The table of moves does not allow this step, here or for this person."""


class MissingFact(IllegalMove):
    """The move lacks something it must carry, such as a reply or a reason."""

    def __init__(self, message: str, *, missing: tuple[str, ...]) -> None:
        super().__init__(message)
        self.missing = missing


class CaseConflict(CaseError):  # noqa: N818 - reads as what it is
    """Somebody else moved the case first; look again and decide anew."""


class CaseUnknown(CaseError):  # noqa: N818 - reads as what it is
    """There is no case with this id or number."""


class DataFault(RoutingError):  # noqa: N818 - reads as what it is
    """A file of the city's data is wrong; the sentence names the file and the place in it."""

    def __init__(self, message: str, *, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


class CalendarEnds(RoutingError):  # noqa: N818 - reads as what it is
    """The date lies outside the calendar, so no working day can be counted there."""

    def __init__(self, message: str, *, first: date, last: date) -> None:
        super().__init__(message)
        self.first = first
        self.last = last


class ModelFault(RoutingError):  # noqa: N818 - reads as what it is
    """The classifier's model or its training data cannot be used."""


class LimitMissing(RoutingError):  # noqa: N818 - reads as what it is
    """The policy gives no limit where one is needed; none is made up."""

    def __init__(self, message: str, *, policy: str, stage: str) -> None:
        super().__init__(message)
        self.policy = policy
        self.stage = stage


class TooLate(RoutingError):  # noqa: N818 - reads as what it is
    """A unit may no longer ask for this: the time for it is over, or it was used up."""


class NotLonger(RoutingError):  # noqa: N818 - reads as what it is
    """A cited statutory limit does not end later than the policy's, so it changes nothing."""


class HistoryFault(RoutingError):  # noqa: N818 - reads as what it is
    """The journal of a case does not tell how the case came to be as it is."""

    def __init__(self, message: str, *, case_id: int, row: int | None = None) -> None:
        super().__init__(message)
        self.case_id = case_id
        self.row = row


class SupervisionRefused(RoutingError):  # noqa: N818 - reads as what it is
    """This person may not do this with a supervision record, a tracked item or a fault record."""
