# The one command runner: what a person types is what CI runs. Every target sets up what it needs in the tree
# (.venv, .cache, target); only the language toolchains must be there first.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
export PYTHON
export CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_NET_RETRY ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_CACHE_DIR := $(CURDIR)/.cache/pyright
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export PYO3_PYTHON := $(BIN)/python
export CASES

# Native modules are compiled for a target by its name, as napi's tool always does it, and their crates are asked for the same
# features (natives/Cargo.toml): what the languages share is compiled once.
HOST = $(shell rustc --print host-tuple)

BINDING := bindings-python
NODE := bindings-node
JAVA := bindings-java
BIOME := $(NODE)/node_modules/.bin/biome
TS_PAGES := .cache/pages-ts
JAVA_PAGES := .cache/pages-java
DEMO := examples/order-processing/python
DEMO_NODE := examples/order-processing/node
DEMO_JVM := examples/order-processing
CODECS_NODE := examples/codecs/node
CODECS_JAVA := examples/codecs/java
NODE_MODULES := $(patsubst %,%/node_modules/.package-lock.json,$(NODE) $(DEMO_NODE) $(CODECS_NODE) docs/node)
CODECS := examples/codecs/python
LINTED := $(BINDING) scripts examples benches conformance docs
# Extension modules cannot be linked into a test binary, so their crates are checked here and tested from their languages.
# What the generator of Java's interface depends on takes two minutes to compile, and once more for clippy and for the
# documentation, which need it in other forms: it is linted while it is built, in `check-java`.
GENERATOR_APART := --exclude everstep-java-bindgen
RUST_TESTED := --workspace $(GENERATOR_APART) --exclude everstep-python --exclude everstep-node --exclude everstep-java --all-features --locked

# Of a JDK that is looked for when a target needs it.
MAVEN = JAVA_HOME=$$($(CURDIR)/scripts/jdk) mvn --batch-mode --no-transfer-progress -Dmaven.wagon.http.retryHandler.count=3

# All runners say of what passes how much it was, and no names: see CONTRIBUTING.md.
NODE_TEST := node --test --test-reporter=$(CURDIR)/$(NODE)/test/reporter.mjs

# What tests print goes into files; what passed is counted.
MVN_TEST = $(MAVEN) --quiet test -Dmaven.test.redirectTestOutputToFile=true
JAVA_PASSED = awk -F '[:,]' '/^Tests run:/ { tests += $$2; skipped += $$8 } END { printf "java: %d tests, %d passed, %d skipped\n", tests, tests - skipped, skipped }' \
	$(JAVA)/target/surefire-reports/*.txt

# Outside the tree, since it takes minutes and changes seldom.
DAPR = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/everstep/dapr-$(shell cat conformance/dapr/go.sum conformance/dapr/*/main.go | sha256sum | cut -c1-16)

BESIDE = $(BIN)/python $(CURDIR)/conformance/dapr/cluster.py --binaries $(DAPR)
# What Python runs on Dapr again, after Rust has run all: cases that leave nothing behind. Instances that do not end are taken
# away by a purge with force, which no client of ours sends, or make Dapr hang, and all that follow would wait.
DAPR_CASES = (activity_ or event_ or custom_status or continue_as_new) and not (unknown or map_ or patch_ or version_ or send_ or after_ or rerun_ or watch_)
DAPR_PYTEST = cd $(BINDING) && EVERSTEP_DAPR=$(DAPR) $(BIN)/python -m pytest -c pyproject.toml
DAPR_TESTS = $(DAPR_PYTEST) ../conformance/dapr/tests

# --- what a person asks for --------------------------------------------------------------------------------------

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: native ## Process a few thousand orders through a kill -9, then prove that nothing was lost (ORDERS=n)
	@$(BIN)/python $(DEMO)/demo.py $(if $(ORDERS),--orders $(ORDERS))

.PHONY: demo-node
demo-node: native-node $(NODE_MODULES) ## The same in TypeScript (ORDERS=n)
	@cd $(DEMO_NODE) && npx tsc && node dist/demo.js $(if $(ORDERS),--orders $(ORDERS))

.PHONY: demo-java
demo-java: demo-java-jar ## The same in Java (ORDERS=n)
	@cd $(DEMO_JVM)/java && $$($(CURDIR)/scripts/jdk)/bin/java -jar target/order-processing.jar $(if $(ORDERS),--orders $(ORDERS))

.PHONY: demo-kotlin
demo-kotlin: java-package ## The same in Kotlin (ORDERS=n)
	@cd $(DEMO_JVM) && $(MAVEN) --quiet package -DskipTests -Dnative.platform=$$(cat $(CARGO_TARGET_DIR)/java-platform)
	@cd $(DEMO_JVM)/kotlin && $$($(CURDIR)/scripts/jdk)/bin/java -jar target/order-processing.jar $(if $(ORDERS),--orders $(ORDERS))

.PHONY: demo-dapr
demo-dapr: dapr native ## The same program on a real Dapr with Redis: it and its sidecar are killed together (ORDERS=n)
	@$(BESIDE) --store redis --revive -- $(BIN)/python $(DEMO)/demo.py --orders $(or $(ORDERS),500)
	@$(BESIDE) --store redis -- $(BIN)/python $(DEMO)/management.py

.PHONY: demo-dapr-java
demo-dapr-java: dapr demo-java-jar ## The Java program of the orders on a real Dapr, killed in the same way (ORDERS=n)
	@cd $(DEMO_JVM)/java && $(BESIDE) --store redis --revive -- $$($(CURDIR)/scripts/jdk)/bin/java -jar target/order-processing.jar --orders $(or $(ORDERS),500)

.PHONY: test
test: test-core test-python test-node test-java ## Run all tests: the core, then each language (test-core, test-python, …: one side)

.PHONY: test-core
test-core: crates $(VENV)/tools ## Run the core's tests: machine, replay, stores, simulation, crash, conformance
	cargo test --quiet $(RUST_TESTED)

.PHONY: test-python
test-python: native ## Run the Python tests: conformance, language particulars, the demo in small, every page
	cd $(BINDING) && $(BIN)/python -m pytest -c pyproject.toml tests ../examples ../docs $(PYTEST_ARGS)

.PHONY: test-node
test-node: native-node $(NODE_MODULES) $(VENV)/tools ## Run the Node tests: conformance, language particulars, types, the packed package (CASES=prefix)
	cd $(NODE) && npx tsc -p test/tsconfig.json && $(NODE_TEST) $(if $(CASES),test/dist/conformance.test.js,test/dist/*.test.js)
	$(if $(CASES),,cd $(DEMO_NODE) && npx tsc && $(NODE_TEST) dist/demo.test.js)
	$(if $(CASES),,cd $(CODECS_NODE) && npx tsc && $(NODE_TEST) dist/codecs.test.js)
	$(if $(CASES),,PAGES=ts $(BIN)/python -m pytest -c $(BINDING)/pyproject.toml --rootdir docs docs/test_pages.py docs/test_runner.py)

.PHONY: test-java
test-java: native-java ## Run the Java tests: conformance, language particulars, the demo in small, every page (CASES=prefix, JAVA_TEST=Class#method)
	$(if $(CASES)$(JAVA_TEST),,cargo test --locked --quiet --package everstep-java-bindgen)
	@rm -rf $(JAVA)/target/surefire-reports
	cd $(JAVA) && $(MVN_TEST) $(if $(JAVA_TEST),-Dtest='$(JAVA_TEST)')
	@$(JAVA_PASSED)
	$(if $(CASES)$(JAVA_TEST),,@$(MAKE) --no-print-directory test-demo-java test-pages-java)

.PHONY: test-pages-java
test-pages-java: native-java $(VENV)/tools
	@cd $(JAVA) && $(MAVEN) --quiet compile dependency:build-classpath -Dmdep.outputFile=target/classpath
	PAGES=java $(BIN)/python -m pytest -c $(BINDING)/pyproject.toml --rootdir docs docs/test_pages.py docs/test_runner.py

.PHONY: demo-java-jar
demo-java-jar: java-package
	@cd $(DEMO_JVM) && $(MAVEN) --quiet package -DskipTests -Dnative.platform=$$(cat $(CARGO_TARGET_DIR)/java-platform) --projects java

# The demo in small, in Java and in Kotlin, and the codecs.
.PHONY: test-demo-java
test-demo-java: java-package
	cd $(DEMO_JVM) && $(MAVEN) --quiet package -Dnative.platform=$$(cat $(CARGO_TARGET_DIR)/java-platform)
	cd $(DEMO_JVM)/kotlin && $$($(CURDIR)/scripts/jdk)/bin/java -jar target/order-processing.jar --orders 100 --approval-seconds 20 --folder target/run
	cd $(CODECS_JAVA) && $(MAVEN) --quiet test -Dnative.platform=$$(cat $(CARGO_TARGET_DIR)/java-platform)

# Its npm package holds the program itself, for several processors; nothing of it is committed or packed.
BUN := $(CURDIR)/.cache/bun/node_modules/.bin/bun

.PHONY: test-bun
test-bun: native-node $(NODE_MODULES) $(BUN) ## Run the packed package, and how its processes end, under Bun
	cd $(NODE) && npx tsc -p test/tsconfig.json && RUNTIME=$(BUN) $(NODE_TEST) test/dist/package.test.js test/dist/process.test.js

$(BUN):
	@scripts/retry "Bun from npm" npm install --silent --no-audit --no-fund --prefix .cache/bun bun@1.3.3

.PHONY: test-dapr
test-dapr: dapr native native-node native-java ## Run what needs a real Dapr: every case over gRPC and HTTP, faults with Redis, the main ones in memory
	$(BESIDE) --store redis --sidecars 4 -- cargo test --quiet $(RUST_TESTED) --test conformance -- --place dapr_grpc --place dapr_http
	cd $(BINDING) && $(BESIDE) -- $(BIN)/python -m pytest -c pyproject.toml tests/test_conformance.py --place dapr_grpc -k "$(DAPR_CASES)"
	cd $(NODE) && npx tsc -p test/tsconfig.json && PLACES=dapr_grpc,dapr_http $(BESIDE) --store redis --sidecars 4 -- $(NODE_TEST) test/dist/conformance.test.js
	cd $(NODE) && $(BESIDE) --store redis --sidecars 5 --revive -- $(NODE_TEST) test/dist/dapr/faults.test.js
	@rm -rf $(JAVA)/target/surefire-reports
	cd $(JAVA) && $(BESIDE) --store redis --sidecars 4 -- env $(MVN_TEST) -Dtest=ConformanceOnDapr
	cd $(JAVA) && $(BESIDE) --store redis --sidecars 5 --revive -- env $(MVN_TEST) -Dtest=FaultsOnDapr
	@grep -h '^again, ' $(JAVA)/target/surefire-reports/*-output.txt || true
	@$(JAVA_PASSED)
	$(DAPR_TESTS) --store redis $(PYTEST_ARGS)
	$(DAPR_TESTS) --store in-memory -m main $(PYTEST_ARGS)

.PHONY: interop
interop: dapr native native-node native-java ## Cross everstep with Dapr's own SDKs of Python, JavaScript and Java, on a real Dapr
	@conformance/dapr/crossing/prepare
	@cd $(JAVA) && $(MAVEN) --quiet compile
	$(DAPR_PYTEST) ../conformance/dapr/crossing --store in-memory $(PYTEST_ARGS)

.PHONY: check
check: check-rust check-python check-node check-java ## Check format, lints, docs, dependencies, types and versions

.PHONY: bench
bench: native wheel node-package bench-java bench-tools ## Measure against the floor and the bars (about half an hour on a quiet machine)
	cargo build --release --locked --package everstep-benches
	@EVERSTEP_DAPR=$(DAPR) $(BIN)/python benches/bench.py

.PHONY: bench-quick
bench-quick: native wheel node-package bench-java ## Measure the main figures once, in about four minutes
	cargo build --release --locked --package everstep-benches
	$(BIN)/python benches/bench.py --quick

.PHONY: bench-dapr
bench-dapr: dapr native wheel ## Measure beside Dapr's own Python SDK, on a real Dapr (about 8 minutes on a quiet machine)
	@conformance/dapr/crossing/prepare python-1.19
	@command -v wrk >/dev/null || scripts/retry "wrk from Debian" apt-get install --yes --quiet wrk
	@EVERSTEP_DAPR=$(DAPR) $(BIN)/python benches/dapr/bench.py

.PHONY: docs
docs: native native-node native-java $(NODE_MODULES) ## Write the references of all languages into dist/docs
	$(BIN)/python docs/reference.py dist/docs
	cd docs/node && npx typedoc --out ../../dist/docs/node
	cd $(JAVA) && $(MAVEN) --quiet dependency:build-classpath -Dmdep.outputFile=target/classpath
	JAVA_HOME=$$(scripts/jdk) $(JAVA)/scripts/reference dist/docs/java

.PHONY: wheel
wheel: crates $(VENV)/tools ## Build the wheel into dist/
	rm -rf dist/*.whl
	$(BIN)/maturin build --release --locked --quiet --target $(HOST) --manifest-path $(BINDING)/Cargo.toml --out dist

.PHONY: sdist
sdist: crates $(VENV)/tools ## Pack the sources that a wheel is built from into dist/
	mkdir -p dist && rm -f dist/*.tar.gz
	$(BIN)/maturin sdist --manifest-path $(BINDING)/Cargo.toml --out dist

.PHONY: dapr
dapr: $(DAPR)/daprd ## Build a real Dapr from its Go module, and install Redis (about 5 minutes the first time)
	@command -v redis-server >/dev/null || scripts/retry "Redis from Debian" apt-get install --yes --quiet redis-server
	@$(PYTHON) conformance/dapr/cluster.py --store redis --binaries $(DAPR) -- true
	@echo "$(DAPR)"

.PHONY: ready
ready: check test wheel-smoke sdist-smoke java-smoke ## Run everything that must be green before a change lands

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf .venv .cache dist target $(NODE)/dist $(NODE)/native $(NODE)/npm $(NODE)/node_modules $(NODE)/test/dist $(foreach example,$(DEMO_NODE) $(CODECS_NODE),$(example)/node_modules $(example)/dist) docs/node/node_modules $(JAVA)/target $(DEMO_JVM)/java/target $(DEMO_JVM)/kotlin/target $(CODECS_JAVA)/target

# --- the parts ---------------------------------------------------------------------------------------------------

.PHONY: check-rust
check-rust: crates $(VENV)/tools
	cargo fmt --all --check
	cargo clippy --workspace $(GENERATOR_APART) --all-targets --all-features --locked --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace $(GENERATOR_APART) --no-deps --all-features --locked --quiet
	$(BIN)/python scripts/deny.py
	$(BIN)/python scripts/consistency.py

.PHONY: check-python
check-python: native $(VENV)/checkers
	$(BIN)/ruff format --check --quiet $(LINTED)
	$(BIN)/ruff check --quiet $(LINTED)
	cd $(BINDING) && $(BIN)/mypy --strict python/everstep
	cd $(DEMO) && $(BIN)/mypy --strict .
	cd $(CODECS) && $(BIN)/mypy --strict .
	$(BIN)/mypy --strict scripts
	cd conformance/dapr && $(BIN)/mypy --strict cluster.py conftest.py tests
	cd docs && $(BIN)/mypy --strict .
	$(BIN)/python docs/pages.py python .cache/pages && $(BIN)/mypy --strict --allow-redefinition --python-version 3.10 .cache/pages/*.py
	cd $(BINDING) && $(BIN)/pyright
	cd $(BINDING) && $(BIN)/stubtest everstep._native
	cd $(BINDING) && $(BIN)/python tests/typing/prove.py

# What `tsc` says of the sources comes with the build. `npm run format`, in the package's folder, mends what can be mended.
.PHONY: check-node
check-node: native-node $(NODE_MODULES)
	cd $(NODE) && npm run --silent check
	$(PYTHON) docs/pages.py ts $(TS_PAGES) && $(NODE)/node_modules/.bin/tsc -p $(TS_PAGES)/pages.json --noEmit
	$(BIOME) lint --vcs-enabled=false --error-on-warnings --skip=correctness/noUnusedVariables --skip=suspicious/noExplicitAny $(TS_PAGES)/*.mts
	$(BIOME) check --vcs-enabled=false --linter-enabled=false --line-width=100 $(TS_PAGES)/blocks
	cd $(DEMO_NODE) && npx tsc --noEmit
	cd $(CODECS_NODE) && npx tsc --noEmit
	cd docs/node && npx typedoc --emit none

# Our sources, the programs of the documentation and the reference, warnings as errors.
.PHONY: check-java
check-java: native-java
	CLIPPY_ARGS=-Dwarnings RUSTC_WORKSPACE_WRAPPER=clippy-driver cargo build --locked --quiet --package everstep-java-bindgen
	cd $(JAVA) && $(MAVEN) --quiet test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath
	$(PYTHON) docs/pages.py java $(JAVA_PAGES)
	JAVA_HOME=$$(scripts/jdk) $(JAVA)/scripts/check $(CURDIR)/$(JAVA_PAGES)

# Installs the wheel into a fresh environment of every Python here, where no compiler and no package of the tree is in
# reach, and runs programs on it.
.PHONY: wheel-smoke
wheel-smoke: wheel
	$(BIN)/python scripts/package.py wheel

# Builds a wheel from the archive alone and runs the same programs on that.
.PHONY: sdist-smoke
sdist-smoke: sdist
	$(BIN)/python scripts/package.py sdist

# The extension module, built once per change of the sources and installed into .venv; the same build serves the
# checks, the tests, the demo and the benches.
.PHONY: native
native: crates $(VENV)/tools
	@cd $(BINDING) && $(BIN)/maturin develop --release --locked --quiet --target $(HOST)

# The native module and the JavaScript of the Node package.
.PHONY: native-node
native-node: crates $(NODE)/node_modules/.package-lock.json
	@cd $(NODE) && npm run --silent build

# Not `npm ci`: it insists on optional packages of other platforms, not all of which the registry has.
$(NODE_MODULES): %/node_modules/.package-lock.json: %/package-lock.json
	@scripts/toolchain node
	@cd $* && $(CURDIR)/scripts/retry "packages from npm" npm install --no-save
	@touch $@

# The native library and the Java of its interface.
.PHONY: native-java
native-java: crates
	@scripts/toolchain jdk
	@cargo build --locked --quiet --package everstep-java-bindgen & generator=$$!; built=0; \
		cargo build --release --locked --quiet --target $(HOST) --package everstep-java || built=$$?; wait $$generator && exit $$built
	@$(JAVA)/scripts/natives $(CARGO_TARGET_DIR)/$(HOST)/release/libeverstep_java.$(if $(filter Darwin,$(shell uname -s)),dylib,so) \
		$(CARGO_TARGET_DIR)/debug/everstep-java-bindgen >$(CARGO_TARGET_DIR)/java-platform

.PHONY: java-package
java-package: native-java ## Install the Java package and the native jar of this platform into the local Maven repository
	@rm -rf $(JAVA)/target/classes $(JAVA)/target/maven-status
	@cd $(JAVA) && $(MAVEN) --quiet install -DskipTests -Dnative.platform=$$(cat $(CARGO_TARGET_DIR)/java-platform)

# A project that knows nothing of this tree resolves the package, and a program runs on it in every way that there is.
.PHONY: java-smoke
java-smoke: java-package
	@JAVA_HOME=$$(scripts/jdk) $(JAVA)/scripts/smoke $$(cat $(CARGO_TARGET_DIR)/java-platform)

.PHONY: node-package
node-package: native-node ## Pack the Node package and the native package of this platform into dist/
	@node $(NODE)/scripts/pack.mjs dist

.PHONY: crates
crates:
	@scripts/toolchain rust python
	@scripts/retry "crates from crates.io" cargo fetch --locked

$(VENV)/python:
	@scripts/toolchain python
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/tools: scripts/requirements-dev.txt $(VENV)/python
	@scripts/retry "tools from PyPI" $(BIN)/python -m pip install --quiet -r $<
	@touch $@

# pyright's wheel fetches its program from npm at its first run.
$(VENV)/checkers: $(VENV)/tools
	@scripts/retry "pyright from npm" $(BIN)/pyright --version
	@touch $@

# The packed Java package and what it needs, where the benches look for them.
.PHONY: bench-java
bench-java: java-package
	@cd $(JAVA) && $(MAVEN) --quiet dependency:copy-dependencies -DincludeScope=compile -DoutputDirectory=$(CURDIR)/.cache/bench-java

.PHONY: bench-tools
bench-tools: $(VENV)/bench .cache/peers/node_modules/.package-lock.json
	@[ ! -e $(DAPR)/daprd ] || conformance/dapr/crossing/prepare javascript java

$(VENV)/bench: scripts/requirements-bench.txt $(VENV)/tools
	@scripts/retry "packages to compare with from PyPI" $(BIN)/python -m pip install --quiet -r $<
	@touch $@

.cache/peers/node_modules/.package-lock.json: benches/node/package-lock.json
	@mkdir -p .cache/peers && cp benches/node/package.json $< $(NODE)/.npmrc .cache/peers/
	@cd .cache/peers && ../../scripts/retry "packages to compare with from npm" npm ci --ignore-scripts
	@touch $@

$(DAPR)/daprd: conformance/dapr/go.sum $(wildcard conformance/dapr/*/main.go)
	@scripts/toolchain go
	@mkdir -p $(@D)
	@cd conformance/dapr && ../../scripts/retry "Go modules" go mod download && go build -trimpath -ldflags '-s -w' -o $(@D)/ ./placement ./scheduler ./daprd
	@touch $@
