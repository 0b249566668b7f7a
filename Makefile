# The daily verbs.  Behind each stands `paxos-lab`, the command line of
# orchestrator/; `make help` lists them all.
#
# All paths are relative, so the tree may lie in a folder with spaces.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/sh

PYTHON ?=
export PYTHON

LAB := .venv/bin/paxos-lab
PY := .venv/bin/python

# Given on the command line of make, or left to paxos-lab's own defaults.
nodes := $(if $(NODES),--nodes '$(NODES)')
world := $(if $(WORLD),--world '$(WORLD)')
force := $(if $(filter-out 0,$(FORCE)),--force)
port := $(if $(PORT),--port '$(PORT)')
seed := $(if $(SEED),--seed '$(SEED)')
disk_faults := $(if $(filter-out 0,$(DISK_FAULTS)),--disk-faults)

##@ See it work

.PHONY: demo
demo: setup ## Run the headline scenarios on local processes, and judge them
	@$(LAB) demo $(nodes)

scenario-%: setup ## Run one scenario (WORLD=docker|local|sim, SEED= for sim)
	@$(LAB) scenario '$*' $(world) $(nodes) $(seed)

.PHONY: scenarios
scenarios: setup ## Run all scenarios (WORLD=docker|local|sim, SEED= for sim)
	@$(LAB) scenarios $(world) $(nodes) $(seed)

.PHONY: web
web: setup ## Serve the page on 127.0.0.1 (PORT= WORLD=docker|local NODES= DISK_FAULTS=1)
	@[ -d web/pyodide/node_modules ] || $(PY) -m orchestrator.pyodide || true
	@$(LAB) web $(port) $(world) $(nodes) $(disk_faults)

.PHONY: pyodide
pyodide: setup ## Fetch Python for the page's sandbox, and check it (needs npm)
	@$(PY) -m orchestrator.pyodide

.PHONY: site
site: setup ## Make the page a folder that any web server can publish (OUT=site RUNS=)
	@$(PY) -m orchestrator.pyodide || true
	@$(LAB) site $(if $(OUT),--out '$(OUT)') $(foreach run,$(RUNS),--run '$(run)')

.PHONY: check
check: setup ## Judge a log folder anew (RUN=logs/latest)
	@$(LAB) check '$(or $(RUN),logs/latest)'

##@ Break it

.PHONY: fuzz
fuzz: setup ## Fuzz in virtual time, seed by seed (SEEDS=A..B VARIANT= TIME=)
	@$(LAB) fuzz $(if $(SEEDS),--seeds '$(SEEDS)') $(nodes) $(if $(VARIANT),--variant '$(VARIANT)') $(if $(TIME),--time '$(TIME)')

.PHONY: explore
explore: setup ## Visit every schedule of a bounded model (MODEL=, EXPLORE_ARGS=)
	@$(LAB) explore $(MODEL) $(EXPLORE_ARGS)

.PHONY: variants
variants: setup ## Catch every broken variant, or say which survived
	@$(LAB) variants

##@ Containers

.PHONY: up
up: setup ## Start a cluster of containers and wait until it is healthy (NODES=5)
	@$(LAB) up $(nodes)

.PHONY: down
down: setup ## Stop the containers; what acceptors promised stays in the volumes
	@$(LAB) down $(nodes)

.PHONY: clean
clean: setup ## Remove containers, volumes and local state, after asking (FORCE=1)
	@$(LAB) clean $(nodes) $(force)

.PHONY: base-image
base-image: setup ## Make the base image from Debian packages, without a registry
	@$(LAB) base-image

.PHONY: compose
compose: setup ## Write docker-compose.yml anew, or the file for NODES=3, 7 or 9
	@$(LAB) compose $(nodes)

##@ Look inside

.PHONY: state
state: setup ## Show what each acceptor has on disk, beside its memory
	@$(LAB) state $(world) $(nodes)

.PHONY: logs
logs: setup ## Follow the nodes' lines, in plain words
	@$(LAB) logs $(world) $(nodes)

.PHONY: status
status: setup ## Show nodes, links and faults
	@$(LAB) status $(world) $(nodes)

.PHONY: bench
bench: setup ## Measure decisions beside their limit, and faults (WORLD=, NODES=)
	@$(LAB) bench $(world) $(nodes)

.PHONY: bench-explorer
bench-explorer: setup-dev ## Measure the explorer beside TLC (needs Java)
	@$(LAB) bench-explorer

##@ Work on it

.PHONY: test
test: setup-dev ## Run all tests (CI=true fails what would be skipped; PYTEST_ARGS=)
	@$(PY) -m pytest $(PYTEST_ARGS)

.PHONY: lint
lint: setup-dev ## Check style and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

.PHONY: format
format: setup-dev ## Format the code
	@$(PY) -m ruff check --fix-only .
	@$(PY) -m ruff format .

.PHONY: types
types: setup-dev ## Check the types of the Python code
	@$(PY) -m mypy

.PHONY: page-types
page-types: ## Check the types of the page's code (needs npm)
	@cd web && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@cd web && npm run --silent check

.PHONY: imports
imports: setup-dev ## Check which package imports which
	@PYTHONPATH=.ci $(PY) -c 'from importlinter.cli import lint_imports_command as main; main()' --no-logo

.PHONY: stubs
stubs: setup-dev ## Write node/wire's stubs anew from proto/
	@$(PY) -m node.wire.generate

.PHONY: stubs-check
stubs-check: setup-dev ## Compare node/wire's stubs with proto/
	@$(PY) -m node.wire.generate --check

.PHONY: lock
lock: ## Solve the locked requirements anew (UPGRADE=1 for newer versions)
	@UPGRADE='$(UPGRADE)' .ci/lock

##@ Set-up, done by the others as they need it

.PHONY: setup
setup: ## Install what the lab needs into .venv
	@.ci/venv run

.PHONY: setup-dev
setup-dev: ## Install what the tests need into .venv, too
	@.ci/venv dev

.PHONY: help
help: ## List these targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z%-]+:.*## / { sub(/%/, "NAME", $$1); printf "  make %-16s %s\n", $$1, $$2 }' \
	  $(firstword $(MAKEFILE_LIST))
