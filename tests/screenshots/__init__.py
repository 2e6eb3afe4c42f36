"""`make screenshots`: every page of the console in both languages, of a city that is at work.

In comes nothing; out come pictures under `.cache/screenshots/`. `town.py` fills a database through
the service's own steps (calls, words, moves, the duty desk's own addresses), `shoot.py` opens each
page of each area as somebody who may, `__main__.py` puts both together. All people are made up.
"""
