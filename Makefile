# `make` alone lists what there is. Everything is made from locks; nothing outside .venv and the user's folders.
SHELL := /bin/bash
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## the environments from their locks, and bubblewrap
	@scripts/setup.sh

demo: ## everything from nothing to a checked task on a local model
	@scripts/setup.sh --demo
	@$(PYTHON) -m scripts.demo

run: setup ## the main job: make run TASK="…" [WORKSPACE=dir] [CHECK="pytest -q"]
	@scripts/run_task.sh

test: setup ## set up and pass the tests, all but the live layer
	@$(PYTHON) -m pytest -m "not live" -n logical --maxprocesses 4 --dist worksteal
	@echo "The live layer, on a real Ollama with a real model, was not run: make test-live"

test-live: setup ## the live layer; skipped with the reason where there is no Ollama (make ollama)
	@$(PYTHON) -m pytest tests/live

fresh: ## the README's two commands in a bare Debian, as root (PART=setup, demo, test or root; needs debootstrap)
	@python3 -B -m scripts.fresh $(PART)

torture: setup ## runs killed at random moments, runs whose writes fail, a batch of 1,000 whose parts are killed
	@TORTURE_RUNS=50 TORTURE_TASKS=1000 $(PYTHON) -m pytest -q tests/cli/test_torture.py tests/cli/test_write_errors.py tests/batch/test_torture.py

torture-batch: setup ## 200 tasks on three Ray nodes, of which one is killed, and then the driver (about 15 minutes)
	@python=$$(scripts/ray_venv.sh) && RAY_TASKS=200 $$python -m pytest -q tests/batch/test_cluster.py tests/batch/test_ray.py tests/batch/test_ray_disk.py

lint: setup ## ruff, mypy --strict, import layers
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

bench: setup ## the figures in benchmarks/ (about 4 minutes), then bench-compare
	@$(PYTHON) -m benchmarks
	@$(PYTHON) -m benchmarks.compare

bench-compare: setup ## stock AutoGen, stock Open Interpreter and super-agent on the same task (about 10 minutes)
	@$(PYTHON) -m benchmarks.compare

eval: setup ## does it solve tasks? make eval [ARGS="--model … --contestant team --contestant peers"] (hours with peers)
	@$(PYTHON) -m evaluation $(ARGS)

screenshots: setup ## the pictures of the page for the README (needs chromium)
	@$(PYTHON) -m scripts.screenshots

ollama: ## print the path of an Ollama; built from source, once, where none is installed
	@scripts/get_ollama.sh

lock: ## all locks anew, with hashes and without addresses
	@scripts/lock.sh

clean: ## remove the main environment (the others lie in the user's data folder)
	rm -rf .venv

# As they were typed: a `$` in a task is the task's own.
override TASK := $(value TASK)
override WORKSPACE := $(value WORKSPACE)
override CHECK := $(value CHECK)
export TASK WORKSPACE CHECK
.PHONY: help setup demo run test test-live fresh torture torture-batch lint bench bench-compare eval screenshots ollama lock clean
