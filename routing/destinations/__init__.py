"""Notices out of the house: what happened to a case, told to whoever must know.

In: a `Notice` (what, to whom, in which words; masked like everything in the journal). Out: a
message at a receiver, or a `DeliveryError` that says whether trying again can help.
One file a receiver: `webhook.py` (a program), `mail.py` (SMTP), `sms.py` (a city's SMS gateway).
Which event goes to whom, retries and the list of the undeliverable are in `hotline/notices.py`.
Read `notice.py` first.
"""
