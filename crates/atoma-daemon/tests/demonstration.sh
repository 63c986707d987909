# For the checks that use a daemon in its demonstration world: builds it, starts it on free ports, and stops it at the end of
# the script that reads this file.
#
# `work` is a directory that is removed at the end.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)"
work="$(mktemp -d)"
running=()

stop_running() {
    local process
    for process in "${running[@]}"; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
}
trap 'stop_running; rm -rf "$work"' EXIT

# Builds the daemon and sets `target`, the directory of its builds.
build_daemon() {
    cargo build --quiet --locked --manifest-path "$root/Cargo.toml" --package atoma-daemon
    target="$(cargo metadata --format-version 1 --no-deps --manifest-path "$root/Cargo.toml" |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')"
}

# Prints as many free ports as it is asked for.
free_ports() {
    python3 - "$1" <<'PYTHON'
import socket
import sys

sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for free in sockets:
    free.bind(("127.0.0.1", 0))
print(*(free.getsockname()[1] for free in sockets))
PYTHON
}

# Runs a program until the end of the script, and waits for up to a minute until a URL answers. Its output is in a log of the
# given name, which is printed if the program does not get there. Further arguments for curl go before `--`.
#
#   run_until_ready LOG URL [CURL ARGUMENT...] -- PROGRAM [ARGUMENT...]
run_until_ready() {
    local log="$work/$1.log" curl=(curl -fsS "$2")
    shift 2
    while [ "$1" != -- ]; do
        curl+=("$1")
        shift
    done
    shift
    "$@" >"$log" 2>&1 &
    running+=("$!")
    for _ in $(seq 600); do
        if "${curl[@]}" >/dev/null 2>&1; then return; fi
        if ! kill -0 "$!" 2>/dev/null; then break; fi
        sleep 0.1
    done
    cat "$log" >&2
    return 1
}

# Starts a daemon in a new demonstration world with its files in a directory of the given name, and sets `url`,
# `sui_url` and `admin_url` once it is ready. Further arguments go to curl.
start_demonstration() {
    local name="$1" http sui admin
    shift
    build_daemon
    read -r http sui admin < <(free_ports 3)
    url="http://127.0.0.1:$http"
    sui_url="http://127.0.0.1:$sui"
    admin_url="http://127.0.0.1:$admin"
    run_until_ready "$name" "$url/ready" "$@" -- "$target/debug/atoma-daemon" dev --data-dir "$work/$name" \
        --http-addr "127.0.0.1:$http" --sui-addr "127.0.0.1:$sui" --admin-addr "127.0.0.1:$admin" \
        --consensus-ms 20 --checkpoint-ms 50
}

# Fails if the daemon of the given name logged an error, other than lines that match the second argument if there is one.
require_quiet_log() {
    if grep -E 'panicked|ERROR' "$work/$1.log" | grep -vE "${2:-^$}"; then
        echo "The daemon logged errors." >&2
        return 1
    fi
}
