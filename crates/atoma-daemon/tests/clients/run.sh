#!/usr/bin/env bash
# Uses the API of a daemon in its demonstration world with tools that know it by its OpenAPI document only: a TypeScript
# client typed by openapi-typescript, and schemathesis. Pages in Chromium must reach nothing, of this daemon and of one
# with tokens.
#
# SCHEMATHESIS_EXAMPLES sets how many cases each operation gets; 10 by default.
set -euo pipefail
cd "$(dirname "$0")"
root="$PWD/../../../.."

cargo build --quiet --locked --manifest-path "$root/Cargo.toml" --package atoma-daemon
target="$(cargo metadata --format-version 1 --no-deps --manifest-path "$root/Cargo.toml" |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')"

work="$(mktemp -d)"
daemons=()
stop() {
    for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT

npm ci --silent
npx openapi-typescript "$root/docs/openapi.json" --output api.ts >/dev/null
npx tsc
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt

CHROMIUM="$(command -v chromium || command -v google-chrome)"
export CHROMIUM

# Starts a daemon in a new demonstration world with its files in a directory of the given name, and sets `url` and `admin`
# once it is ready. Further arguments go to curl.
start() {
    local name="$1" http sui
    shift
    read -r http sui admin < <(python3 - <<'PYTHON'
import socket

sockets = [socket.socket() for _ in range(3)]
for free in sockets:
    free.bind(("127.0.0.1", 0))
print(*(free.getsockname()[1] for free in sockets))
PYTHON
    )
    url="http://127.0.0.1:$http"
    "$target/debug/atoma-daemon" dev --data-dir "$work/$name" --http-addr "127.0.0.1:$http" --sui-addr "127.0.0.1:$sui" \
        --admin-addr "127.0.0.1:$admin" --consensus-ms 20 --checkpoint-ms 50 >"$work/$name.log" 2>&1 &
    daemons+=("$!")
    for _ in $(seq 600); do
        if curl -fsS "$@" "$url/ready" >/dev/null 2>&1; then return; fi
        if ! kill -0 "${daemons[-1]}" 2>/dev/null; then break; fi
        sleep 0.1
    done
    cat "$work/$name.log" >&2
    exit 1
}

export TEST_TOKEN=a-token-for-the-pages-of-the-test
ATOMA__TOKENS='[{name = "test", scope = "operate", env = "TEST_TOKEN"}]' \
    start tokens -H "Authorization: Bearer $TEST_TOKEN"
node dist/browser.js "$url" "$TEST_TOKEN"

start dev
node dist/browser.js "$url"
node dist/settle.js "$url" "http://127.0.0.1:$admin"
"$work/python/bin/schemathesis" --config-file schemathesis.toml run "$url/openapi.json" --checks all \
    --max-examples "${SCHEMATHESIS_EXAMPLES:-10}" --request-timeout 60 --seed 1
if grep -E 'panicked|ERROR' "$work/dev.log"; then
    echo "The daemon logged errors." >&2
    exit 1
fi
