# The commands of this project; each is one line of `make help`.
.PHONY: help up down test bench bench-growth fmt tools build
.DEFAULT_GOAL := help

help: ## what can be done here
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

up: build ## build, start on a simulated business clock, and demonstrate where the database is new
	@target/release/bss up --simulated-clock $(ARGS)
	@target/release/bss demo --if-new $(ARGS)
	@target/release/bss up --simulated-clock $(ARGS)

down: ## stop what `make up` started; the data stays
	@target/release/bss down $(ARGS)

test: ## every check; the first failing one shows its output
	@scripts/test.sh

bench: build ## every figure of docs/BENCHMARKS.md but growth, measured anew beside its reference
	@target/release/bss bench --docs docs $(ARGS)

bench-growth: build ## time per event and record at 1, 10 and 30 million stored; goes on where it was interrupted
	@target/release/bss bench --only growth --docs docs $(ARGS)

fmt: ## format the code
	@cargo fmt --all

tools: ## get the pinned programs into .tools/venv
	@scripts/tools.sh

.tools/venv: scripts/requirements.txt
	@scripts/tools.sh

build: tools ## build the console and the binary, in release
	@scripts/build-console.sh
	@cargo build --release --locked -p bss
