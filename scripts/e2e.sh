#!/usr/bin/env bash
# The path end to end, as an operator walks it: up, the demonstration, the ledger's proof, down. In a folder of
# its own (with a space in its name) and on free ports; everything is stopped and removed however it ends.
set -euo pipefail
cd "$(dirname "$0")/.."
bss="$PWD/target/release/bss"
dir=$(mktemp -d "/tmp/bss e2e.XXXXXX")
chmod 755 "$dir"
finish() {
    "$bss" down --data-dir "$dir/data" --data || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM
"$bss" up --data-dir "$dir/data" --auto-ports --simulated-clock
"$bss" up --data-dir "$dir/data" --auto-ports --simulated-clock
"$bss" demo --data-dir "$dir/data" --customers "${BSS_E2E_CUSTOMERS:-20}" --records "${BSS_E2E_RECORDS:-2000}"
"$bss" ledger check --data-dir "$dir/data"
