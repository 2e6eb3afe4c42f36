"""The dialplan behind call-outs: ask whoever answers for a key, and write it into the event log."""

import shutil

from deploy.asterisk.config import SOUNDS, Exchange
from deploy.asterisk.line_plan import fill, sounds_dir

DIALPLAN = "extensions_callout.conf"
SPOKEN = ("callout", "callout-thanks")


def callout_files(exchange: Exchange) -> dict[str, str]:
    """Return the configuration file of call-outs by its name."""
    return {DIALPLAN: fill(DIALPLAN, {"sounds": str(sounds_dir(exchange))})}


def copy_spoken(exchange: Exchange) -> None:
    """Put the spoken request where Asterisk finds it: the city's own, else the one that ships."""
    sounds_dir(exchange).mkdir(parents=True, exist_ok=True)
    for name in SPOKEN:
        own = exchange.sounds / f"{name}.wav"
        source = own if own.is_file() else SOUNDS / f"{name}.wav"
        shutil.copyfile(source, sounds_dir(exchange) / f"{name}.wav")
