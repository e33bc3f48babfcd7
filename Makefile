# Each target sets up what it needs by itself. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup run up down demo test test-all bench eval conformance e2e-full lint check clean contracts
MAKEFLAGS += --no-builtin-rules

PYTHON_IN := .venv/bin/python
TRELLIS := .venv/bin/trellis
TYPED := libs services tests scripts
ROLES ?=
SUITE ?=
DATA ?=
DIR ?=
FILE ?= tests
ARGS ?=
# A test that hangs fails after ten minutes. All tests go through two workers, which takes two thirds of the time; a part of them through none: it reads plainly.
WORKERS = $(if $(filter tests,$(FILE)),-n 2 --dist loadgroup --no-loadscope-reorder)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup: ## Make .venv with the locked dependencies (quick when nothing has changed)
	@scripts/bootstrap

run: setup ## Keep the stack in the foreground until Ctrl-C (ROLES=recording: ingest and privacy alone)
	@exec $(TRELLIS) run $(if $(ROLES),--roles "$(ROLES)")

up: setup ## Start the stack in the background (ROLES=recording: ingest and privacy alone)
	@exec $(TRELLIS) up $(if $(ROLES),--roles "$(ROLES)")

down: setup ## Stop the stack that `make up` started
	@exec $(TRELLIS) down

demo: setup ## Watch a simulated class from statement to recommendation (DATA=oulad DIR=… for real data)
	@$(TRELLIS) demo $(if $(DATA),--data "$(DATA)") $(if $(DIR),--dir "$(DIR)")

test: setup ## Run the tests against a real MongoDB and a real Kafka (FILE=… runs one, ARGS=… goes to pytest)
	@scripts/install-chromium
	@$(PYTHON_IN) -m pytest -m "not long" --timeout 600 --durations 25 $(WORKERS) $(FILE) $(ARGS)

test-all: setup ## Run the tests and the long suites (many kills, large fuzzing, full data)
	@scripts/install-chromium
	@$(PYTHON_IN) -m pytest --hypothesis-profile=default $(FILE) $(ARGS)

bench: setup ## Measure speed; timing claims live here and in no test
	@$(PYTHON_IN) -m tests.load.bench $(ARGS)

eval: setup ## Measure the learner model on held-out learners (FILE="a.csv.gz b.csv", ARGS="--mode online --baselines")
	@$(TRELLIS) eval mastery $(FILE) $(ARGS)

conformance: setup ## Judge the running stack with ADL's suite (SUITE=DIR: a checkout of lrs-conformance-test-suite; needs Node.js)
	@$(PYTHON_IN) scripts/conformance "$(SUITE)" $(ARGS)

e2e-full: setup ## Import the whole Open University data set and compare every count (long)
	@$(PYTHON_IN) -m pytest -m long tests/e2e $(ARGS)

lint: setup ## Check format, rules, types and the layers
	@$(PYTHON_IN) -m ruff format --check .
	@$(PYTHON_IN) -m ruff check .
	@$(PYTHON_IN) -m mypy $(TYPED)
	@.venv/bin/lint-imports

check: lint test ## Lint and test

contracts: setup ## Write contracts/, docs/settings.md and docs/metrics.md anew from the code
	@$(PYTHON_IN) scripts/contracts.py
	@$(PYTHON_IN) scripts/reference.py
	@$(PYTHON_IN) -m scripts.access

clean: ## Wipe the data under .trellis (downloads stay)
	@if [ -x $(TRELLIS) ]; then $(TRELLIS) clean; else rm -rf .trellis; fi
