# The same commands for PowerShell are in CONTRIBUTING.md.
PYTHON ?= python3
RUN := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup book lab test notebooks bench peers weights serve slides pdf room mutate clean

help: ## print this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

.venv/pyvenv.cfg:
	@$(PYTHON) -c "import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v < (3, 14) else f'This is Python {v[0]}.{v[1]}; 3.11 to 3.13 is needed: make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv .venv

.venv/book.done: requirements-book.lock | .venv/pyvenv.cfg
	$(RUN) -m pip install -r requirements-book.lock
	touch $@

.venv/all.done: requirements.lock requirements-book.lock pyproject.toml | .venv/pyvenv.cfg
	$(RUN) -m pip install -r requirements.lock
	$(RUN) -m pip install --no-deps --no-build-isolation -e .
	touch .venv/book.done $@

setup: .venv/all.done ## install everything into .venv

book: .venv/book.done ## build the site from the stored outputs (installs no torch)
	$(RUN) tools/build_book.py --all

lab: setup ## open JupyterLab at chapter one
	$(RUN) -m jupyterlab notebooks/1_foundations/01_noise_and_denoising.ipynb

test: setup ## run everything that CI runs
	$(RUN) tools/test.py

notebooks: setup ## execute all chapters again and store their outputs
	$(RUN) tools/notebooks.py

bench: setup ## measure quality and speed into results/
	$(RUN) -m benchmarks

.venv-peers/all.done: requirements-peers.lock requirements.lock requirements-book.lock
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install -r requirements-peers.lock
	touch $@

peers: .venv-peers/all.done ## compare with deepinv, in an environment of its own
	.venv-peers/bin/python -m benchmarks peers

weights: setup ## train every shipped model again
	$(RUN) tools/weights.py

serve: book ## serve the site at http://localhost:8000
	$(RUN) -m http.server 8000 --bind localhost --directory _build/html

.venv/print.done: .venv/book.done requirements.lock
	$(RUN) -m pip install -c requirements.lock playwright pypdf
	touch $@

slides: book .venv/print.done ## make slides of every chapter, HTML and PDF, in _build/slides
	$(RUN) tools/slides.py

pdf: book .venv/print.done ## print the whole book to _build/pdf/medtut.pdf (needs Chromium, no LaTeX)
	$(RUN) tools/book_pdf.py

room: book ## fill _build/room for a room without a network: wheels, course, site
	$(RUN) tools/room.py _build/room

mutate: setup ## plant small errors; the tests must find each
	$(RUN) tests/mutants/run.py

clean: ## remove what was built, keep .venv, .venv-peers and training state
	rm -rf _build build book/api book/teach/chapters book/_static/mathjax *.egg-info .pytest_cache .ruff_cache .hypothesis
