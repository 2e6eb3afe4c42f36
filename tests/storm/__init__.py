"""The storm: many real calls while everything around them breaks, then a count of every one.

    python -m tests.storm --calls 500 --rate 5 --kills 3

SIPp places the calls (`people.py` says who calls and how), `weather.py` breaks things meanwhile,
`seen.py` reads what SIPp itself saw of each call, `compare.py` holds it against what the service
stored, call by call. Any difference is printed and makes the exit status 1.
"""
