"""Reports as values: what is told, in which tables, before anybody draws it.

What enters: figures (`metrics/indicators`) of periods and of units, counts of topics, the rules of
the league table. What leaves: a `Report` of tables and bars in both languages, which `hotline`
draws as a page, a workbook, a PDF or JSON.

Read first: `document.py` (what a report is), then `league.py` (how units are scored), `build.py`
(which tables each report has).
"""
