# Every way in. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# Processes that share the tests, file by file and the short ones last, each with a MongoDB of its own. Tests wait for a quarter of their
# time: one process more than processors makes use of it. `make test PROCESSES=1` for one.
PROCESSES ?= $(shell $(PYTHON) -c 'import os; print(min(1 + (os.cpu_count() or 1), 4))')
SHARED = -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

.PHONY: help install install-run run demo lint format types openapi readme test coverage test-unit test-faults test-long check bench bench-diff bench-store bench-http bench-eligible bench-resources bench-orderless native docs lock clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# --- set-up --------------------------------------------------------------------------------------------------------
$(VENV)/.run-stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Patchbay needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian and Ubuntu: apt-get install python3-venv, then again."; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev-stamp: $(VENV)/.run-stamp requirements-dev.lock pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

native:  ## build the native diff core where cargo is found; say so where it is not
	@$(PYTHON) native/build.py

install-run: $(VENV)/.run-stamp native

install: $(VENV)/.dev-stamp native  ## make .venv with the locked dependencies, build the native core

# --- use -----------------------------------------------------------------------------------------------------------
run: install-run  ## start the service on 127.0.0.1:8080 with its own MongoDB
	@exec $(BIN)/python -m service

demo: install-run  ## the documented samples, end to end against a running service
	@$(BIN)/python -m demo

# --- quality -------------------------------------------------------------------------------------------------------
format: install  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: install  ## check format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install  ## check types
	$(BIN)/mypy

openapi: install  ## write openapi.yaml from the wire types and the route table
	$(BIN)/python -m service openapi > openapi.yaml.new && mv openapi.yaml.new openapi.yaml

readme: install  ## write the tables of the pages from the code
	$(BIN)/python -m tests.pages

test-unit: install  ## the tests that need no MongoDB
	$(PYTEST) $(SHARED) -m "not long" tests/unit tests/architecture

test: install  ## every test, against a real MongoDB
	$(PYTEST) $(SHARED) -m "not long"

coverage: install  ## every test, and which branches of the service none of them takes (slow)
	$(PYTEST) $(SHARED) -m "not long" --timeout 600 --cov --cov-report=term:skip-covered

test-faults: install  ## the full round of the fault tests
	PATCHBAY_TEST_FAULT_ROUNDS=20 $(PYTEST) -m faults --timeout 1800

test-long: install  ## a million random cases
	$(PYTEST) -m long --timeout 7200

check: lint types test  ## what CI runs: format, lint, types, tests

# --- figures -------------------------------------------------------------------------------------------------------
bench: bench-diff bench-store bench-http bench-eligible bench-resources bench-orderless  ## all benchmarks

bench-diff: install  ## the diff engines against their peers
	$(BIN)/python -m benchmarks.diff

bench-store: install  ## stored resources against the alternatives
	$(BIN)/python -m benchmarks.store

bench-http: install  ## the compare route against other services
	$(BIN)/python -m benchmarks.http

bench-eligible: install  ## pages of eligible resources among 100,000
	$(BIN)/python -m benchmarks.eligible

bench-resources: install  ## versions, lists and parents as they grow
	$(BIN)/python -m benchmarks.resources

bench-orderless: install  ## arrays without order, against deepdiff
	$(BIN)/python -m benchmarks.orderless

# --- upkeep --------------------------------------------------------------------------------------------------------
docs: install  ## build the documentation; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock:  ## write the lock files anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o requirements-dev.lock

clean:  ## remove what the targets made (not .patchbay, the data of `make run`)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage native/target site
