"""What runs around the service: the exchange, the tools, set-up, demo calls, Prometheus' rules.

In comes a Debian or Ubuntu machine; out come programs that run (portable.py), a configured and
running Asterisk (asterisk/), the city's and the policies' data (cities/, policies/, calendars/),
the rules of the alerts (prometheus/) and the twelve calls of the demo (demo/).
Nothing here imports the service; the service imports from here only what it starts itself.

Read portable.py first, then asterisk/__init__.py.
"""
