#!/usr/bin/env bash
# Uses the API of a daemon in its demonstration world with tools that know it by its OpenAPI document only: a TypeScript
# client typed by openapi-typescript, and schemathesis. Pages in Chromium must reach nothing, of this daemon and of one
# with tokens.
#
# SCHEMATHESIS_EXAMPLES sets how many cases each operation gets; 10 by default.
set -euo pipefail
cd "$(dirname "$0")"
source ../demonstration.sh

npm ci --silent
npx openapi-typescript "$root/docs/openapi.json" --output api.ts >/dev/null
npx tsc
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt

CHROMIUM="$(command -v chromium || command -v google-chrome)"
export CHROMIUM

export TEST_TOKEN=a-token-for-the-pages-of-the-test
ATOMA__TOKENS='[{name = "test", scope = "operate", env = "TEST_TOKEN"}]' \
    start_demonstration tokens -H "Authorization: Bearer $TEST_TOKEN"
node dist/browser.js "$url" "$TEST_TOKEN"

start_demonstration dev
node dist/browser.js "$url"
node dist/settle.js "$url" "$admin_url"
"$work/python/bin/schemathesis" --config-file schemathesis.toml run "$url/openapi.json" --checks all \
    --max-examples "${SCHEMATHESIS_EXAMPLES:-10}" --request-timeout 60 --seed 1
require_quiet_log dev
