"""What can go wrong in the service itself, each as one sentence for an operator at 3 a.m."""


class HotlineError(Exception):
    """The root of the service's errors: `str(error)` is one sentence that says what to do."""


class ConfigError(HotlineError):
    """The configuration cannot be used; the sentence names the key."""


class DatabaseUnavailableError(HotlineError):
    """PostgreSQL cannot be started or reached."""


class MigrationRefusedError(HotlineError):
    """The schema of the database and the migrations of this program do not fit together."""


class PortTakenError(HotlineError):
    """Another program already listens where the console should."""


class CaptionsAwayError(HotlineError):
    """Calls go on without captions."""


class CallUnknownError(HotlineError):
    """There is no such call."""


class CallerFixedError(HotlineError):
    """Who brought a case is known from its call, or is changed no longer."""


class CallbackUnknownError(HotlineError):
    """Nobody waits to be called back for this call."""


class CallbackDoneError(HotlineError):
    """The callback was done before."""


class CallbackUntriedError(HotlineError):
    """Giving up comes after trying."""


class BlockUnknownError(HotlineError):
    """There is no such block, or no such call to block for."""


class BlockForbiddenError(HotlineError):
    """This caller, or this person's word, does not allow it."""


class ControlForbiddenError(HotlineError):
    """Whoever asks may not do this with this call."""


class ControlImpossibleError(HotlineError):
    """The call, or the number, does not allow this now."""


class ControlUnavailableError(HotlineError):
    """The exchange takes no orders at this moment."""


class NoticeUnknownError(HotlineError):
    """There is no such undeliverable notice, or no such address."""


class PasswordWeakError(HotlineError):
    """A new password is too easy."""


class UserUnknownError(HotlineError):
    """There is no such user, or no such token."""


class UserForbiddenError(HotlineError):
    """This cannot be done with this user, such as taking the last administrator away."""


class UserWrongError(HotlineError):
    """What is said of a user does not fit together; the sentence names the field."""


class OpenIdError(HotlineError):
    """The identity provider does not vouch for whoever came, or cannot be asked."""


class AbsenceUnknownError(HotlineError):
    """There is no such absence."""


class AbsenceWrongError(HotlineError):
    """An absence notice does not fit together; the sentence names the field."""


class CardUnknownError(HotlineError):
    """There is no such card or version, or nothing it could have been told on."""


class CardChangedError(HotlineError):
    """Somebody else made a newer version of the card, or the card is retired."""


class CityChangedError(HotlineError):
    """Another version of the city's data was loaded since this one was compared."""


class CardIncompleteError(HotlineError):
    """A citizen is told all of a card's mandatory blocks at once, or has not been told it."""

    def __init__(self, message: str, *, missing: tuple[str, ...]) -> None:
        super().__init__(message)
        self.missing = missing


class DutyUnknownError(HotlineError):
    """There is no such entry, incident, instruction or contact of the duty desk."""


class DutyChangedError(HotlineError):
    """Somebody else was faster: what was read is not what stands there now."""


class DutyWrongError(HotlineError):
    """What the duty desk is told does not fit together; the sentence names the field."""


class DutyIncompleteError(HotlineError):
    """Something must still be written before this can be done."""

    def __init__(self, message: str, *, missing: tuple[str, ...]) -> None:
        super().__init__(message)
        self.missing = missing


class DutyForbiddenError(HotlineError):
    """This is not this person's to do at the duty desk."""


class ExchangeAwayError(HotlineError):
    """An exchange cannot be followed at this moment."""


class StoreAwayError(HotlineError):
    """The store for recordings cannot be reached, refuses us or has no room: nothing is lost."""


class SoundGoneError(HotlineError):
    """A recording is not in the store, or is not what was put there."""


class KeyReusedError(HotlineError):
    """An idempotency key came before with another request."""


class EvidenceRefusedError(HotlineError):
    """A piece of evidence is empty, or its case takes none, from nobody or not from this unit."""


class EvidenceTooLargeError(EvidenceRefusedError):
    """A piece of evidence is larger than the configuration allows."""


class EvidenceUnknownError(HotlineError):
    """There is no such piece of evidence, or its file is gone."""


class VisitRefusedError(HotlineError):
    """A visit on the spot lies in the future, or is held against a reply there is none of."""


class ComingUnknownError(HotlineError):
    """There is no such request to come, or not for this unit."""


class ComingRefusedError(HotlineError):
    """Nobody can be called to come to this case, or not then."""


class ComingConflictError(HotlineError):
    """Somebody else answered a request to come first."""


class SendingRefusedError(HotlineError):
    """Nothing can be sent to this caller: no gateway, or no number that takes messages."""


class LineSilentError(HotlineError):
    """A test call into a line was not answered, or not recorded."""


class AuditError(HotlineError):
    """The journal, or what is held against it, does not hold; told is the first fault."""


class PhoneUnknownError(HotlineError):
    """A telephone cannot be set up: its operator or its password is not known here."""


class PhoneLinkGoneError(HotlineError):
    """A link to a telephone's settings was used, is too old, or never was."""


class SupervisionUnknownError(HotlineError):
    """There is no such supervision record, tracked item or fault record."""


class SupervisionChangedError(HotlineError):
    """Somebody else changed the record first."""


class BurstUnknownError(HotlineError):
    """There is no such burst."""


class BurstAcknowledgedError(HotlineError):
    """A burst was acknowledged before, by somebody else or by the same person."""


class PhoneAssignmentRefusedError(HotlineError):
    """A case cannot be given by telephone now, or no word by telephone is awaited."""


class AppealRefusedError(HotlineError):
    """An appeal against the league table cannot be taken or decided as asked."""


class PublicationRefusedError(HotlineError):
    """A reply cannot be published, kept back or taken back as asked."""


class InspectionUnknownError(HotlineError):
    """There is no such inspection, result or appeal."""


class ScoringRefusedError(HotlineError):
    """A call cannot be scored, appealed or decided as asked."""
