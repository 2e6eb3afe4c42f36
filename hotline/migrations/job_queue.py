"""Migration 0002: the job queue's tables, asked of PgQueuer instead of kept as a copy of its text.

A newer PgQueuer that wants other tables says so in a test (`plan_upgrade` is not empty); its
statements then become a migration with a number of its own.
"""

from typing import Final

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

NUMBER: Final = 2
NAME: Final = "job_queue"


def statements() -> str:
    """The SQL that makes the queue's tables, as the installed PgQueuer prints it."""
    return QueryBuilderEnvironment().build_install_query()
