#!/usr/bin/env bash
# Generates the console's static files, unless they are newer than everything that they come from.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f console/package.json ] || exit 0
mark=console/.output/.built
inputs=$(find console docs/openapi.json -type f -newer "$mark" \
    -not -path '*/node_modules/*' -not -path '*/.nuxt/*' -not -path '*/.output/*' -not -path '*/test-results/*' \
    -print -quit 2>/dev/null || true)
if [ -f "$mark" ] && [ -z "$inputs" ]; then
    exit 0
fi
if [ ! -f console/node_modules/.package-lock.json ] ||
    [ console/package-lock.json -nt console/node_modules/.package-lock.json ]; then
    scripts/console-packages.sh
fi
scripts/console.sh npm run generate
touch "$mark"
