# Each verb makes its own environment in .env from the constraints file; only Python 3.11 and make
# are needed. PYTHON=... chooses another interpreter.
PYTHON ?= python3.11
ENV := .env
BIN := $(ENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test check slow evidence bench docs clean
.DEFAULT_GOAL := demo

# torch first and by its exact version, so that nothing pulls in another build.
$(ENV)/user: pyproject.toml constraints.txt
	@echo "Installing torch and the rest of what samoyed needs into $(ENV): once, some minutes ..."
	test -x $(BIN)/python || $(PYTHON) -m venv $(ENV)
	$(PIP) install --quiet -c constraints.txt torch==$$(sed -n 's/^torch==//p' constraints.txt)
	$(PIP) install --quiet -c constraints.txt -e '.[all]'
	touch $@

$(ENV)/developer: $(ENV)/user
	@echo "Installing what the tests and checks need into $(ENV): once, a minute or more ..."
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	touch $@

demo: $(ENV)/user  ## learn scikit-learn's handwritten digits and write a report
	@echo "Learning handwritten digits for about 20 seconds, then scoring and the report ..."
	$(BIN)/samoyed train digits --minutes 0.3 --out runs/demo

test: $(ENV)/developer  ## the default tests
	@echo "Running the default tests on two processes: this takes some minutes ..."
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

check: $(ENV)/developer  ## format, lint, types, import direction
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

slow: $(ENV)/developer  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

evidence: $(ENV)/user  ## train what the papers claim and write evidence/ (DATA=folder with mnist/ ...)
	$(BIN)/samoyed verify --claims --data $(DATA)

bench: $(ENV)/user  ## speed beside peers (DATA=folder with mnist/)
	$(BIN)/python -m benchmarks $(if $(DATA),--data $(DATA))

docs: $(ENV)/user  ## write docs/systems/ from the system files and the evidence
	$(BIN)/python -m tools.write_docs

clean:
	rm -rf $(ENV) runs
