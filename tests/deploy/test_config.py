"""What an exchange may be, and the one sentence for what it may not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.asterisk.config import Exchange, Line, Operator
from deploy.errors import ExchangeInvalid


def exchange() -> Exchange:
    return Exchange(
        system="mianyang-1",
        run_dir=Path("/srv/hotline/exchange"),
        sip_port=5060,
        ami_port=5038,
        rtp_ports=(20000, 20199),
        lines=(
            Line(name="mayor", number="12345", operators=("1001", "1002")),
            Line(name="duty", number="+868162345678", operators=("1002",)),
        ),
        operators=(Operator(extension="1001"), Operator(extension="1002", badge="B-2")),
    )


def line(**words: Any) -> Line:
    return replace(exchange().lines[0], **words)


def operator(**words: Any) -> Operator:
    return replace(exchange().operators[0], **words)


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (lambda: replace(exchange(), system="Mian yang"), "Mian yang"),
        (lambda: replace(exchange(), run_dir=Path("relative")), "relative"),
        (lambda: replace(exchange(), run_dir=Path("/srv/a,b")), "/srv/a,b"),
        (lambda: replace(exchange(), run_dir=Path("/srv/${X}")), "/srv/${X}"),
        (lambda: replace(exchange(), sip_port=0), "Port 0"),
        (lambda: replace(exchange(), ami_port=70000), "Port 70000"),
        (lambda: replace(exchange(), rtp_ports=(20000, 20001)), "20000-20001"),
        (lambda: replace(exchange(), sip_address="a host"), "a host"),
        (lambda: replace(exchange(), trunk_match=("10.0.0.1\n[evil]",)), "evil"),
        (lambda: replace(exchange(), lines=(line(), line())), "mayor"),
        (lambda: replace(exchange(), lines=(line(), line(name="x"))), "12345"),
        (lambda: replace(exchange(), lines=(line(operators=("9",)),)), "9"),
        (lambda: replace(exchange(), operators=(operator(), operator())), "1001"),
        (lambda: line(name="mayor]"), "mayor]"),
        (lambda: line(number="_X."), "_X."),
        (lambda: line(number="12345,1,System(id)"), "System"),
        (lambda: line(ring_seconds=0), "mayor"),
        (lambda: line(answer="maybe"), "maybe"),
        (lambda: operator(extension="trunk"), "trunk"),
        (lambda: operator(badge="a;b"), "a;b"),
        (lambda: operator(secret="short"), "short"),
        (lambda: operator(secret="12345678\ntype=endpoint"), "type=endpoint"),
        (lambda: operator(contact="sip:1001@h\ncontact=sip:x@y"), "contact"),
        (lambda: operator(contact="1001@10.0.0.1"), "1001@10.0.0.1"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_sentence(
    build: Callable[[], object], names: str
) -> None:
    with pytest.raises(ExchangeInvalid) as caught:
        build()
    sentence = str(caught.value)
    assert names in sentence or repr(names)[1:-1] in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_the_places_of_the_records_follow_from_the_folder() -> None:
    described = exchange()
    folder = Path("/srv/hotline/exchange")
    assert described.cel_file == folder / "log/cel-custom/calls.csv"
    assert described.queue_log_file == folder / "log/queue_log"
    assert described.recordings_dir == folder / "spool/monitor"
