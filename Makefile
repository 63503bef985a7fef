# Two commands do everything on a fresh machine with python3, a C compiler and make: `make run`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
KERNELS := $(wildcard twin/_kernels/*.pyx twin/_kernels/*.pxd twin/_kernels/*.pxi)

.DEFAULT_GOAL := help
.PHONY: help setup run check test e2e swarm digests fuzz snapshots lint type kernels-debug bench docs

help:            ## show this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

$(STAMP): pyproject.toml setup.py $(KERNELS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -U pip "setuptools>=77" "cython>=3.2,<4" wheel
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation -e '.[dev]' 2> $(VENV)/install.log \
		|| { cat $(VENV)/install.log; exit 1; }
	touch $(STAMP)

setup: $(STAMP)  ## make .venv, build the kernels, install everything for development

run: $(STAMP)    ## open the built-in demo on the live screen
	$(BIN)/twin

test: $(STAMP)   ## run the tests
	$(BIN)/python -m pytest -n 2 -m "not slow"

e2e: $(STAMP)    ## the long tests: real terminals, whole traces
	$(BIN)/python -m pytest -m "slow or e2e"

swarm: $(STAMP)  ## random factories, trouble and travels in time: make swarm SEED=7 MINUTES=10
	$(BIN)/python -m tests.swarm $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

fuzz: $(STAMP)   ## files that want to do harm: make fuzz READER=scenario MINUTES=10, readers in tests/fuzz
	$(BIN)/python -m tests.fuzz --reader $(or $(READER),scenario) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

digests: $(STAMP)  ## the pinned bits under every Python found, every vector width, older processors emulated by qemu-user
	$(BIN)/python -m tests.golden.everywhere $(PYTHONS)

lint: $(STAMP)   ## style and import contracts
	$(BIN)/ruff check .
	$(BIN)/lint-imports

type: $(STAMP)   ## static types
	$(BIN)/mypy

check: lint type test  ## everything that must hold before a change lands

kernels-debug: $(STAMP)  ## rebuild the kernels with bounds checks and run their tests
	TWIN_KERNELS_DEBUG=1 $(BIN)/python setup.py -q build_ext --inplace --force
	$(BIN)/python -m pytest tests/_kernels; status=$$?; $(BIN)/python setup.py -q build_ext --inplace --force; exit $$status

bench: $(STAMP)  ## benchmarks: each kernel, each domain, the whole tick, snapshot, frame, cold start
	$(BIN)/python -m benchmarks

snapshots: $(STAMP)  ## draw the pinned screens of tests/tui/snapshots anew; look at git diff before keeping them
	RENEW_SNAPSHOTS=1 $(BIN)/python -m pytest -q tests/tui/test_snapshots.py

docs: $(STAMP)   ## regenerate the generated pages in docs/
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.validation
