# make run    builds what is missing and starts the gateway on URLS with its data in DATA
# make test   installs what the tests need and runs all of them; last line: "N passed, N failed"
# make storm  three gateways and Redis, stopped at random under load for DURATION seconds; last line: what came of it
# make chaos  every fault of the fault table on real gateways, in full (SCALE=1: a tenth); last line: what came of them
# make fresh  COUNT new tokens (10000), each used at once where it was not made; last line: how many were refused
# make simulate  SEEDS lives (100000) of the journal on a disk that fails, and a twentieth of that of the shipper beside
#             a store that does, from seed START on; last line: what came of them
# make fuzz   COUNT mutated bodies (1000000), half at the parser, half at a real gateway; SEED= makes a run again
# make slow   SLOW idle and slow connections (10000) beside others at half speed; last line: what they cost the others
# make soak   MINUTES (60) at half of the saturating load; last line: memory, handles, threads, and what was stored
# make load   all load scenarios at two gateways on servers of their own: around RATE requests a second for SECONDS,
#             COUNT tokens checked by layer, traffic of PROJECTS (1000); the plots go to REPORT.
#             With URL and TOKEN: capture only, at a gateway that runs already
# make fence-cost  what a fence in Redis or in the database costs: ROUNDS of SECONDS each; last lines: the ratios
# make compare  this gateway beside bare Kestrel, a plain ASP.NET gateway and nginx with Lua, on the same bodies:
#             ROUNDS of SECONDS each; last lines: the ratios, each with its target
# make neighbour  what a project feels of another's flood: ROUNDS of SECONDS each; last lines: the ratios of its p99
# make limits  throughput beside the engine's alone, allocation, memory, cost as it grows, and start-up, with what each
#             should be (ONLY=pipeline, allocation, memory, growth or recovery: one of them); 13 minutes by default
# make screenshots  a picture of each page of the console, light and dark, wide and narrow, into SHOTS
# make bench  microbenchmarks of the hot path, their tables into bench/RESULTS.md (FILTER='*Token*' for some)
SHELL := bash
.DELETE_ON_ERROR:
.PHONY: run build test simulate storm chaos fresh fuzz slow soak load fence-cost compare neighbour limits load-tests \
        load-tools peers peer-tools test-tools screenshots bench clean

URLS     ?= http://127.0.0.1:8000
DATA     ?= ./data
DURATION ?= 600
FILTER   ?= *
COUNT    ?= 500
RATE     ?= 1000
SECONDS  ?= 5
ROUNDS   ?= 5
SEEDS    ?= 100000
START    ?= 0
SLOW     ?= 10000
MINUTES  ?= 60
PROJECTS ?= 1000
SHOTS    ?= artifacts/screenshots
REPORT   ?= artifacts/load/report.html
SCALE    ?= 10

export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1

NPM_CI = npm ci --no-audit --no-fund --loglevel=error
ENGINE_MODULES = src/Gateway.Engine/node_modules/.package-lock.json
LOAD_TESTS     = dotnet artifacts/bin/Gateway.LoadTests/release/Gateway.LoadTests.dll
STATIC_MODULES = src/Gateway/node_modules/.package-lock.json
CONSOLE        = src/Gateway.Console/dist/index.html
CONSOLE_MODULES = src/Gateway.Console/node_modules/.package-lock.json
CONSOLE_SOURCES := $(shell find src/Gateway.Console -type f -not -path '*/node_modules/*' -not -path '*/dist/*')
SDK_MODULES    = tests/sdks/node_modules/.package-lock.json

run: build
	@exec dotnet artifacts/bin/Gateway/release/Gateway.dll --urls "$(URLS)" --Gateway:Data="$(DATA)"

build: $(ENGINE_MODULES) $(STATIC_MODULES) $(CONSOLE)
	@echo "Building the gateway (the first time takes about a minute) ..."
	@dotnet build src/Gateway.Engine/Gateway.Engine.csproj -c Release --nologo -v quiet
	@dotnet build src/Gateway/Gateway.csproj -c Release --nologo -v quiet

$(ENGINE_MODULES): src/Gateway.Engine/package-lock.json
	@echo "Fetching the ClickHouse engine (180 MB, once) ..."
	@cd src/Gateway.Engine && $(NPM_CI)
	@touch $@

$(STATIC_MODULES): src/Gateway/package-lock.json
	@echo "Fetching posthog-js for /static ..."
	@cd src/Gateway && $(NPM_CI)
	@touch $@

$(CONSOLE_MODULES): src/Gateway.Console/package-lock.json
	@echo "Fetching what the console is built with ..."
	@cd src/Gateway.Console && $(NPM_CI)
	@touch $@

$(CONSOLE): $(CONSOLE_MODULES) $(CONSOLE_SOURCES)
	@echo "Building the console ..."
	@cd src/Gateway.Console && npm run --silent build
	@touch $@

$(SDK_MODULES): tests/sdks/package-lock.json
	@echo "Fetching the SDKs that the tests run ..."
	@cd tests/sdks && $(NPM_CI)
	@touch $@

test: $(ENGINE_MODULES) $(STATIC_MODULES) $(CONSOLE) $(SDK_MODULES) test-tools
	@tests/run.sh

simulate:
	@tests/simulate.sh $(SEEDS) $(START)

storm: $(ENGINE_MODULES) $(STATIC_MODULES) $(CONSOLE) test-tools
	@tests/storm.sh $(DURATION)

chaos: $(ENGINE_MODULES) $(STATIC_MODULES) $(CONSOLE) test-tools
	@tests/chaos.sh $(SCALE)

fresh: COUNT = 10000
fresh: $(ENGINE_MODULES) $(STATIC_MODULES) $(CONSOLE) test-tools
	@tests/fresh.sh $(COUNT)

fuzz: COUNT = 1000000
fuzz: $(ENGINE_MODULES) $(STATIC_MODULES) $(CONSOLE)
	@tests/fuzz.sh $(COUNT) $(SEED)

slow: SECONDS = 20
slow: build load-tests
	@exec $(LOAD_TESTS) slow $(SLOW) $(ROUNDS) $(SECONDS)

soak: build load-tests
	@exec $(LOAD_TESTS) soak $(MINUTES)

# Real servers and tools that the tests start themselves; Debian has them all.
test-tools:
	@tests/install-tools.sh

load: COUNT = 1000
load: SECONDS = 3
load: $(if $(URL),load-tests,build load-tests load-tools)
	@exec $(LOAD_TESTS) $(if $(URL),"$(URL)" "$(TOKEN)",load $(COUNT) $(PROJECTS)) $(RATE) $(SECONDS) "$(REPORT)"

fence-cost: build load-tests load-tools
	@exec $(LOAD_TESTS) fence-cost $(ROUNDS) $(SECONDS)

compare: build load-tests peers peer-tools
	@exec $(LOAD_TESTS) compare $(ROUNDS) $(SECONDS)

neighbour: build load-tests load-tools
	@exec $(LOAD_TESTS) neighbour $(ROUNDS) $(SECONDS)

limits: SECONDS = 30
limits: ROUNDS = 2
limits: build load-tests load-tools
	@exec $(LOAD_TESTS) limits $(or $(ONLY),all) $(SECONDS) $(ROUNDS)

screenshots: $(ENGINE_MODULES) $(STATIC_MODULES) $(CONSOLE) test-tools
	@tests/screenshots.sh "$(SHOTS)"

load-tools:
	@tests/install-tools.sh redis-server postgresql wrk

peer-tools:
	@tests/install-tools.sh redis-server wrk nginx libnginx-mod-http-lua lua-cjson lua-nginx-redis

peers:
	@dotnet build loadtests/peers/Kestrel/Gateway.Peers.Kestrel.csproj -c Release --nologo -v quiet
	@dotnet build loadtests/peers/Plain/Gateway.Peers.Plain.csproj -c Release --nologo -v quiet

load-tests:
	@dotnet build loadtests/Gateway.LoadTests.csproj -c Release --nologo -v quiet

bench: $(ENGINE_MODULES) $(STATIC_MODULES) $(CONSOLE)
	dotnet run --project bench -c Release -- --filter '$(FILTER)'

clean:
	rm -rf artifacts
