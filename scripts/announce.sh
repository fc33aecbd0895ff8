# Sourced by the other scripts: each step is announced, runs quietly, and shows its output when it fails.

log_dir="${BSS_TEST_LOGS:-.test/logs}"
mkdir -p "$log_dir"

# step NAME COMMAND…
step() {
    local name="$1" log began
    shift
    log="$log_dir/$(printf '%s' "$name" | tr -c 'a-zA-Z0-9' '-').log"
    began=$SECONDS
    printf '== %s\n' "$name"
    if "$@" >"$log" 2>&1; then
        # A runner's own closing lines, where it has some.
        grep -aE '^ *(Summary \[|test result: |Tests  |[0-9]+ passed|bans ok|[a-z ]+ ok, )' "$log" | tail -n 3 || true
        printf '   done in %s s\n' "$((SECONDS - began))"
    else
        local code=$?
        printf '== FAILED: %s (exit %s), output:\n' "$name" "$code"
        tail -n 400 "$log"
        printf '== FAILED: %s, whole output in %s\n' "$name" "$log"
        exit "$code"
    fi
}
