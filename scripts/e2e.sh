#!/usr/bin/env bash
# The stack as an operator drives it: up, up again, what runs, from an order to a bill, down. In a folder of its own
# (with a space in its name) and on free ports; everything is stopped and removed however it ends.
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
"$bss" ps --data-dir "$dir/data"
# A port that is moved names the issuer anew: the token is of the stack that runs.
"$bss" token --data-dir "$dir/data" --as csr >/dev/null
scripts/order-to-bill.py "$bss" "$dir/data"
