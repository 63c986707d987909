#!/usr/bin/env bash
# Uses the API of a daemon in its demonstration world with tools that know it by its OpenAPI document only: a TypeScript
# client typed by openapi-typescript, and schemathesis.
#
# SCHEMATHESIS_EXAMPLES sets how many cases each operation gets; 10 by default.
set -euo pipefail
cd "$(dirname "$0")"
root="$PWD/../../../.."

cargo build --quiet --locked --manifest-path "$root/Cargo.toml" --package atoma-daemon
target="$(cargo metadata --format-version 1 --no-deps --manifest-path "$root/Cargo.toml" |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')"

work="$(mktemp -d)"
daemon=
stop() {
    if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap stop EXIT

npm ci --silent
npx openapi-typescript "$root/docs/openapi.json" --output api.ts >/dev/null
npx tsc
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt

read -r http sui admin < <(python3 - <<'PYTHON'
import socket

sockets = [socket.socket() for _ in range(3)]
for free in sockets:
    free.bind(("127.0.0.1", 0))
print(*(free.getsockname()[1] for free in sockets))
PYTHON
)
url="http://127.0.0.1:$http"
"$target/debug/atoma-daemon" dev --data-dir "$work/dev" --http-addr "127.0.0.1:$http" --sui-addr "127.0.0.1:$sui" \
    --admin-addr "127.0.0.1:$admin" --consensus-ms 20 --checkpoint-ms 50 >"$work/dev.log" 2>&1 &
daemon=$!
for _ in $(seq 600); do
    if curl -fsS "$url/ready" >/dev/null 2>&1; then break; fi
    if ! kill -0 "$daemon" 2>/dev/null; then break; fi
    sleep 0.1
done
if ! curl -fsS "$url/ready" >/dev/null; then
    cat "$work/dev.log" >&2
    exit 1
fi

node dist/settle.js "$url" "http://127.0.0.1:$admin"
"$work/python/bin/schemathesis" --config-file schemathesis.toml run "$url/openapi.json" --checks all \
    --max-examples "${SCHEMATHESIS_EXAMPLES:-10}" --request-timeout 60 --seed 1
if grep -E 'panicked|ERROR' "$work/dev.log"; then
    echo "The daemon logged errors." >&2
    exit 1
fi
