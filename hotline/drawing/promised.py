"""The page that says by when what is done, and by which rule: the pack of limits in force. Pure."""

from collections.abc import Iterable, Iterator
from html import escape

from hotline.catalogue import say
from hotline.drawing.public import Front, shell
from routing.limits import Limit, Sourced, Starts
from routing.policy import Policy


def promise(front: Front, policy: Policy) -> bytes:
    """Every limit of the pack with its basis; the first that fits a matter counts."""
    return shell(front, "promise", "".join(_parts(front, policy)))


def _parts(front: Front, policy: Policy) -> Iterator[str]:
    yield f"<h1>{front.say('promise.title')}</h1><p>{front.say('promise.says')}</p>"
    yield f'<p class="soft">{escape(policy.title)} · {escape(policy.name)}</p>'
    yield f"<h2>{front.say('promise.main')}</h2><p>{front.say('promise.first_fits')}</p>"
    yield _table(front, "promise.main", ((_whose(front, one), one) for one in policy.limits))
    yield f"<h2>{front.say('promise.stages')}</h2>"
    yield _table(
        front,
        "promise.stages",
        (
            (f"{say(f'stage.{stage}', front.language)} · {_whose(front, one)}", one)
            for stage, limits in policy.stages.items()
            for one in limits
        ),
    )
    yield f"<h2>{front.say('promise.more')}</h2><ul>"
    if policy.extension is not None:
        longest = _length(front, policy.extension)
        count = policy.extension.max_count
        yield f"<li>{front.say('promise.extension', count=count, longest=longest)}</li>"
    yield f"<li>{front.say('promise.day', ends=f'{policy.day_ends:%H:%M}')}</li>"
    yield f"<li>{front.say('promise.tries', count=policy.call_back_tries)}</li>"
    yield f"<li>{front.say('promise.complain')}</li></ul>"


def _table(front: Front, key: str, rows: Iterable[tuple[str, Sourced]]) -> str:
    heads = "".join(
        f'<th scope="col">{front.say(f"promise.{it}")}</th>' for it in ("whose", "length", "basis")
    )
    lines = "".join(
        f'<tr><th scope="row">{escape(whose)}</th><td class="n">{escape(_length(front, one))}</td>'
        f"<td>{escape(one.basis)} <small>（{escape(_sure(front, one))}）</small></td></tr>"
        for whose, one in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{front.say(key)}"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _length(front: Front, one: Sourced) -> str:
    length = f"{one.amount} {say(f'unit.{one.unit}', front.language)}"
    if isinstance(one, Limit) and one.starts is not Starts.OPEN:
        return f"{length} {say(f'open.promise.from.{one.starts}', front.language)}"
    return length


def _sure(front: Front, one: Sourced) -> str:
    return say(f"origin.{one.verified or one.origin}", front.language)


def _whose(front: Front, one: Limit) -> str:
    """For which matters, in words; every matter where nothing narrows it."""
    named = (
        ("urgency", one.urgencies),
        ("kind", one.kinds),
        ("channel", one.channels),
        ("line", one.lines),
    )
    parts = [
        say("list.and", front.language).join(say(f"{group}.{it}", front.language) for it in values)
        for group, values in named
        if values is not None
    ]
    parts += one.level1 or ()
    return " · ".join(parts) or say("open.promise.all", front.language)
