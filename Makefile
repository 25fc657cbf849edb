SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
# Processes that run the tests, each with servers of its own (about 2 GB); slow files begin first, as the order of folders has it.
WORKERS ?= 3

.PHONY: help setup demo test check format schemas bench faults fuzz lock clean

help:
	@echo "setup    make .venv with locked dependencies and download the local stack"
	@echo "demo     simulate, archive, show and verify a small organisation; under a minute once set up"
	@echo "test     run all tests on a real Kafka and mongod"
	@echo "check    format, lint, types, import directions, drift of what is generated"
	@echo "bench    measure throughput"
	@echo "faults   play faults on real processes"
	@echo "fuzz     feed malformed input to everything that reads"
	@echo "format   mend format and lint"
	@echo "schemas  generate schemas and state diagrams again"
	@echo "lock     resolve dependencies again"
	@echo "clean    remove .venv, and the data of the local stack"

setup: $(STAMP)

# Hashes are checked by pip; the build needs no network of its own (--no-build-isolation).
$(STAMP): requirements.lock pyproject.toml deploy/stack/kafka.sha256
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.11 setup" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m deploy.stack.download
	@touch $(STAMP)

demo: setup
	$(BIN)/lync-archiver demo

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas check
	$(BIN)/python -m consumers.diagram check
	$(BIN)/python -m tests.style

bench: setup
	$(BIN)/python -m tests.benchmarks

faults: setup
	$(BIN)/python -m pytest -m long
	$(BIN)/python -m tests.fault

fuzz: setup
	$(BIN)/python -m tests.fuzz

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: setup
	$(BIN)/python -m schemas generate
	$(BIN)/python -m consumers.diagram generate

lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra stack --extra dev --generate-hashes --universal \
		--python-version 3.11 --no-emit-index-url --no-header --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) data
