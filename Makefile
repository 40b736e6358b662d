# What a person or a CI job runs. Every target first makes sure that .venv holds what requirements/dev.txt locks.

PYTHON := .venv/bin/python
UV := .dev/uv/bin/uv
LOCK := $(UV) pip compile -q --universal --no-emit-index-url --generate-hashes
# A Python that is too old, or that .python-version asks for in vain, is replaced by one that uv finds or fetches.
SUPPORTED := import sys; print(sys.executable if (3, 12) <= sys.version_info < (3, 15) else 3.13)
BASE_PYTHON = $(shell python3 -c '$(SUPPORTED)' 2>/dev/null || echo 3.13)
MAKEFLAGS += --no-print-directory

.PHONY: help install demo partner test live bench crash fuzz mutants lint browser lock messages

help:
	@echo 'make demo      the whole product on this machine; ONCE=1 walks the main job, compares, and stops'
	@echo 'make partner   the reference partner calls the running demo; AUTO=1 asks nobody'
	@echo 'make test      all tests, the browser journey included'
	@echo 'make lint      style, types, migrations, the order of the apps'
	@echo 'make live      the main job with a real Vendure shop (needs Node)'
	@echo 'make bench     the figures of the README, measured here'
	@echo 'make crash     orders while everything is killed; SIZE=10000 SEED=1 KILLS=24, the books at the end;'
	@echo '               ONLY=deliveries: events to endpoints that fail'
	@echo 'make fuzz      the API called with what nobody would write by hand'
	@echo 'make mutants   each guard removed once, to see a test go red'
	@echo 'make lock      new requirements/*.txt from requirements/*.in'
	@echo 'make messages  new texts into config/locale, and compiled'

install: .venv/installed
	@:

$(UV): requirements/uv.txt
	@echo 'Fetching uv …' >&2
	@checkout=$$PWD && cd / && PIP_ROOT_USER_ACTION=ignore python3 -m pip install -q --upgrade --target $$checkout/.dev/uv \
		--require-hashes -r $$checkout/requirements/uv.txt >&2
	@touch $@

.venv/installed: $(UV) requirements/base.txt requirements/dev.txt
	@echo 'Installing into .venv …' >&2
	@test -x $(PYTHON) || $(UV) venv -q --clear --python '$(BASE_PYTHON)' .venv
	@$(UV) pip install -q --python $(PYTHON) --compile-bytecode --require-hashes -r requirements/dev.txt
	@pwd > "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/crossdock.pth"
	@touch $@

demo: install
	@exec $(PYTHON) -m config.local.$(if $(filter-out 0,$(ONCE)),once,demo)

browser: install
	@$(PYTHON) -m config.local.browser

partner: install
	@$(PYTHON) docs/partner $(if $(filter-out 0,$(AUTO)),--auto) $(if $(filter-out 0,$(KEEP)),--keep)

test: browser
	@$(PYTHON) -m pytest -q -n auto --dist loadfile

live: browser
	@$(PYTHON) -m tests.live

bench: install
	@$(PYTHON) -m tests.bench

crash: install
	@$(PYTHON) -m tests.crash

fuzz: install
	@$(PYTHON) -m tests.fuzz

mutants: install
	@$(PYTHON) -m tests.mutants

lint: install
	@.venv/bin/ruff check -q .
	@.venv/bin/ruff format -q --check .
	@$(PYTHON) -m config.local.testing sh -c '.venv/bin/mypy && $(PYTHON) manage.py makemigrations --check --dry-run'
	@$(PYTHON) -m pytest -q tests/test_layers.py

lock: $(UV)
	@$(LOCK) --fork-strategy fewest --python-version 3.12 requirements/base.in -o requirements/base.txt
	@$(LOCK) --fork-strategy fewest --python-version 3.12 requirements/dev.in -o requirements/dev.txt
	@$(LOCK) --python-version 3.12 requirements/peer-django-webhook.in -o requirements/peer-django-webhook.txt
	@$(LOCK) --python-version 3.8 requirements/uv.in -o requirements/uv.txt

messages: install
	@$(PYTHON) -m config.local.testing $(PYTHON) manage.py makemessages --all --no-obsolete --add-location file --ignore '.*' --ignore 'apps/sandbox/*'
	@$(PYTHON) -m config.local.testing $(PYTHON) manage.py compilemessages --ignore '.*'
