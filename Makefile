# Every target is a few lines; the real work is in `kpi-stream` and in the tests.
# `make demo` needs Python 3.11 or newer and make, nothing else.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
DEMO_STAMP := $(VENV)/.demo.stamp
DEV_STAMP := $(VENV)/.dev.stamp
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest
# Three at least, since most tests wait for somebody most of the time, and four at most. A file's tests
# stay together: they share a broker.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
PARALLEL ?= -n $(shell echo $$(($(CORES) < 3 ? 3 : 4))) --dist=loadfile

# The customs declarations to run the demo on; empty: the simulator's own generator.
DECLARATIONS ?=
# Further words for `kpi-stream demo`, e.g. DEMO_ARGS='--language es'.
DEMO_ARGS ?=
DEMO = $(BIN)/kpi-stream demo $(if $(DECLARATIONS),--declarations '$(DECLARATIONS)') $(DEMO_ARGS)

# The first Python that runs and is new enough; a version manager's shim may exist and still not run.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; \
	done)

.PHONY: help
help: ## Show this list.
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: python
python: # Say what to do where no Python fits.
ifeq ($(strip $(PYTHON)),)
	@echo "kpi-stream needs Python 3.11 or newer, and found: $$(python3 --version 2>/dev/null || echo none)." >&2
	@echo "Install it and run make again, for example:" >&2
	@echo "  Debian, Ubuntu   sudo apt-get install python3 python3-venv" >&2
	@echo "  Fedora           sudo dnf install python3.13" >&2
	@echo "  macOS            brew install python@3.13" >&2
	@echo "Or name one:       make PYTHON=/path/to/python3.13 ..." >&2
	@exit 2
endif

$(BIN)/python: | python
	@"$(PYTHON)" -m venv $(VENV) || { \
	echo "Could not make the virtual environment; on Debian and Ubuntu: sudo apt-get install python3-venv" >&2; \
	rm -rf $(VENV); exit 2; }

$(DEMO_STAMP): requirements-demo.lock pyproject.toml | $(BIN)/python
	@echo "Installing kpi-stream into $(VENV) ..."
	$(PIP) install --require-hashes -r requirements-demo.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing kpi-stream and its development tools into $(VENV) ..."
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(DEV_STAMP) $(DEMO_STAMP)

.PHONY: venv
venv: $(DEV_STAMP) ## Make the virtual environment with the development tools.

.PHONY: demo
demo: $(DEMO_STAMP) ## Run everything on this machine: history at full speed, then live.
	@$(DEMO)

.PHONY: demo-once
demo-once: $(DEMO_STAMP) ## The same without going live: print the final scorecard and end.
	@$(DEMO) --once

.PHONY: test
test: $(DEV_STAMP) ## The tests that need no Java, in random order; up to a quarter of an hour.
	$(PYTEST) -m "not kafka and not slow" $(PARALLEL) --session-timeout=1800 $(PYTEST_ARGS)

.PHONY: faults
faults: $(DEV_STAMP) ## All tests on a real Apache Kafka (Java 17, Maven), with kill -9, and the slow ones; an hour.
	$(PYTEST) tests -m "kafka or slow" $(PARALLEL) --timeout=900 --session-timeout=7200 $(PYTEST_ARGS)

.PHONY: faults-share
faults-share: $(DEV_STAMP) ## The same without the long ones: the share of each change.
	$(PYTEST) tests -m "(kafka or slow) and not long" $(PARALLEL) --timeout=600 --session-timeout=2700 \
		$(PYTEST_ARGS)

.PHONY: compiled-test
compiled-test: $(DEV_STAMP) ## Compile the core (needs a C compiler) and run its tests on the result.
	$(PYTEST) tests/repo/test_compiled.py $(PYTEST_ARGS)

.PHONY: wide
wide: $(DEV_STAMP) ## The comparison with the independent oracle on whole data sets (minutes).
	KPI_STREAM_WIDE=1 $(PYTEST) tests/golden/test_against_oracle.py -n 3 --dist=loadgroup --timeout=900 \
		$(PYTEST_ARGS)

.PHONY: check
check: $(DEV_STAMP) ## Style, format, types and import contracts.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: format
format: $(DEV_STAMP) ## Format the code, and repair what can be repaired safely.
	$(BIN)/ruff check --fix --exit-zero --quiet
	$(BIN)/ruff format

.PHONY: generate
generate: $(DEV_STAMP) ## Write the generated files again: dashboards, rules, documents, schemas.
	$(BIN)/kpi-stream generate

.PHONY: golden
golden: $(DEV_STAMP) ## Write the expected outputs of tests/golden again; read the diff.
	$(PYTEST) tests/golden --update-golden $(PYTEST_ARGS)

.PHONY: benchmark
benchmark: $(DEV_STAMP) ## Measure everything, about 4 hours; BENCHMARK_ARGS=--help says how long each takes.
	$(BIN)/python -m benchmarks $(BENCHMARK_ARGS)

COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --python-version 3.11 --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

.PHONY: lock
lock: $(DEV_STAMP) ## Write the lock files again from pyproject.toml.
	$(COMPILE) --extra dev -o requirements-dev.lock
	$(COMPILE) --extra build --extra demo -c requirements-dev.lock -o requirements-demo.lock
	$(COMPILE) --extra build --extra compile -c requirements-dev.lock -o requirements-build.lock
	$(COMPILE) -c requirements-dev.lock -o requirements.lock

.PHONY: licences
licences: $(DEV_STAMP) ## Write docs/licences.md again, after a change of the lock files.
	$(BIN)/python -m tests.support.licences

# Not in .ci/run: it asks a service about known vulnerabilities, which not every network reaches. A
# package that could not be looked up is a failure (--strict), never a pass.
PIP_AUDIT = $(BIN)/uv tool run pip-audit@2.10.1 --strict --require-hashes --disable-pip $(AUDIT_ARGS)

.PHONY: audit
audit: $(DEV_STAMP) ## Look up the locked packages among known vulnerabilities; needs the internet.
	$(PIP_AUDIT) -r requirements.lock
	$(PIP_AUDIT) -r requirements-demo.lock
	$(PIP_AUDIT) -r requirements-dev.lock

.PHONY: clean
clean: ## Remove the virtual environment and what the tools left behind.
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
