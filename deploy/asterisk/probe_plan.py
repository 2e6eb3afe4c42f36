"""The dialplan behind test calls: through a line as a citizen goes, to a member of its own.

The member sits in the line's queue only while a test call does, above every penalty a person may
have, and each citizen's call is held below it: so a test call rings no person, and its member
answers no citizen, even one that a crash left behind.
"""

from deploy.asterisk.config import Exchange
from deploy.asterisk.line_plan import PROBE_PENALTY, fill

DIALPLAN = "extensions_probe.conf"
LONGEST_SECONDS = 30  # in the queue; the ear also hears the notice
SPEAKS_SECONDS = 4


def probe_files(_: Exchange) -> dict[str, str]:
    """Return the configuration file of test calls by its name."""
    words = {
        "penalty": str(PROBE_PENALTY),
        "longest_seconds": str(LONGEST_SECONDS),
        "speaks_seconds": str(SPEAKS_SECONDS),
        "ear_seconds": str(LONGEST_SECONDS * 4),
    }
    return {DIALPLAN: fill(DIALPLAN, words)}
