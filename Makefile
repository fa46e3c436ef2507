# Every target sets up what it needs and does nothing twice. `make help` lists them.
# A fresh Debian machine needs Python 3.11 with its venv module, make and git. Node.js may come from the machine.

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
CONSOLE := src/holdfast/web/console
MYPY_PACKAGES := -p holdfast $(if $(wildcard examples/shop/src/shop),-p shop)

# Hundreds of processes start in a run; without its compiled modules each would compile 800 of them, 1 s of a core.
unexport PYTHONDONTWRITEBYTECODE

# A stamp carries the hash of what it was made from, so that a checkout that only touches files rebuilds nothing.
# Those of Python stand inside .venv: whoever removes that folder removes them with it.
digest = $(shell sha256sum $(1) 2>/dev/null | sha256sum | cut -c1-16)
LOCKED := $(VENV)/stamps/locked-$(call digest,requirements/dev.lock)
PEERS := $(VENV)/stamps/peers-$(call digest,requirements/bench.lock)
SELF := $(VENV)/stamps/self-$(call digest,requirements/dev.lock pyproject.toml)
ifneq ($(wildcard ui/package.json),)
UI_SOURCES := $(shell find ui -type f -not -path '*/node_modules/*' -not -path 'ui/dist/*' -not -path '*/.*' \
	-not -name '*.tsbuildinfo' | LC_ALL=C sort)
UI_PACKAGES := .make/ui-packages-$(call digest,ui/package.json ui/package-lock.json)
UI_BUILT := .make/ui-built-$(call digest,$(UI_SOURCES))
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test check style types rules bench ui openapi docs wheel lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: $(SELF) ## virtual environment with the locked dependencies and holdfast itself, editable

demo: setup ui ## Holdfast and a small distributed system that breaks and heals, until Ctrl-C
	$(BIN)/holdfast demo $(ARGS)

test: setup ui ## every test; ARGS="tests/journal -k redact" chooses
	@mkdir -p .make && rm -f .make/test-status
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS) || { echo $$? >.make/test-status; exit 1; }

check: style types rules ## lint, format, types, floors and the rules of the house; make -j2 for several at once

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	MYPYPATH=src:examples/shop/src $(BIN)/mypy $(MYPY_PACKAGES)

rules: setup
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture

bench: setup $(PEERS) ## every benchmark beside its peers; BENCH="benchmarks/x.py" chooses
	@set -e; for file in $(or $(BENCH),$(sort $(wildcard benchmarks/[a-z]*.py))); do \
		echo "== $$file"; $(BIN)/python $$file $(ARGS); \
	done

ui: $(UI_BUILT) ## the console, built into src/holdfast/web/console when its sources changed

openapi: setup ## ui/openapi.json, the committed description of the API that the console's types are made from
	$(BIN)/holdfast openapi --write ui/openapi.json

docs: openapi ## everything that is written from the code: docs/reference and ui/openapi.json
	$(BIN)/python docs/generate.py

wheel: setup ui ## the wheel and the source archive, in dist/
	$(BIN)/python -m hatchling build

lock: ## resolve the dependencies anew; needs uv
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra dev pyproject.toml -o requirements/dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		requirements/node.in -o requirements/node.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		-c requirements/dev.lock requirements/bench.in -o requirements/bench.lock

clean: ## remove everything that the other targets made
	rm -rf $(VENV) .make dist $(CONSOLE) ui/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Holdfast needs Python 3.11 or newer; point to one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(LOCKED): | $(BIN)/python
	$(PIP) --no-deps --require-hashes -r requirements/dev.lock
	@mkdir -p $(@D) && rm -f $(@D)/locked-* && touch $@

$(PEERS): $(LOCKED)
	$(PIP) --no-deps --require-hashes -r requirements/bench.lock
	@rm -f $(@D)/peers-* && touch $@

$(SELF): $(LOCKED)
	$(PIP) --no-deps --no-index --no-build-isolation -e .
	@rm -f $(@D)/self-* && touch $@

# The console needs Node.js 20.19, 22.12 or newer: the machine's, or else the one that PyPI carries.
NODE_IS_NEW := const [a, b] = process.versions.node.split(".").map(Number); \
	process.exit((a == 20 && b >= 19) || (a == 22 && b >= 12) || a > 22 ? 0 : 1)
define use_node
	@if ! { command -v npm && node -e '$(NODE_IS_NEW)'; } >/dev/null 2>&1; then \
		PATH="$(CURDIR)/$(BIN):$$PATH"; \
		[ -x $(BIN)/node ] || { echo "console: no Node.js here that is new enough; installing a pinned one into $(VENV)"; \
			$(PIP) --no-deps --require-hashes -r requirements/node.lock; } || exit 1; \
	fi; cd ui && echo "console: $(1)" && $(2)
endef

$(UI_PACKAGES): | $(BIN)/python
	@mkdir -p .make && rm -f .make/ui-packages-*
	$(call use_node,installing its locked packages,npm ci --no-audit --no-fund)
	@touch $@

$(UI_BUILT): | $(UI_PACKAGES)
	@rm -f .make/ui-built-*
	$(call use_node,building,npm run --silent build)
	@touch $@

# A stamp whose product was removed is worth nothing.
ifeq ($(and $(wildcard $(CONSOLE)/index.html),$(wildcard $(UI_BUILT))),)
.PHONY: $(UI_BUILT)
ifeq ($(wildcard ui/node_modules),)
.PHONY: $(UI_PACKAGES)
endif
endif
