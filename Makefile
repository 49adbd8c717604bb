# `make` alone lists what there is. `make demo` and `make test` set up all they need on first use.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
WORKERS ?= 2
export DAUERLAUF_STATE_DIRECTORY ?= .dauerlauf

##@ Use
demo: $(READY) ## Run the main job on real purchases and look at it (ONCE=1: end by itself)
	@$(BIN)/dauerlauf demo $(if $(ONCE),--once)

up: $(READY) ## Start the whole stack: PostgreSQL, Temporal with UI, worker, API, mail inbox
	@$(BIN)/dauerlauf up

##@ Develop
test: $(READY) ## Run all tests
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(READY) ## Format, lint, types, import contracts, migrations, dependencies, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/dauerlauf migrations check
	$(BIN)/deptry .
	$(BIN)/codespell

format: $(READY) ## Format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## Measure against the budgets, as ratios in one run (BENCH_JSON=file: also as JSON)
	@$(BIN)/python -m bench

record: $(READY) ## Record the histories that replay tests use, for step kinds that have none yet
	@$(BIN)/python -m tests.replay.record

##@ Set up
setup: $(READY) ## Make the virtual environment with the locked dependencies

# The lock is complete, so pip has nothing to resolve: older pips take a newer release for a name with extras (coverage[toml]).
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Dauerlauf needs Python 3.11 or newer: install it, or name it with 'make PYTHON=/path/to/python3'."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module: install it (Debian: apt install python3-venv) and run make again."; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version), once; this takes a minute or two."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock \
		|| { echo "The packages could not be installed: look at pip's message above; is a package registry reachable?"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## Resolve the dependencies anew into both lock files (needs uv)
	uv pip compile pyproject.toml --extra embedded --group dev --universal --generate-hashes \
		--no-annotate --no-header --output-file requirements.lock
	uv pip compile pyproject.toml --group build --universal --generate-hashes --constraint requirements.lock \
		--no-annotate --no-header --output-file requirements-production.lock

clean: ## Remove what was built, installed or left behind by runs
	rm -rf $(VENV) .dauerlauf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

help: ## Show this list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*##/ {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo up test check format bench record setup lock clean help
