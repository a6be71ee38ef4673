# Each target makes what it needs: `make demo` and `make test` work in a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BACKENDS := .venv-backends
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --durations=10
EXPORTS := tests/export tests/serve tests/cli/test_export.py tests/cli/test_serve.py
STUDIES := tests/budget tests/lessons tests/studies tests/transfer tests/zoo
CRASHES := tests/crashes
STUDIO := tests/studio tests/cli/test_studio.py
CLUSTER := tests/cluster

.PHONY: demo lessons lessons-quick test test-export test-studies test-crashes test-studio test-cluster test-all test-backends bench bench-full docs catalogue check clean

demo: $(READY)
	@$(BIN)/convlens demo
	@echo "(first put convlens on the path: . $(BIN)/activate)"

# Two processes run whole files of tests each, because the tests of a file share what they train.
test: $(READY)
	$(PYTEST) $(addprefix --ignore=,$(EXPORTS) $(STUDIES) $(CRASHES) $(STUDIO) $(CLUSTER))

# The ways out of convlens start converters, servers and a browser in processes of their own.
test-export: $(READY)
	$(PYTEST) $(EXPORTS)

# Several trainings each (in a given time, search, comparison, transfer, lessons), and all networks.
test-studies: $(READY)
	$(PYTEST) $(STUDIES)

# Trainings and files after a crash at each moment at which something is written.
test-crashes: $(READY)
	$(PYTEST) $(CRASHES)

# The page in a browser, with servers and trainings in processes of their own.
test-studio: $(READY)
	$(PYTEST) $(STUDIO)

# Two nodes of Ray on this computer, which one process starts once for all tests.
test-cluster: $(READY)
	$(BIN)/python -m pytest --durations=10 $(CLUSTER)

# One process, because the slow tests measure time and build networks that fill the memory.
test-all: $(READY) $(BACKENDS)/.ready
	$(BIN)/python -m pytest --durations=10 -m "not backends" --ignore=$(CLUSTER)
	$(BIN)/python -m pytest --durations=10 -m "not backends" $(CLUSTER)
	$(BACKENDS)/bin/python -m pytest -m "backends and slow"

test-backends: $(BACKENDS)/.ready
	$(BACKENDS)/bin/python -m pytest -m "backends and not slow"

# In full, an hour or more; DATA is a folder with mnist/, cifar10.npz, cats_dogs/ as far as they are at hand.
lessons: $(READY)
	$(BIN)/convlens lesson all --run $(if $(DATA),--data "$(DATA)") --table docs/lessons/RESULTS.md

lessons-quick: $(READY)
	$(BIN)/convlens lesson all --run --quick

# How fast convlens is beside others; DATA is a folder with cifar10.npz, mnist/, cats_dogs/ as far as
# they are at hand. Both go on where they were stopped; bench-full takes hours.
BENCH := benchmarks/speed/bench.py $(if $(DATA),--data "$(DATA)")
bench: $(READY)
	$(BIN)/python $(BENCH)

bench-full: $(READY) $(BACKENDS)/.ready
	$(BIN)/python $(BENCH) --full --torch $(BACKENDS)/bin/python

OPTIONS_PAGE := "from convlens.cli.flags import options_page; print(options_page(), end='')"
docs: $(READY)
	CONVLENS_LANG=en $(BIN)/python -c $(OPTIONS_PAGE) > docs/options.md
	CONVLENS_LANG=zh $(BIN)/python -c $(OPTIONS_PAGE) > docs/options.zh-TW.md
	$(BIN)/convlens models --markdown --language en > docs/models.md
	$(BIN)/convlens models --markdown --language zh > docs/models.zh-TW.md

# Add the texts of the code to the Chinese catalogue; those that are new have no Chinese text yet.
catalogue: $(READY)
	$(BIN)/python tools/catalogue.py update

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/texts.py
	$(BIN)/python tools/catalogue.py check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --doctest-modules src

$(READY): pyproject.toml
	@echo "installing into $(VENV), a minute or two"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

# JAX and PyTorch live in an environment of their own, so that the usual one stays small.
$(BACKENDS)/.ready: pyproject.toml
	$(PYTHON) -m venv $(BACKENDS)
	$(BACKENDS)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BACKENDS)/bin/python -m pip install --quiet --editable . --group dev --group backends
	@touch $@

clean:
	rm -rf $(VENV) $(BACKENDS) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
