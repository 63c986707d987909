#!/usr/bin/env bash
# Uses the operator's page in Chromium, on daemons in their demonstration world: one without tokens, one with tokens, and one
# that restarts.
#
# UPDATE_IMAGES=1 takes the screenshots in docs/images anew.
set -euo pipefail
cd "$(dirname "$0")"
source ../demonstration.sh

npm ci --silent
npx tsc
CHROMIUM="$(command -v chromium || command -v google-chrome)"
export CHROMIUM

export PAGE_OPERATE_TOKEN=a-token-of-the-test-that-may-operate PAGE_READ_TOKEN=a-token-of-the-test-that-may-read
ATOMA__TOKENS='[{name = "operator", scope = "operate", env = "PAGE_OPERATE_TOKEN"}, {name = "viewer", scope = "read", env = "PAGE_READ_TOKEN"}]' \
    start_demonstration tokens -H "Authorization: Bearer $PAGE_OPERATE_TOKEN"
export PAGE_TOKENS_URL="$url"

start_demonstration dev
export PAGE_URL="$url" PAGE_ADMIN_URL="$admin_url" PAGE_DAEMON="$target/debug/atoma-daemon"
PAGE_IMAGES="$work/images"
if [ -n "${UPDATE_IMAGES:-}" ]; then PAGE_IMAGES="$root/docs/images"; fi
export PAGE_IMAGES
node --test --test-concurrency=1 dist/
require_quiet_log dev
require_quiet_log tokens
