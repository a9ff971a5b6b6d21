# Two commands: `make learn` opens the lessons, `make test` proves the code. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: learn test lint readme clean

learn: $(VENV)/learn.done
	$(BIN)/groundup lab

test: $(VENV)/test.done lint
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

readme: $(VENV)/learn.done  ## the map of lessons in README.md, from the records
	$(BIN)/python -m groundup.contents

$(VENV)/python.done:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "groundup needs Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=python3.12 learn" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/learn.done: $(VENV)/python.done pyproject.toml constraints.txt
	@echo "Setting up: NumPy, PyTorch, JupyterLab (a minute or two, once)"
	$(PIP) -e '.[torch,images,lab]'
	@touch $@

$(VENV)/test.done: $(VENV)/learn.done
	$(PIP) mypy pytest pytest-xdist ruff
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
