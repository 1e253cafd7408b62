# make run       start everything on this machine     make test      the whole suite
# make setup     install only                         make lint      what CI asks of the code
# make lock      resolve the requirements anew        make format    let the linters rewrite the code
# make messages  collect what is to be translated     make clean     forget what was installed
# make soak      the long tests: an outage of minutes, races by the thousand
# make screenshots   the pictures in docs/images
# make bench     what pages, engine and mail cost, on servers of its own     make bench-compare BASE=file

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
# What the pages say in other languages than English, compiled from what is committed.
WORDS := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))
# Paths to pytest and how many processes, e.g. make test TESTS=tests/runtime WORKERS=0. One more than there
# are cores: a quarter of the time of those that start whole installations is waiting for one.
TESTS ?=
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))
# How many tickets make bench loads, and where it writes its figures.
SIZES ?= 10000 100000
FIGURES ?= var/bench.jsonl

UNREACHED := The Python packages could not be installed (above stands why): see that this machine \
reaches its package index, or name one with PIP_INDEX_URL, and run make again.
UNREACHED_NPM := The packages from npm could not be installed (above stands why): see that this machine \
reaches its npm registry, or name one with npm_config_registry, and run make again.

# Who may only read can run what is installed, with the data elsewhere, but not install.
WRITABLE := test -w . || { echo "$(CURDIR) cannot be written; copy it to a folder of your own and run make \
there, or have its owner run make setup." >&2; exit 1; }

NPM_CI := NODE_OPTIONS="--use-system-ca $$NODE_OPTIONS" .venv/bin/npm ci --loglevel=error

.PHONY: run setup setup-dev test soak lint format lock messages screenshots bench bench-compare clean
.DELETE_ON_ERROR:

# Two makes at once install one after the other: the second finds done what the first did.
ALONE := $(PYTHON) -c 'import fcntl, os, sys; held = os.open("Makefile", os.O_RDONLY); os.set_inheritable(held, True); fcntl.flock(held, fcntl.LOCK_EX); os.execvp(sys.argv[1], sys.argv[1:])'

run: setup
	@$(PY) manage.py up --tethered

setup:
	@$(ALONE) $(MAKE) --no-print-directory .venv/.stamp-local node_modules/.stamp $(WORDS)

setup-dev:
	@$(ALONE) $(MAKE) --no-print-directory .venv/.stamp-dev node_modules/.stamp-dev $(WORDS)

.venv/.stamp-venv:
	@$(WRITABLE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=/path/to/python3.11.")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module (on Debian: apt install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.stamp-local: .venv/.stamp-venv requirements/local.txt
	@$(WRITABLE)
	@echo "installing Python packages"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/local.txt || { echo "$(UNREACHED)" >&2; exit 1; }
	@touch $@

.venv/.stamp-dev: .venv/.stamp-local requirements/dev.txt
	@$(WRITABLE)
	@echo "installing what tests and checks need"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt || { echo "$(UNREACHED)" >&2; exit 1; }
	@touch $@

node_modules/.stamp: .venv/.stamp-local package.json package-lock.json
	@$(WRITABLE)
	@echo "installing what the pages use"
	@$(NPM_CI) --omit=dev || { echo "$(UNREACHED_NPM)" >&2; exit 1; }
	@touch $@

# What tests check pages with comes with what the pages use, so that this does for both. npm begins
# with an empty folder: whichever of the two is installed last leaves no other stamp behind.
node_modules/.stamp-dev: .venv/.stamp-local package.json package-lock.json
	@$(WRITABLE)
	@echo "installing what the pages use and what checks them"
	@$(NPM_CI) || { echo "$(UNREACHED_NPM)" >&2; exit 1; }
	@touch node_modules/.stamp $@

%.mo: %.po .venv/.stamp-local helpdesk/translations.py
	@$(WRITABLE)
	@$(PY) -m helpdesk.translations

test: setup-dev
	$(PY) -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

soak: setup-dev
	$(PY) -m pytest -n 0 -m soak $(TESTS)

lint: setup-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djlint --quiet --check templates
	.venv/bin/djlint --quiet --lint templates
	.venv/bin/mypy .
	.venv/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run

format: setup-dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/djlint --quiet --reformat templates

# The two smaller sets are constrained by the largest, so that all three agree.
UV := .venv/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock"
lock: .venv/.stamp-venv
	@test -x .venv/bin/uv || $(PY) -m pip install --quiet uv
	$(UV) --extra local --extra dev -o requirements/dev.txt
	$(UV) --extra local -c requirements/dev.txt -o requirements/local.txt
	$(UV) -c requirements/dev.txt -o requirements/base.txt
	.venv/bin/npm install --package-lock-only --silent

messages: setup-dev
	@command -v xgettext >/dev/null || { echo "Collecting messages needs gettext (on Debian: apt install gettext)." >&2; exit 1; }
	$(PY) manage.py makemessages --locale de --no-wrap --no-location --no-obsolete \
		--ignore .venv --ignore node_modules --ignore static_collected --ignore tests --ignore var

screenshots: setup-dev
	@$(PY) manage.py screenshots

bench: setup-dev
	@$(PY) -m bench --sizes $(SIZES) --out $(FIGURES)

bench-compare: setup-dev
	@test -n "$(BASE)" || { echo "Name the figures to compare with: make bench-compare BASE=file" >&2; exit 1; }
	@$(PY) -m bench.compare $(BASE) $(FIGURES)

clean:
	rm -rf .venv node_modules static_collected $(WORDS)
