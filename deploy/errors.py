"""What can go wrong around us, each error one sentence that says what to do."""


class DeployError(Exception):
    """Something that runs around the service could not be fetched, set up or started."""


class ToolMissing(DeployError):  # noqa: N818 - reads as a fact
    """A program is neither installed nor could be fetched.

    Attributes:
        output: the last words of the command that failed, for the log.
    """

    def __init__(self, sentence: str, *, output: str = "") -> None:
        super().__init__(sentence)
        self.output = output


class ExchangeInvalid(DeployError):  # noqa: N818 - reads as a fact
    """The description of the exchange cannot be rendered; the message names the field."""


class PortTaken(DeployError):  # noqa: N818 - reads as a fact
    """Another program holds a port that the exchange needs.

    Attributes:
        port: the number.
        protocol: "udp" or "tcp".
    """

    def __init__(self, sentence: str, *, port: int, protocol: str) -> None:
        super().__init__(sentence)
        self.port = port
        self.protocol = protocol


class ExchangeNotStarted(DeployError):  # noqa: N818 - reads as a fact
    """Asterisk ended or never became ready.

    Attributes:
        log_tail: the last lines of its log.
    """

    def __init__(self, sentence: str, *, log_tail: str = "") -> None:
        super().__init__(f"{sentence}\n{log_tail}" if log_tail else sentence)
        self.log_tail = log_tail
