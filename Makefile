# Two commands do everything, on a fresh machine with Python 3.11 and make:
#
#   make serve   environment, the example bank compiled and published, server up
#   make test    environment, format, lint, types, generated code, tests
#
# Paths here are relative, so that the checkout may stand in a folder with spaces.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PACKAGES := compiler catalog_store contact_store server examples

SOURCES := $(shell find $(filter-out examples,$(PACKAGES)) -name '*.py')

.PHONY: serve test check wheel bench bench-check bench-engine bench-ladder bench-peers wire constraints clean

serve: .venv/.serve
	$(BIN)/python -m examples.bank.first_light

# File by file in their order: what several tests share, one process has. On four cores
# at most, since each process has servers of its own.
test: .venv/.test check
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile \
	    --no-loadscope-reorder

check: .venv/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/buf lint proto

# To install elsewhere, with what every call passes through as machine code.
wheel: dist/.made

dist/.made: .venv/.test setup.py pyproject.toml $(SOURCES)
	@echo "compiling what every call passes through (about two minutes)"
	@rm -rf dist build/lib build/lib.*
	PROPONO_COMPILED=1 $(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@touch $@

# The same in a folder, and what puts it before the sources on Python's path.
COMPILED := PYTHONSAFEPATH=1 PYTHONPATH="$(CURDIR)/build/compiled:$(CURDIR)"

build/compiled/.made: dist/.made
	@rm -rf build/compiled
	$(PIP) install --no-deps --no-index --target build/compiled dist/propono-*.whl
	@touch $@

# How fast it is: a report in build/bench, in fifteen minutes at most, on two cores.
# What is measured over a port needs ghz and h2load on the PATH.
bench: build/compiled/.made
	$(COMPILED) $(BIN)/python -m bench.statement

# Whether anything takes twice as long as it did, by ratios; SERVED=1 for calls over a port.
bench-check: .venv/.test
	$(BIN)/python -m bench.ratios $(if $(SERVED),--served)

# Compiling and deciding alone, for every shape of catalog; 10 minutes the first time.
bench-engine: build/compiled/.made
	$(COMPILED) $(BIN)/python -m bench.compiling --rows 10000 --repeats 2
	$(COMPILED) $(BIN)/python -m bench.matching --rows 10000 --seconds 1
	$(COMPILED) $(BIN)/python -m bench.matching --rows 100000 --contacts 40
	$(COMPILED) $(BIN)/python -m bench.compiling --rows 100 --load-rows 100000 --repeats 2

# The highest rate whose p99 stays under a bound; needs ghz on the PATH.
bench-ladder: build/compiled/.made
	$(COMPILED) $(BIN)/python -m bench.ladder --bound-ms $(or $(BOUND_MS),5)

# The same rules and contacts in what one could use instead, installed into build/peers.
bench-peers: build/compiled/.made
	$(COMPILED) $(BIN)/python -m bench.peers.installation
	$(COMPILED) $(BIN)/python -m bench.peers --offers 1000 --offers 10000

# Generated code is committed; tests/test_wire.py fails when it is stale.
wire: .venv/.test
	$(BIN)/python proto/generate.py

# Pins the newest versions, with hashes and without any registry's address.
constraints: .venv/.test
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	    --no-header pyproject.toml --output-file constraints.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	    --no-header --extra dev --constraint constraints.txt pyproject.toml \
	    --output-file constraints-dev.txt

clean:
	rm -rf .venv build dist data .pytest_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.serve: .venv/bin/python constraints.txt pyproject.toml
	@echo "installing what serving needs (about a minute, once)"
	$(PIP) install --require-hashes -r constraints.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.test: .venv/.serve constraints-dev.txt
	@echo "installing what testing needs (about a minute, once)"
	$(PIP) install --require-hashes -r constraints-dev.txt
	@touch $@
