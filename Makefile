# The commands of this project. `make` alone lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
RUN := $(BIN)/python
WORKERS ?= 2
RUNS ?= 3

.PHONY: help setup gen demo test explore check fix bench bench-full up down clean
help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: setup ## from nothing to the 360 view of the customer most at risk, on a running mesh
	$(BIN)/holdfast demo

test: setup ## everything, against a real MongoDB and the real edge; the integration tests with either driver
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile
	HOLDFAST_MONGO_DRIVER=motor $(RUN) -m pytest -n $(WORKERS) --dist loadfile tests/integration

explore: setup ## all properties with many more examples, other ones each time; RUNS times
	for run in $$(seq $(RUNS)); do \
	  $(RUN) -m pytest -q -n $(WORKERS) -m hypothesis --hypothesis-profile explore tests/unit || exit 1; done

check: setup ## format, lint, types, contracts, laws; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/buf lint gen/holdfast.binpb --config buf.yaml
	$(BIN)/buf format --diff --exit-code protos
	$(RUN) -m tools.breaking
	$(BIN)/lint-imports --no-cache

fix: setup ## what a machine can mend of the above
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/buf format -w protos

bench: setup ## each path beside its floor; minutes
	$(RUN) -m bench

bench-full: setup ## with the rows of a million records
	$(RUN) -m bench --full

up: setup ## start the mesh on this machine
	$(BIN)/holdfast up

down: setup ## stop it
	$(BIN)/holdfast down

setup: .make/gen
gen: .make/gen

.make/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "holdfast: Python 3.11 or later is needed; set PYTHON to it" >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "holdfast: cannot make a virtual environment; install the package python3.11-venv" >&2; rm -rf .venv; exit 1; }
	@mkdir -p .make && touch $@

# Two steps, so that a change of ours does not install the world anew.
.make/deps: .make/venv requirements.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.make/project: .make/deps pyproject.toml
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.make/gen: .make/project tools/gen.py $(shell find protos -name '*.proto')
	$(RUN) -m tools.gen
	@touch $@

clean: ## remove what was made, but not the data of a mesh
	rm -rf .venv .make gen .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/results
