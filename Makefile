# Every target does its own set-up; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
.SILENT:

# lab: a stand-in for EC2 on this machine (Linux, root). aws: the account that the environment names.
TARGET ?= lab
RECIPE ?= best
BENCH ?= api
BACKENDS ?= 1
RELEASE ?= $(shell ls -td artifacts/releases/mnist-cnn-* 2>/dev/null | head -1)
ARGS ?=

BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

ifeq ($(TARGET),lab)
SETUP := requirements/setup.sh lab
USE := set -a && source .lab/env && set +a
else ifeq ($(TARGET),aws)
SETUP := requirements/setup.sh controller
USE := true
else
$(error TARGET is 'lab' or 'aws', not '$(TARGET)')
endif

LAB_RUNS = { [ -f .lab/env ] && $(BIN)/python -m tests.lab status >/dev/null 2>&1; } || { echo "The lab is not up: 'make up' starts it." >&2; exit 1; }
ifeq ($(TARGET),aws)
LAB_RUNS = true
endif

.PHONY: help
help: ## list the targets
	sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \t\2/p' Makefile | expand -t 18
	echo
	echo "  TARGET=lab (default) is a stand-in for EC2 on this machine: Linux, apt-get, root."
	echo "  TARGET=aws is the AWS account that the environment names (AWS_PROFILE or AWS_ACCESS_KEY_ID …, AWS_REGION)."
	echo "  ARGS='-e name=value' goes to ansible-playbook."

.PHONY: up
up: ## build everything and read a digit: network, machines, model, API, page
	$(SETUP)
ifeq ($(TARGET),lab)
	python -m tests.lab up
endif
	$(USE)
	ansible-playbook site.yml $(ARGS)
	address=$$(ansible-inventory --host AI_Frontend | sed -n 's/.*"public_address": "\(.*\)".*/\1/p')
	echo "The page: http://$$address/$(if $(filter lab,$(TARGET)), and for a browser on this machine http://localhost:8080/)"

.PHONY: down
down: ## take it all away again (TARGET=aws asks first)
	$(SETUP)
ifeq ($(TARGET),lab)
	python -m tests.lab down
else
	ansible-playbook playbooks/destroy.yml $(ARGS)
endif

.PHONY: plan
plan: ## what `make up` would create, change and destroy, and what it costs; changes nothing
	$(SETUP)
	$(LAB_RUNS)
	$(USE)
	ANSIBLE_STDOUT_CALLBACK=plan ANSIBLE_CALLBACKS_ENABLED=plan ansible-playbook playbooks/plan.yml --check $(ARGS)

.PHONY: status
status: ## every host, what it serves, and what differs from the playbooks
	$(SETUP)
	$(LAB_RUNS)
	$(USE)
	python playbooks/files/status.py $(ARGS)

.PHONY: rollback
rollback: ## the deploy before this one again, in seconds: RELEASE=NAME (default: the previous)
	$(SETUP)
	$(LAB_RUNS)
	$(USE)
	ansible-playbook playbooks/rollback.yml $(if $(filter command line environment,$(origin RELEASE)),-e release=$(notdir $(RELEASE))) $(ARGS)

.PHONY: scale
scale: ## as many backends as BACKENDS=N says, without a failed request
	$(SETUP)
	$(LAB_RUNS)
	$(USE)
	ansible-playbook playbooks/scale.yml -e instances_backend_count=$(BACKENDS) $(ARGS)

.PHONY: verify
verify: ## read 100 test digits through the front door
	$(SETUP)
	$(LAB_RUNS)
	$(USE)
	ansible-playbook playbooks/verify.yml $(ARGS)

.PHONY: audit
audit: ## hold what is there against inventory/audit.yml: rules, routes, ports, headers, SSH, units
	$(SETUP)
	$(LAB_RUNS)
	$(USE)
	ansible-playbook playbooks/audit.yml $(ARGS)

.PHONY: demo
demo: ## page and API on http://localhost:8000/, no root, no lab
	requirements/setup.sh demo
	python -m mnist_api --demo

.PHONY: train
train: ## train a model here: RECIPE=best (default) or fast
	requirements/setup.sh dev
	python -m mnist_model train --recipe $(RECIPE) $(ARGS)

.PHONY: evaluate
evaluate: ## try a release on everything, write docs/model-figures.md: RELEASE=DIR (default: the newest)
	requirements/setup.sh dev
	[ -n "$(RELEASE)" ] || { echo "There is no release in artifacts/releases: 'make train' makes one." >&2; exit 1; }
	python -m mnist_model evaluate $(RELEASE) --markdown docs/model-figures.md

.PHONY: feedback
feedback: ## bring what was corrected on the page here, to be reviewed (artifacts/feedback)
	$(SETUP)
	$(LAB_RUNS)
	$(USE)
	ansible-playbook playbooks/collect-feedback.yml $(ARGS)

.PHONY: jupyter
jupyter: ## a tunnel to Jupyter on AI_Dev (kept by: make up ARGS='-e dev_terminate=false')
	$(SETUP)
	$(LAB_RUNS)
	$(USE)
	ansible-playbook playbooks/jupyter.yml $(ARGS)

# One target for each tool; .pre-commit-config.yaml calls the same ones.
LINTERS := lint-ansible lint-mypy lint-yaml lint-ruff lint-shell lint-locks lint-readmes
SIDE_BY_SIDE = $(MAKE) --no-print-directory --jobs=2 --output-sync=target

.PHONY: lint $(LINTERS)
lint: ## linters and types
	requirements/setup.sh dev
	$(SIDE_BY_SIDE) $(LINTERS)
lint-ruff:
	ruff check .
	ruff format --check .
lint-mypy:
	mypy
lint-yaml:
	yamllint --strict .
lint-ansible:
	ansible-lint
lint-shell:
	if command -v shellcheck >/dev/null; then shellcheck $$(git ls-files '*.sh' .ci/run); else echo "lint: SKIPPED shellcheck, it is not installed (apt-get install shellcheck)" >&2; fi
lint-locks:
	python -m tools.check_locks
lint-readmes:
	python -m tools.role_readmes --check

.PHONY: check test-quick
check: ## the quick part of the tests: linters, types, unit tests; no root
	requirements/setup.sh dev
	echo "check: linters and tests run side by side; each shows its output when it is done"
	$(SIDE_BY_SIDE) test-quick $(LINTERS)
test-quick:
	pytest -q -m 'not slow and not lab' tests/unit tests/api tests/roles tests/fuzz/test_decoder.py

.PHONY: test test-aws test-roles
test: ## linters, unit, API, browser, provisioning and role tests, and the main job end to end on the lab (root)
	requirements/setup.sh test
	python -m tests.lab free # only one can run on a machine, and the tests need it
	failed=0 # every part runs, so that one run tells all that is wrong
	$(MAKE) lint || failed=1
	pytest -m 'not long' tests/unit tests/docs tests/api tests/fuzz tests/browser || failed=1
	echo "test: provisioning on moto and the roles side by side; each shows its output when it is done"
	$(SIDE_BY_SIDE) --keep-going test-aws test-roles || failed=1
	pytest -m 'not long' tests/e2e || failed=1
	echo "test: left out what 'make test-long' runs: load balancer and IAM policy on moto, the roles' alternative scenarios, deploys and faults under load, own machines, tags" >&2
	exit $$failed
test-aws:
	pytest -m 'not long' tests/aws
test-roles:
	pytest -m 'not long' tests/roles

.PHONY: test-long
test-long: ## the rest: load balancer, IAM policy, alternative scenarios, deploys and faults under load, own machines (root)
	requirements/setup.sh test
	python -m tests.lab free
	pytest -m long tests/aws tests/roles tests/e2e

.PHONY: bench
bench: ## measure: BENCH=api (default), model, page, lab, site, bombs or lighthouse
	requirements/setup.sh test
	case $(BENCH) in
	    api) python -m tests.bench.bench_api --report docs/benchmarks-api.md ;;
	    model) python -m tests.bench.bench_model $(RELEASE) ;;
	    site) python -m tests.bench.bench_site --report docs/benchmarks-site.md ;;
	    page | lab | bombs | lighthouse) python -m tests.bench.bench_$(BENCH) ;;
	    *) echo "BENCH is api, model, page, lab, site, bombs or lighthouse, not '$(BENCH)'" >&2; exit 1 ;;
	esac

.PHONY: bench-deploy
bench-deploy: ## under load on the lab: a deploy, a rollback, one backend to three to two; counts what fails (root)
	requirements/setup.sh test
	python -m tests.bench.bench_deploy --report docs/benchmarks-deploy.md

.PHONY: fuzz
fuzz: ## the long runs of the fuzzers: 50,000 requests, 1,000,000 spoilt pictures (hours)
	requirements/setup.sh dev
	python -m tests.fuzz contract
	python -m tests.fuzz decoder

.PHONY: coverage
coverage: ## how much of mnist_model and mnist_api their tests run, in other processes too; fails below 95%
	requirements/setup.sh dev
	pytest -q --cov=mnist_model --cov=mnist_api --cov-report=term:skip-covered --cov-fail-under=95 tests/unit tests/api

.PHONY: mutate
mutate: ## change the normaliser and the release's verifier a thousand times, and list what no test notices
	requirements/setup.sh dev
	uv --quiet pip install --require-hashes --requirement requirements/mutate.txt
	mutmut run
	mutmut results

.PHONY: lock
lock: ## compile requirements/*.txt again from requirements/*.in (ARGS=--upgrade for newer versions)
	requirements/setup.sh dev
	cd requirements
	compile() { uv --quiet pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate "$$@"; }
	compile $(ARGS) dev.in -o dev.txt
	for set in api controller jupyter mutate runtime train uv; do compile -c dev.txt $$set.in -o $$set.txt; done

.PHONY: readmes
readmes: ## write the tables of variables in roles/*/README.md again from the roles' argument_specs
	requirements/setup.sh dev
	python -m tools.role_readmes

.PHONY: release
release: check ## commit and tag a version of this project, push nothing: VERSION=MAJOR.MINOR.PATCH
	python -m tools.release "$(VERSION)"
