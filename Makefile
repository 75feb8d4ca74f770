# The newcomer's door: `make demo` and `make test`. Everything else follows from them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo test lint bench evaluate lock

help:
	@echo "make demo   the bot at work on embedded servers    make test   the whole suite"
	@echo "make evaluate   accuracy of the document readers; SAMPLE=60 for a quick look"
	@echo "make lint   ruff, mypy, import directions          make bench  speed, as ratios in one run"

setup: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	$(BIN)/mailbot demo

test: setup
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m tests.benchmarks $(ARGS)

evaluate: setup
	$(BIN)/python -m tests.evaluation $(if $(SAMPLE),--sample $(SAMPLE)) $(ARGS)

lock:
	uv pip compile pyproject.toml --extra demo --extra google --extra metrics --extra microsoft --extra postgresql --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o requirements-dev.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o requirements.lock
