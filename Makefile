# Two commands matter: `make demo` and `make test`. Both set up what they need under .cache/.
SHELL := /bin/sh
PYTHON ?= python3
ARGS ?=
HOTLINE_CACHE ?= .cache
VENV := $(HOTLINE_CACHE)/venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test storm case-year city-year screenshots dashboards setup check bench lock clean

help: ## say what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

demo: setup ## set everything up, place real calls, show them becoming cases (ARGS=--exit ends it)
	@$(VENV)/hotline demo $(ARGS)

test: setup ## set everything up and run every test, a few at a time (ARGS goes to pytest; -n0: one by one)
	@$(VENV)/pytest -n 3 --dist loadgroup --no-loadscope-reorder $(ARGS)

storm: setup ## place calls while everything breaks, compare each (ARGS="--calls N --rate R --kills K")
	@$(VENV)/python -m tests.storm $(ARGS)

case-year: setup ## live a year of cases by the real code, count it anew (ARGS="--cases N --seed S")
	@$(VENV)/python -m tests.year $(ARGS)

city-year: setup ## the same with a smaller city, looked at more often: every figure beside the simulator's own log
	@$(VENV)/python -m tests.year --cases 20000 --seed 7 --hours 24 $(ARGS)

screenshots: setup ## take a picture of every page of the console, in both languages (ARGS=DIR, else .cache/screenshots)
	@$(VENV)/python -m tests.screenshots $(or $(ARGS),$(HOTLINE_CACHE)/screenshots)

check: setup ## formatting, lint, types and the direction of imports, without the tests
	@$(VENV)/ruff format --check . && $(VENV)/ruff check . && $(VENV)/mypy . && $(VENV)/lint-imports && $(VENV)/python -m deploy.setup.webapp

bench: setup ## print every benchmark's ratio against its peer
	@for bench in tests/bench/bench_*.py; do echo "== $$bench"; $(VENV)/python $$bench || exit 1; done

setup: ## fetch and verify Python packages, Asterisk, SIPp, Prometheus, Alertmanager and the speech model; build the console
	@$(PYTHON) deploy/setup/prepare.py

dashboards: setup ## write the dashboards for Grafana (ARGS=DIR, else .cache/dashboards)
	@$(VENV)/hotline dashboards $(or $(ARGS),$(HOTLINE_CACHE)/dashboards)

lock: ## resolve the dependencies again and pin them in uv.lock
	@$(PYTHON) deploy/setup/prepare.py --uv-only && $(PYTHON) deploy/setup/lock.py $(HOTLINE_CACHE)/uv/bin/uv

clean: ## remove everything that set-up and the demo made
	@cd hotline/console/web && rm -rf node_modules build dist
	@rm -rf $(HOTLINE_CACHE)
