# Everything a person runs. `make` alone lists it.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)
export DVC_NO_ANALYTICS := 1
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PREFECT_HOME := $(CURDIR)/.prefect
# On a busy machine a temporary server takes longer than the 20 seconds that Prefect waits for it.
export PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS := 300

# One thread a process: torch's own threads would fight over the cores that the tests share.
PYTEST := OMP_NUM_THREADS=1 python -m pytest -n logical --durations=10

# The first of these that runs and is 3.11 or 3.12 makes the environment; `make PYTHON=… setup` chooses another.
PYTHON ?= $(firstword $(foreach p,python3.12 python3.11 python3,$(shell \
	$(p) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $(p))))

.PHONY: help setup demo repro evidence metrics test check coverage lint format deps product detect next doctor review serve worker arrival-demo lock benchmark

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/installed ## make the environment from requirements.lock (does nothing when it is up to date)

$(VENV)/installed: requirements.lock
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or 3.12 is needed and was not found; name one with PYTHON=…" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@awk '/^uv==/{p=1} p{print} p&&!/\\$$/{exit}' requirements.lock >$(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	@# Compiled once here, or, where Python may not write beside its packages, by every one of some hundred processes.
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@touch $@

demo: setup ## the whole loop on the built-in bins world, at scale demo, in short
	@python -m flows.demo

repro: setup ## whatever params.yaml says: check it, then what dvc repro runs, independent stages at the same time
	@python -m stages.settings
	@python -m flows.reproduce

evidence: setup ## the answer that counts: arms over products, draws and numbers of photographs; a night on two cores, resumable
	@python -m stages.settings
	@python -m flows.checkout_lock dvc repro split
	@python -m flows.checkout_lock python -m stages.evidence.study
	@python -m flows.checkout_lock python -m stages.report.index

metrics: setup ## the headline figures beside the last commit's, one line each; the rest: dvc metrics diff
	@dvc metrics diff --all --no-path --targets reports/metrics/curve.json reports/metrics/headline.json

test: setup ## the quick tests, on all cores: minutes
	@$(PYTEST) -m "not slow"

check: setup ## the slow tests: kills, clones, several machines, browser, the whole pipeline at scale smoke; most of it is waiting
	@$(PYTEST) -m slow --dist loadgroup --no-loadscope-reorder -n 3

coverage: setup ## which lines the quick tests run
	@$(PYTEST) -m "not slow" --cov=stages --cov=flows --cov-report=term:skip-covered

lint: setup ## ruff (rules, format) and types
	@ruff check . && ruff format --check . && basedpyright

format: setup ## let ruff mend what it can
	@ruff check --fix . ; ruff format .

deps: setup ## write into dvc.yaml which code each stage runs
	@python -m stages.code_dependencies

product: setup ## a detector of your own photographs: make product PHOTOS=folder [NAME=product]; again: goes on
	@PREFECT_LOGGING_FORMATTERS_STANDARD_FLOW_RUN_FMT='%(asctime)s  %(message)s' \
		PREFECT_LOGGING_FORMATTERS_STANDARD_TASK_RUN_FMT='%(asctime)s  %(task_run_name)s: %(message)s' \
		python -m flows.product "$(or $(PHOTOS),$(error which photographs? make product PHOTOS=folder))" \
		$(if $(NAME),--name "$(NAME)")

detect: setup ## look at photographs with a product's detector: make detect PHOTOS=folder-or-file [PRODUCT=name]
	@python -m stages.product.detect "$(or $(PHOTOS),$(error which photographs? make detect PHOTOS=folder))" \
		$(if $(PRODUCT),--product "$(PRODUCT)")

next: setup ## choose which photographs to annotate next: make next PHOTOS=folder [PRODUCT=name] [COUNT=10]
	@python -m stages.product.next_photographs "$(or $(PHOTOS),$(error which photographs? make next PHOTOS=folder))" \
		$(if $(PRODUCT),--product "$(PRODUCT)") $(if $(COUNT),--count "$(COUNT)")

doctor: setup ## what this machine has, and what is missing
	@python -m stages.doctor

review: setup ## look through the candidates in the browser and say what they are
	@python -m stages.judge.review

serve: setup ## Prefect's server, a worker and the deployments, on this machine alone; Ctrl-C ends them
	@python -m flows.serve

worker: setup ## let this clone run stages for another machine's server: make worker SERVER=http://main:4200/api
	@python -m flows.worker --server $(or $(SERVER),$(error which server? make worker SERVER=http://main:4200/api))

arrival-demo: setup ## three folders arrive: one product is promoted, one left, one put aside; in a temporary clone
	@python -m flows.arrival_demo

lock: setup ## resolve requirements.lock anew from pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group dev pyproject.toml -o requirements.lock

benchmark: setup ## measure how fast things are, and how well what composes and fills does
	@python -m benchmarks.stage_starts && python -m benchmarks.warm_start && python -m benchmarks.bins_speed && python -m benchmarks.coco_to_yolo
	@python -m benchmarks.gan_speed && python -m benchmarks.gan_memory && python -m benchmarks.losses_and_penalties
	@python -m benchmarks.copy_search && python -m benchmarks.compose_speed && python -m benchmarks.texture_size
	@python -m benchmarks.deconstruct && python -m benchmarks.novelty
	@python -m benchmarks.detector_speed && python -m benchmarks.detect_speed && python -m benchmarks.flow_speed && python -m benchmarks.many_products
