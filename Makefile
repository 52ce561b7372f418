# Every verb works from a clean clone with Python >= 3.11 alone.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench lock clean

help:            ## say what can be done
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Equipoise needs Python 3.11 or newer; name one with PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

setup: $(STAMP)  ## make the virtual environment with the pinned dependencies

demo: $(STAMP)   ## open a stocked shop with simulated shoppers (ARGS="--data-set online-retail" replays a real one)
	$(BIN)/equipoise demo $(ARGS)

test: $(STAMP)   ## run every test that this machine can run
	$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP)   ## ruff and mypy, strict on src/
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## run one benchmark: make bench ARGS=serving
	$(BIN)/python -m benchmarks $(ARGS)

lock:            ## renew requirements.lock (needs uv; a maintainer's verb)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --upgrade -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
