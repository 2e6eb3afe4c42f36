"""A simulated year of a city's cases, driven through the real code and counted from outside.

    days.py      the published calendars of 2025 and 2026, and due times counted by hand
    people.py    who works where, who is away when, and who then acts
    lives.py     what people do with one case: a script with chance in it
    drive.py     the year itself: calls come, people move cases, the service's desks look
    crew.py      the same in several processes
    recount.py   everything the service says, counted anew from the bare journal
    log.py       the simulator's own log: what it let happen
    figures.py   every fact behind the indicators, counted anew from that log alone
    pages.py     the scraped page, the bulletins and the public page beside it
    city.py      every indicator beside it, for sliding windows, months, lines and units
    __main__.py  `python -m tests.year`, which is `make case-year` and `make city-year`

`days.py`, `recount.py` and `figures.py` import nothing of the service: a second opinion.
"""
