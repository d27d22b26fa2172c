# Each target is one command; the first use of `repro` or `test` sets itself up.
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
SCALE := $(shell sed -n 's/^scale: *//p' params.yaml)
# DVC's stages call `python`: this one.
export PATH := $(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

.DEFAULT_GOAL := help
.PHONY: help repro test check ui bench

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-7s %s\n", $$1, $$2}'

repro: .venv/run.stamp ## Fetch the data, run every study at the scale of params.yaml, build the reports
	@python -m pipeline fetch --keep-going
	@dvc repro
	@echo
	@echo "Reports:    $(CURDIR)/reports/$(SCALE)/index.html (open it in a browser)"
	@echo "MLflow UI:  make ui, then http://127.0.0.1:5000"

test: .venv/dev.stamp ## Run every test, as many at a time as there are cores
	OMP_NUM_THREADS=1 python -m pytest -n auto --dist worksteal

check: .venv/dev.stamp ## Format, lint, types, import direction
	ruff format --check .
	ruff check .
	basedpyright
	lint-imports

ui: .venv/run.stamp ## Browse the recorded runs on http://127.0.0.1:5000
	python -m pipeline ui

bench: .venv/dev.stamp ## Measure speed and memory beside peers and floors
	python -m benchmarks

# Without git (an unpacked archive) DVC has to be told so; with git it must not be.
define prepare
@test -x .venv/bin/python || $(PYTHON) -m venv .venv
@python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '$(1)'
@if [ -e .git ]; then dvc config --local --quiet --unset core.no_scm 2>/dev/null || true; \
else dvc config --local --quiet core.no_scm true; fi
@touch $@
endef

.venv/run.stamp: pyproject.toml constraints.txt
	@echo "Setting up .venv (once, some minutes) ..."
	$(call prepare,.)

.venv/dev.stamp: pyproject.toml constraints.txt
	@echo "Setting up .venv for development (once, some minutes) ..."
	$(call prepare,.[dev])
