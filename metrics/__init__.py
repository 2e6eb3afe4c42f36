"""What happened, counted: indicators for people and series for Prometheus.

What enters: rows the service has committed to PostgreSQL, the lines with their answer targets,
a rule that gives each accepted item its due time, and the process's own state as a value.
What leaves: a `Snapshot` (one moment of the database, as numbers) and the page Prometheus scrapes.

Read first: `names.py` (every metric once: name, help, labels, buckets).
Then: `collect.py` (the values and the definitions of the rates, pure),
`ledger.py` (closed items, counted without a walk), `store.py` (the one snapshot of the
database), `exporter.py` (the text of the page).

Counters and histograms are computed from committed rows, never kept in memory: a restart
loses nothing and counts nothing twice. No label ever holds a number or a name of a person.
"""
