"""The duty desk's part of the configuration: its line, and how long its people may take."""

from hotline.config_tables import Table, Word


class Duty(Table):
    """Which line is the duty line; every citizen's call of it has its entry in the duty log."""

    line: Word = "duty"
