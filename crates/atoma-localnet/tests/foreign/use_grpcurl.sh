#!/usr/bin/env bash
# Uses the local network with grpcurl, which knows the services from server reflection alone.
#
#   use_grpcurl.sh DIR GRPCURL    where DIR has the network's ready.json
set -uo pipefail

field() { sed -n "s/^  \"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" "$dir/ready.json"; }
dir="$1"
grpcurl="$2"
url="$(field url)"
address="${url#https://}"
passed=0
failed=0

# Checks that the output of grpcurl with these arguments has a line that matches the pattern.
check() {
    local name="$1" pattern="$2" out
    shift 2
    out="$("$grpcurl" -cacert "$(field ca_file)" -max-time 30 "$@" 2>&1)"
    if grep -qE "$pattern" <<<"$out"; then
        passed=$((passed + 1))
        echo "ok      grpcurl: $name"
    else
        failed=$((failed + 1))
        echo "FAILED  grpcurl: $name: $out"
    fi
}

check "lists the services" '^sui\.rpc\.v2\.LedgerService$' "$address" list
check "describes a method" 'returns \( \.sui\.rpc\.v2\.GetObjectResponse \)' \
    "$address" describe sui.rpc.v2.LedgerService.GetObject
check "describes a message" 'google\.protobuf\.FieldMask read_mask' \
    "$address" describe sui.rpc.v2.GetObjectRequest
check "asks for the health" '"status": "SERVING"' "$address" grpc.health.v1.Health/Check
check "reads the service info" '"chain": "localnet"' "$address" sui.rpc.v2.LedgerService/GetServiceInfo
check "reads the AtomaDb" '"objectType": ".*::db::AtomaDb"' \
    -d "{\"object_id\":\"$(field atoma_db_id)\",\"read_mask\":{\"paths\":[\"object_id\",\"object_type\"]}}" \
    "$address" sui.rpc.v2.LedgerService/GetObject
check "sees the headers" '^x-sui-epoch: 0' -v "$address" sui.rpc.v2.LedgerService/GetServiceInfo
check "sees why a call fails" 'Code: InvalidArgument' \
    -d '{"object_id":"none"}' "$address" sui.rpc.v2.LedgerService/GetObject

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
