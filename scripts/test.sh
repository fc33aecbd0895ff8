#!/usr/bin/env bash
# Every check, in the order in which a failure is cheapest. The tests compile in the dev profile, where overflows and
# debug assertions count; the binary is built once in release, as operators run it, for what is driven from outside.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/announce.sh
began=$SECONDS
step "tools" scripts/tools.sh
export PATH="$PWD/.tools/venv/bin:$PATH"

step "formatting" cargo fmt --all --check
step "licences, sources, duplicates" cargo deny --workspace check bans licenses sources
if [ -f console/package.json ]; then
    step "console: packages" scripts/console-packages.sh
    step "console: its client is of the committed description" scripts/console.sh npm run api:check
    step "console: types" scripts/console.sh npm run typecheck
    step "console: unit tests" scripts/console.sh npm test
    step "console: static files" scripts/build-console.sh
fi
step "clippy" cargo clippy --workspace --all-targets --locked -- -D warnings
step "tests on PostgreSQL 18" scripts/test-postgres.sh \
    cargo nextest run --workspace --locked --no-fail-fast --failure-output final
step "doctests" cargo test --doc --workspace --locked
old=/usr/lib/postgresql/15/bin
if [ -x "$old/initdb" ]; then
    step "store's tests on PostgreSQL 15" env BSS_TEST_POSTGRES_BIN="$old" \
        scripts/test-postgres.sh cargo nextest run --workspace --locked --no-fail-fast -E 'package(bss-store)'
else
    echo "== store's tests on PostgreSQL 15: left out, Debian's package postgresql-15 is not installed"
fi
step "build" cargo build --release --locked -p bss
step "the stack, end to end" scripts/e2e.sh
if [ -f console/package.json ]; then
    step "console: browser tests" scripts/console.sh npm run e2e
    step "console: journeys on the demonstration's stack" scripts/journeys.sh
fi
echo "== all checks passed in $((SECONDS - began)) s"
