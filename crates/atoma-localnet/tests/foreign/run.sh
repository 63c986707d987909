#!/usr/bin/env bash
# Runs the TypeScript Sui SDK against the demonstration world of a local network.
set -euo pipefail
cd "$(dirname "$0")"

cargo build --quiet --package atoma-localnet --bin atoma-localnet
target="$(cargo metadata --format-version 1 --no-deps | node -p 'JSON.parse(require("fs").readFileSync(0)).target_directory')"

npm ci --silent
npx tsc

data="$(mktemp -d)"
"$target/debug/atoma-localnet" --sui-addr 127.0.0.1:0 --data-dir "$data" --demo --consensus-ms 20 --checkpoint-ms 50 2>"$data/log" &
network=$!
trap 'kill "$network" 2>/dev/null || true; wait "$network" 2>/dev/null || true; rm -rf "$data"' EXIT

# daemon.toml is written last, when the demonstration world is complete.
for _ in $(seq 300); do
    [ -e "$data/daemon.toml" ] && break
    kill -0 "$network" || { cat "$data/log" >&2; exit 1; }
    sleep 0.1
done

node dist/foreign.js "$data"
