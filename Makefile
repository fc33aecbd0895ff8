# The commands of this project; each is one line of `make help`.
.PHONY: help up down test fmt tools build
.DEFAULT_GOAL := help

help: ## what can be done here
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 12

up: build ## build, and start beside a managed PostgreSQL with a simulated business clock
	@target/release/bss up --simulated-clock $(ARGS)

down: ## stop what `make up` started; the data stays
	@target/release/bss down $(ARGS)

test: ## every check; the first failing one shows its output
	@scripts/test.sh

fmt: ## format the code
	@cargo fmt --all

tools: ## get the pinned programs into .tools/venv
	@scripts/tools.sh

.tools/venv: scripts/requirements.txt
	@scripts/tools.sh

build: tools ## build the console and the binary, in release
	@scripts/build-console.sh
	@cargo build --release --locked -p bss
