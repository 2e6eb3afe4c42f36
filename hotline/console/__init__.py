"""What people see of the service: the HTTP API, the live feed, the page, /metrics and /healthz.

What enters: requests of people, browsers and Prometheus. Everything in them is checked by pydantic
models before anything happens, and everything shown was escaped where it is rendered.
What leaves: JSON, one stream of journal rows, recorded sound, the page itself.

Read first: `endpoints.py`, every address of the API in one table; `openapi.py` documents it.
Then: `server.py` (how it is put together), `door.py` (who may come in), `shapes.py` (the models),
`calls_api.py`, `cases_api.py`, `numbers.py` (rates, metrics, health), `stream.py` (the feed),
`web/` (the page: plain ES modules, no build step, no code from elsewhere).
"""
