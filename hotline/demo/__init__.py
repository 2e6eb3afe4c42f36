"""`hotline demo`: twelve real calls become cases while you watch; nothing in the service knows.

In comes a checkout with an empty or a used cache; out come a live table, a report, an exit status.
Read `play.py` first: the whole demo in the order it happens. Then
`settings.py` (the exchange and the service's configuration),
`service.py` (`hotline serve` as a process of its own),
`people.py` (the operators' part, by the same HTTP API a person's browser uses),
`rows.py` (what the database says of this run's calls), `screen.py`, `report.py`.
The calls themselves, their sound and their SIP telephones are in `deploy/demo`.
"""

from hotline.demo.play import main

__all__ = ["main"]
