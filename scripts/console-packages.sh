#!/usr/bin/env bash
# Installs the console's packages as its lock file says.
set -euo pipefail
cd "$(dirname "$0")/.."
# npm 11 calls a lock file out of step when a registry doesn't serve other systems' optional packages; a plain
# install takes the same locked versions and writes nothing back.
scripts/console.sh npm ci --no-audit --no-fund ||
    scripts/console.sh npm install --no-save --no-audit --no-fund
