#!/usr/bin/env bash
# Builds the local network, starts it in the background, and waits until it is ready.
#
# Reads LOCALNET_ARGS, LOCALNET_DEMO, LOCALNET_TLS and LOCALNET_DATA_DIR, and appends `name=value`
# lines to $GITHUB_OUTPUT, among them the process's `pid`. LOCALNET_BIN names a binary to use
# instead of building one.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)"
output="${GITHUB_OUTPUT:-/dev/stdout}"
data="${LOCALNET_DATA_DIR:-$(mktemp -d)}"
ready="$data/ready.json"
log="$data/localnet.log"

binary="${LOCALNET_BIN:-}"
if [ -z "$binary" ]; then
    cargo build --quiet --locked --manifest-path "$root/Cargo.toml" --package atoma-localnet
    target="$(cargo metadata --format-version 1 --no-deps --manifest-path "$root/Cargo.toml" |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')"
    binary="$target/debug/atoma-localnet"
fi

arguments=(--sui-addr 127.0.0.1:0 --admin-addr 127.0.0.1:0 --data-dir "$data" --ready-file "$ready")
if [ "${LOCALNET_DEMO:-true}" = true ]; then arguments+=(--demo); fi
if [ "${LOCALNET_TLS:-false}" = true ]; then arguments+=(--tls); fi
# Arguments are separated by spaces.
read -r -a more <<<"${LOCALNET_ARGS:-}"

mkdir -p "$data"
nohup "$binary" "${arguments[@]}" "${more[@]}" >"$log" 2>&1 </dev/null &
pid=$!

for _ in $(seq 600); do
    if [ -e "$ready" ]; then break; fi
    if ! kill -0 "$pid" 2>/dev/null; then
        echo "The local network did not start:" >&2
        cat "$log" >&2
        exit 1
    fi
    sleep 0.1
done
if [ ! -e "$ready" ]; then
    echo "The local network was not ready within a minute:" >&2
    cat "$log" >&2
    kill "$pid"
    exit 1
fi

field() { sed -n "s/^  \"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" "$ready"; }
{
    echo "pid=$pid"
    echo "data-dir=$data"
    echo "url=$(field url)"
    echo "admin-url=$(field admin_url)"
    echo "faucet-url=$(field faucet_url)"
    echo "ca-file=$(field ca_file)"
    echo "package-id=$(field package_id)"
    echo "atoma-db-id=$(field atoma_db_id)"
} >>"$output"
