.DEFAULT_GOAL := help
.SHELLFLAGS := -ec
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH
export UV_PYTHON_DOWNLOADS := never
# Pyright would look for a newer version of itself.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
UV := .tools/bin/uv
BIN := .venv/bin
.PHONY: help run stop test test-system test-faults test-cluster binaries check format golden manifests benchmark images images-test push base-digest setup lock clean

help: ## Show this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 22
run: setup data/flights ## Train and deploy on the flights of 2013; ends with the model's address
	@$(BIN)/millrace run training --params pipelines/parameters/flights.yaml
stop: ## Stop what `make run` left serving
	@if test -x $(BIN)/millrace; then $(BIN)/millrace stop; fi
test: setup ## Run every test that needs no cluster, container engine or system package
	@$(BIN)/python tools/run_tests.py
test-system: setup ## Run the tests that need a system package (Chromium)
	@tools/install_browser.sh && $(BIN)/python tools/run_tests.py --system
test-faults: setup ## Run the tests that kill whole trainings and go on with them
	@$(BIN)/python tools/run_tests.py --faults
test-cluster: binaries ## Run the tests that ask a real Kubernetes API server
	@$(BIN)/python tools/run_tests.py --cluster
binaries: setup ## Let Go build that API server and KServe's controller into ~/.cache/millrace, once
	@$(BIN)/python -m tests.cluster.binaries
check: setup ## Check lint, format, types, layers, golden files, and packages and manifests by our own rules
	@$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/pyright && $(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/millrace check --production --ignore image-tag tests/golden manifests
	@$(BIN)/python -m pytest tests/pipelines tests/manifests -k golden
format: setup ## Format the code, and mend what ruff can mend
	@$(BIN)/ruff check --fix; $(BIN)/ruff format
golden: setup ## Write the golden files anew; read the diff
	@$(BIN)/millrace compile --all --out tests/golden && $(BIN)/millrace compile --all --format kubernetes --out tests/golden/kubernetes
manifests: setup ## Render the pipelines into manifests/; production needs docker/images.lock
	@$(BIN)/python -m tools.render_manifests
benchmark: setup ## Measure against peers and floors; ONLY=name for one measure
	@$(BIN)/python -m benchmarks.run $(ONLY)
images: setup ## Build the images; ENGINE=podman|buildah|docker, IMAGES="names", BASE=debian without a registry
	@$(BIN)/python -m tools.images build
images-test: setup ## Run each door in its image, as a cluster that trusts nobody would
	@$(BIN)/python tools/run_tests.py --images
push: setup ## Push the images: REGISTRY=registry.example/team TAG=v1
	@$(BIN)/python -m tools.images push
base-digest: setup ## Pin the images' base by its registry's digest
	@$(BIN)/python -m tools.images base-digest
setup: .venv/.project .venv-validation/.synced ## Make the environments; PYTHON=path chooses for the first time
lock: .tools/.ready ## Write locks/ from pyproject.toml; UPGRADE=1 takes newer versions
	@tools/lock.sh $(UV) $(if $(UPGRADE),--upgrade)
clean: stop ## Remove environments and caches; keeps runs/ and data/
	rm -rf .tools .venv .venv-validation .peers dist .cache .pytest_cache .ruff_cache .hypothesis

data/flights: | setup
	@$(BIN)/millrace data flights --out $@
.tools/.ready: locks/uv.txt
	@for python in $(PYTHON) python3.11 python3 ""; do if "$$python" -c "" 2>/dev/null; then break; fi; done; \
	test "$$python" || { echo "preflight: no Python runs here — install Python 3.11 and its venv package" >&2; exit 2; }; \
	python=$$("$$python" tools/preflight.py $(PYTHON)); "$$python" -m venv --clear .tools
	@.tools/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@
.venv/.synced: .tools/.ready locks/local.txt
.venv-validation/.synced: .tools/.ready locks/validation.txt locks/kfp-executor.txt
.venv/.synced .venv-validation/.synced:
	@test -x $(@D)/bin/python || $(UV) venv -q --python .tools/bin/python $(@D)
	@$(UV) pip sync --require-hashes --compile-bytecode --python $(@D)/bin/python $(filter locks/%,$^)
	@touch $@
.venv/.project: .venv/.synced pyproject.toml
	@$(UV) pip install -q --no-deps --no-build-isolation --python .venv/bin/python --editable .
	@touch $@
