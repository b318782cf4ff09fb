# Each command sets up what it needs: a virtual environment in .venv and data in var/. It wants only Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin
HASH := $(shell cat requirements.txt requirements-dev.txt constraints.txt | cksum | cut -d' ' -f1)
READY := .venv/ready-$(HASH)
export PYTHONUNBUFFERED := 1

# What an installation with a public address sets: its checks run without anybody's real keys or data.
PRODUCTION = HEMI_ENV_FILE=/dev/null HEMI_VAR=var/lint HEMI_BASE_URL=https://hemi.example \
	DATABASE_URL=sqlite:///var/lint/hemi.sqlite3 EMAIL_URL=smtp://localhost:25 STAFF_ALERT_EMAILS=staff@hemi.example DEFAULT_FROM_EMAIL=hemi@hemi.example \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
	FIELD_ENCRYPTION_KEY=$$($(BIN)/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')

.PHONY: help setup demo run test node rehearse bench drill storm lint audit

help:
	@echo "make demo    play the whole story with a sandbox of stores and suppliers, then stay up (ONCE=1 ends)"
	@echo "make run     start the back office: web, workers, beat"
	@echo "make test    run the tests"
	@echo "make node    install the parsers of node that some tests compare with (node 18 and npm are needed)"
	@echo "make rehearse play the server of deploy/ on this machine: nginx, units, certificates, releases (some minutes)"
	@echo "make bench   measure (ONLY=files: a part; QUICK=1: one round, smaller)"
	@echo "make drill   kill, cut, freeze and fill everything; prove that no order is lost (SEED=7 repeats, ONLY=kill plays a part)"
	@echo "make storm   kill web and worker processes at random for five minutes at 20 orders a second (SEED=7, SECONDS=60)"
	@echo "make lint    check style, imports, types, migrations and settings"
	@echo "make audit   bandit and pip-audit: each finding is mended or explained (AUDIT_STRICT=1: fail where nobody can be asked)"

setup: $(READY)

demo: $(READY)
	@HEMI_VAR="$${HEMI_DEMO_VAR:-var/demo}" ONCE="$(ONCE)" $(BIN)/python manage.py demo

run: $(READY)
	@$(BIN)/python manage.py serve

test: $(READY)
	@$(BIN)/python -m pytest -q $(ARGS)

NODE_PACKAGES := integrations/tests/shopline/node/package.json

node: var/node/installed

var/node/installed: $(NODE_PACKAGES)
	@mkdir -p var/node && cp $(NODE_PACKAGES) var/node/package.json
	@cd var/node && npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts
	@cp $(NODE_PACKAGES) $@

bench: $(READY)
	@BENCH_QUICK="$(QUICK)" $(BIN)/python -m bench $(ONLY)

drill: $(READY)
	@HEMI_VAR="$${HEMI_DRILL_VAR:-var/drill}" HEMI_ENV_FILE=/dev/null HEMI_SANDBOX=1 SEED="$(SEED)" ONLY="$(ONLY)" $(BIN)/python manage.py drill

storm: $(READY)
	@HEMI_VAR="$${HEMI_DRILL_VAR:-var/drill}" HEMI_ENV_FILE=/dev/null HEMI_SANDBOX=1 SEED="$(SEED)" SECONDS="$(SECONDS)" $(BIN)/python manage.py storm

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	@$(PRODUCTION) $(BIN)/python manage.py makemigrations --check --dry-run
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

rehearse: $(READY)
	@$(BIN)/python -m pytest -q deploy/tests $(ARGS)

audit: $(READY)
	@AUDIT_STRICT="$(AUDIT_STRICT)" $(BIN)/python deploy/audit/check.py

$(READY): requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Hemi needs Python 3.11 or newer; $(PYTHON) is older. Name another one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make virtual environments. On Debian and Ubuntu install the package: apt install python3-venv"; exit 1; }
	@test -x $(BIN)/pip || { echo "Making a virtual environment in .venv"; $(PYTHON) -m venv --clear .venv; }
	@echo "Installing what requirements-dev.txt lists into .venv (a minute at the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@mkdir -p var && rm -f .venv/ready-* && touch $@
