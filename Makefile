# Each target is one command; the first use of `repro` or `test` sets itself up, in .venv, unless
# another environment is active: then that is used.
PYTHON ?= python3
ACTIVE := $(filter-out $(CURDIR)/.venv,$(VIRTUAL_ENV))
BIN := $(or $(ACTIVE),$(CURDIR)/.venv)/bin
RUN := $(if $(ACTIVE),active-run,.venv/run.stamp)
DEV := $(if $(ACTIVE),active-dev,.venv/dev.stamp)
SCALE := $(shell sed -n 's/^scale: *//p' params.yaml)
# DVC's stages call `python`: this one.
export PATH := $(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

.DEFAULT_GOAL := help
.PHONY: help repro test chaos check docs ui bench active-run active-dev

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-7s %s\n", $$1, $$2}'

repro: $(RUN) ## Fetch the data, run every study at the scale of params.yaml, build the reports
	@python -m pipeline fetch --keep-going
	@dvc repro
	@echo
	@echo "Reports:    $(CURDIR)/reports/$(SCALE)/index.html (open it in a browser)"
	@echo "MLflow UI:  make ui, then http://127.0.0.1:5000/#/experiments"

test: $(DEV) ## Run the tests, as many at a time as there are cores
	OMP_NUM_THREADS=1 python -m pytest -n auto --dist worksteal -m 'not chaos'

chaos: $(DEV) ## Kill thirty of whatever takes part in a run, and see that nothing is lost
	python -m pytest -m chaos tests/test_interruptions.py

check: $(DEV) ## Format, lint, import direction, known weaknesses, documentation, types
	ruff format --check .
	ruff check .
	lint-imports
	bandit --quiet -ll --recursive lightning_modules pipeline benchmarks docs
	python .ci/audit.py
	python -m docs
	@echo "Types: most of the time, one to two minutes ..."
	basedpyright

docs: $(DEV) ## Bring the README's table to date, build the documentation site, every link checked
	python -m docs.readme
	python -m docs

ui: $(RUN) ## Browse the recorded runs on http://127.0.0.1:5000/#/experiments
	python -m pipeline ui

bench: $(DEV) ## Measure speed and memory beside peers and floors
	python -m benchmarks

# What is active must have the project in it.
define found
@python -c 'import $(1)' 2>/dev/null || { echo "$(ACTIVE) is active and lacks $(1): deactivate it, or \
python -m pip install -c constraints.txt -e '.[dev]'"; exit 2; }
endef

active-run:
	$(call found,pipeline.params)

active-dev: active-run
	$(call found,pytest)
	$(call found,bandit)
	$(call found,zensical)

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
