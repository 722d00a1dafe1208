# Set-up needs Python 3.11 or later and make. `make demo` to look, `make test` to check.
# `make demo HISTORY=no` leaves out the simulated weeks before now.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo smoke test lint types browser services focus bench models screenshot lock clean

demo: .venv/runtime
	@$(BIN)/python -m deploy.local demo $(if $(filter no,$(HISTORY)),--no-history)

smoke: .venv/runtime
	@$(BIN)/python -m deploy.local smoke

test: .venv/dev lint types browser services focus
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

lint: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: .venv/dev
	$(BIN)/mypy

browser:
	@deploy/install_chromium

services:
	@deploy/install_services

# The public validator of finance files; `make focus FILE=...` runs it on one.
focus: .venv/dev
	@deploy/install_focus_validator
	$(if $(FILE),$(BIN)/python -m deploy.validate_focus $(FILE))

# Throughput beside the peers, in 4 minutes; docs/benchmarks.md names the others.
bench: .venv/dev .venv-bench/ready
	$(BIN)/python -m benchmarks serving

# Train, compress and measure the shipped model again.
models: .venv/dev
	$(BIN)/python -m model_lab train

# The README's picture, from a `make demo` that is running.
screenshot: .venv/dev
	$(BIN)/python -m deploy.screenshot

# Pin again after a change of pyproject.toml.
lock: .venv/dev
	$(BIN)/uv pip compile requirements.in --universal --python-version 3.11 \
		--no-header --no-annotate --quiet --upgrade -o requirements.txt
	grep -v '^-e' requirements.txt > .venv/constraints.txt
	$(BIN)/uv pip compile requirements-dev.in --constraint .venv/constraints.txt --universal \
		--python-version 3.11 --no-header --no-annotate --quiet --upgrade -o requirements-dev.txt
	grep -v '^-e' requirements-dev.txt > .venv/constraints.txt
	$(BIN)/uv pip compile requirements-bench.in --constraint .venv/constraints.txt --universal \
		--python-version 3.11 --no-header --no-annotate --quiet --upgrade -o requirements-bench.txt
	$(BIN)/uv pip compile requirements-focus.in --universal --python-version 3.12 --no-header \
		--no-annotate --quiet --upgrade -o requirements-focus.txt

clean:
	rm -rf .venv .venv-bench .venv-focus data/spool data/smoke data/demo data/usage.duckdb* data/archive

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	$(PYTHON) -m venv .venv

.venv/runtime: .venv/bin/python requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev: .venv/bin/python requirements-dev.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/runtime $@

# The peers of the benchmarks: no dependencies of the product.
.venv-bench/ready: requirements-bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
