# The one entry for people and for CI. `make help` lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV ?= .venv
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,$(shell command -v $(name) 2>/dev/null)))
BIN := $(VENV)/bin
# The compiled core and the entry points, newer than everything they are made from.
CORE_SOURCES := $(shell find crates -name '*.rs' -o -name 'Cargo.toml') Cargo.toml Cargo.lock pyproject.toml
CONTENT_SOURCES := $(shell find src/contraband/content/sources -name '*.toml' 2>/dev/null)

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: tools
tools:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing. On Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11. On Debian 12 or newer: apt-get install python3 python3-venv; or: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "A Rust toolchain is missing. Install it with rustup (https://rustup.rs): rustup toolchain install stable" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "A C linker is missing. On Debian: apt-get install gcc" >&2; exit 1; }

# Environments are made once for each state of their inputs: `demo` needs no developer's packages.
$(VENV)/.base: $(CORE_SOURCES) $(CONTENT_SOURCES) | tools
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,parquet,sigma,bench]'
	@touch $@

.PHONY: demo
demo: $(VENV)/.base ## Find the malicious installs in the shipped samples
	@$(BIN)/contraband scan --format table --min-severity medium samples

.PHONY: setup
setup: $(VENV)/.dev ## Set up a developer's environment in .venv

.PHONY: test
test: $(VENV)/.dev ## Run all tests: the core's, then everything else
	cargo test --quiet --workspace --exclude contraband-py
	$(BIN)/python -m pytest -n 2

.PHONY: check
check: $(VENV)/.dev ## Run the formatters and linters without changing anything
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest contraband._core
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## Format all code
	cargo fmt --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: accept
accept: $(VENV)/.dev ## Rewrite the expectations of specs and generated pages; review the diff
	$(BIN)/python -m pytest tests/spec tests/unit/output/test_page.py --accept

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Compare reference and core on 100,000 generated queries
	PYTHONPATH=. $(BIN)/python -m tests.differential.fuzz --cases 100000

# For each target of fuzz/: SECONDS of coverage-guided fuzzing, seeded from tests/corpus. Needs a nightly toolchain and cargo-fuzz (CONTRIBUTING.md).
SECONDS ?= 600
.PHONY: fuzz-core
fuzz-core: ## Fuzz the plan decoder, the readers and whole scans
	@cargo fuzz --version >/dev/null 2>&1 || { echo "cargo-fuzz is missing: rustup toolchain install nightly; cargo install cargo-fuzz" >&2; exit 1; }
	sh fuzz/run.sh $(SECONDS)

$(VENV)/.bench: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

# SIZE=10 adds the file of 7.5 GB. BENCH takes more: BENCH='--elastic-rules PATH --evtx FILE --only GROUP'
SIZE ?= 1
.PHONY: bench
bench: $(VENV)/.bench ## Compare with DuckDB and others, answers checked (SIZE=10: 7.5 GB too)
	$(BIN)/python -m benches --size $(SIZE) $(BENCH)

.PHONY: wheel
wheel: tools ## Build the wheel, for machines without a toolchain
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/*.whl

.PHONY: clean
clean: ## Remove what the targets made
	rm -rf $(VENV) target dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -f src/contraband/_core*.so
