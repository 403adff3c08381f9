# Everything one does with a checkout. Needs Python 3.11 and make; the rest goes into .venv.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# Studies share the cores; each process holds its own copy of the models.
PROCESSES ?= 2

# What `make run` runs. The last three models cannot reason, so they are asked what one pass can answer.
ABLATE := python -m latentlab.ablate --limit 400 --batch-size 100 --replace noise other \
	--drop latent_text latent_vision latent --processes $(PROCESSES)
FULL := $(ABLATE) --model relay gaze redundant ivtlr --out results/ablate-full
ONE_HOP := $(ABLATE) --model bypass decoy filler --data benchmark:hops=1 --out results/ablate-one-hop

# Two test processes on two cores: more threads than that slow each other down.
export OMP_NUM_THREADS ?= 1

.PHONY: help install run calibrate paper docs test check lint format types fast organisms benchmark
.DEFAULT_GOAL := help

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

install: $(STAMP)  ## make .venv with LatentLab and its tools in it

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: install  ## measure the embedded models: which latents do the reasoning?
	$(BIN)/$(FULL)
	$(BIN)/$(ONE_HOP)

calibrate: install  ## read every instrument on models whose truth is known
	$(BIN)/python -m latentlab.calibrate

paper: install  ## the main set, the appendix and the report; runs the studies that are missing
	$(BIN)/python -m latentlab.figures --run --processes $(PROCESSES)
	test -d results/paper/traces || $(BIN)/python -m latentlab.trace --out results/paper/traces \
		--processes $(PROCESSES)
	$(BIN)/python -m latentlab.report

docs: install  ## the pages as a site; broken links, names and examples fail it
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/python tools/house.py
	$(BIN)/python -m pytest -q tests/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --site-dir site

test: install  ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: lint types fast  ## what a change has to pass before it is committed

lint: install  ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install  ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: install  ## type checks
	$(BIN)/mypy

fast: install  ## the tests that take seconds
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

organisms: install  ## train the embedded models anew
	$(BIN)/python -m latentlab.organisms

benchmark: install  ## what is how many times faster or smaller, each beside the other in one run
	$(BIN)/python -m benchmarks
