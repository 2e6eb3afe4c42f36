"""The only folder that knows the others: it turns exchange events into cases, and runs.

What enters: the configuration, and what the exchanges tell (AMI, CEL, queue_log, recordings).
What leaves: rows in PostgreSQL, the journal, the console's HTTP pages and metrics.

Read first: `flow.py`, the whole pass on one screen: which fact starts which step.
Then: `app.py` (the composition root: what is opened, in which order),
`exchange.py` (one exchange, followed live and reconciled with its own files),
`jobs.py` (work that survives a crash), `recordings.py` (sound into the store),
`database.py` and `migrations/` (PostgreSQL, embedded or by DSN), `config.py`, `cli.py`.

Rule of the pass: every step is one transaction = its result row + the next job + one
journal row, keyed by nature, so that repeating a step changes nothing.
"""
