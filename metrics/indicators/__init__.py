"""Every indicator of the line, defined once and computed by one statement each.

What enters: a `Scope` (a period, a line, a unit) and a connection. What leaves: a `Figure` for each
indicator: its two numbers, what was left out, and what is shown beside it.

Read first: `definitions.py` (what an indicator is), then `calls.py`, `cases.py` and `every.py` (all
of them), `store.py` and `case_sql.py` (one statement gives all facts of its source).

The page for Prometheus, reports, the console and what is published all ask `store.figures`, so that
a figure is the same wherever it is read.
"""
