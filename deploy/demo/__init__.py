"""Twelve scripted calls and the SIP telephones that place and answer them for real.

In come `calls/` (the words, both legs as raw A-law, the plan of who dials when) and a SIPp; out
come real calls on a real exchange and SIPp's own trace of each, with its own times.
Read `scenarios.py` first (what a caller and an operator do, message by message), then
`phones.py` (the processes), `script.py` (the plan as values), `alaw.py` (how the sound was made).

The speech is synthetic (Kokoro 82M, Apache-2.0), the callers and their numbers are made up.
"""
