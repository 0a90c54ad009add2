# Every target sets up what it needs in .venv; PYTHON names the interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Subjects that only compute, of which tests reach every branch.
PURE := reconcile/attribution/*,reconcile/verdict/*,reconcile/money/*,reconcile/report/*,reconcile/ledger/reasons/*

# Every test process would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test cover lint lint-types lint-rest prove lock clean

help:  ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 8

demo: $(READY)  ## three hourly passes over sample runs, against the embedded simulator
	@$(BIN)/python scripts/demo.py

test: $(READY)  ## the test suite
	$(BIN)/python -m pytest -n auto -q

cover: $(READY)  ## the same with every branch counted, and the shares that have to be reached
	$(BIN)/python -m pytest -n auto -q --cov --cov-report=
	$(BIN)/python -m coverage report
	$(BIN)/python -m coverage report --include='$(PURE)' --fail-under=100

lint: $(READY)  ## style, types and schemas
	@$(MAKE) --no-print-directory -j 2 lint-types lint-rest

lint-types:
	$(BIN)/mypy --num-workers auto

lint-rest:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/check-jsonschema --check-metaschema schemas/*.json
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --persona pedantic --no-progress action.yml .github
	$(BIN)/reconcile validate --runs runs
	$(BIN)/reconcile audit --runs runs

prove: $(READY)  ## the long counts, whose figures stand in docs/proof.md
	RECONCILE_TEST_SCALE=10 $(BIN)/python -m pytest -n auto -q -m ''
	$(BIN)/python -m benchmarks

lock:  ## rewrite requirements-dev.txt and both hash-locked files from pyproject.toml
	rm -rf $(VENV)/lock && $(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/pip install --quiet --upgrade pip
	$(VENV)/lock/bin/pip install --quiet --editable '.[dev,logs,pricing]'
	$(VENV)/lock/bin/pip freeze --exclude-editable > requirements-dev.txt
	$(VENV)/lock/bin/pip install --quiet uv
	(echo '# Hash-locked wheels for every system the Action runs on; `make lock` writes this file from pyproject.toml.' && \
	  $(VENV)/lock/bin/uv pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header) > requirements.lock
	(echo '# What `compare: true` installs: requirements.lock and the extras logs and pricing; written by `make lock`.' && \
	  $(VENV)/lock/bin/uv pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header --extra logs --extra pricing --constraint requirements.lock) \
	    > requirements-compare.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*

$(READY): pyproject.toml requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
