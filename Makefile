# Two commands: `make run` and `make test`. Both make the environment in .venv/ first.
# Variables for run: PORT=8000 DICOM_PORT=11112 DATA_DIR=var DEMO=0 DEMO_PASSWORD=… HOST=127.0.0.1
# Variables for both: PYTHON=python3.12  TORCH_INDEX_URL=https://… (PyTorch's CPU build, smaller)

# the first of these that is 3.11 to 3.13; `make run` says so clearly if none is
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& { echo $$p; exit; }; done; echo python3)
VENV ?= .venv
export VENV
.DEFAULT_GOAL := help
.PHONY: help run test bench bench-long lock

help:
	@echo 'make run     start everything here (PORT, DATA_DIR, DEMO=0; Ctrl-C ends it)'
	@echo 'make test    every check'
	@echo 'make bench   benchmarks (minutes); make bench-long (hours)'
	@echo 'make lock    write requirements*.txt from what .venv holds'

run:
	@exec $(PYTHON) -m scripts.run

test:
	@exec $(PYTHON) -m scripts.test

bench bench-long:
	@$(PYTHON) -m scripts.test --only-environment
	@exec $(VENV)/bin/python -m benchmarks.run $(if $(filter bench-long,$@),--long)

lock:
	@exec $(VENV)/bin/python -m scripts.lock
