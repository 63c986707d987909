#!/usr/bin/env bash
# Checks the compose file, builds the container image of a debug build, and runs the daemon in it as the compose file does,
# beside a demonstration world.
set -euo pipefail
cd "$(dirname "$0")"
source ../demonstration.sh

python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt
"$work/python/bin/check-jsonschema" --builtin-schema vendor.compose-spec "$root/deploy/compose.yml"
"$work/python/bin/check-jsonschema" --builtin-schema vendor.github-workflows "$root"/.github/workflows/*.yml
variables="$("$work/python/bin/python" compose.py "$root/deploy/compose.yml")"

# What buildah does with the least isolation: mounts in a namespace of its own.
namespace=(unshare --mount)
if [ "$(id -u)" -ne 0 ]; then namespace=(unshare --user --map-root-user --mount); fi
mkdir "$work/probe"
mounts="mount --rbind /proc $work/probe && mount --rbind /sys $work/probe && mount --rbind /dev $work/probe"
if ! why="$("${namespace[@]}" sh -c "$mounts" 2>&1)"; then
    echo "SKIPPED: containers can't run here, so the image is not tested: $why"
    exit 0
fi

# The storage and the isolation that need the fewest privileges.
buildah=(buildah --log-level error --storage-driver vfs --root "$work/images" --runroot "$work/containers")
export BUILDAH_ISOLATION=chroot
clean() {
    stop_running
    # In a user namespace, files of the image belong to users that only buildah can act for.
    "${buildah[@]}" rm --all >/dev/null 2>&1 || true
    "${buildah[@]}" rmi --all --force >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean EXIT

build_daemon
strip -o "$work/atoma-daemon" "$target/debug/atoma-daemon"
"$root/deploy/image-root.sh" "$work/atoma-daemon" "$work/image"
"${buildah[@]}" build --quiet --format docker -f "$root/deploy/Containerfile" -t atoma-daemon "$work/image" >/dev/null
container="$("${buildah[@]}" from --pull-never atoma-daemon)"
described="$("${buildah[@]}" inspect --type image --format '{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}' atoma-daemon)"
test "$described" = "65532:65532 [/usr/local/bin/atoma-daemon]"

start_demonstration dev
# The demonstration's configuration and key, and tokens. Anybody may read them, because the image's user does not exist here.
mkdir "$work/etc" "$work/secrets"
cp "$work/dev/daemon.toml" "$work/etc/"
cp "$work"/dev/{client.yaml,sui.keystore} "$work/secrets/"
echo operator-token-of-the-test >"$work/secrets/operator.token"
echo metrics-token-of-the-test >"$work/secrets/metrics.token"
chmod -R a+rX "$work/etc" "$work/secrets"

run=("${buildah[@]}" run --volume "$work/etc:/etc/atoma-daemon:ro" --volume "$work/secrets:/run/secrets:ro")
while read -r variable; do run+=(--env "$variable"); done <<<"$variables"
image=("$container" -- /usr/local/bin/atoma-daemon)
config=(--config /etc/atoma-daemon/daemon.toml)

test "$("${run[@]}" "${image[@]}" --version)" = "$("$target/debug/atoma-daemon" --version)"
"${run[@]}" "${image[@]}" config check "${config[@]}"
# The Sui node has a name here, which the image must resolve.
read -r port < <(free_ports 1)
run_until_ready image "http://127.0.0.1:$port/ready" -H "Authorization: Bearer operator-token-of-the-test" -- \
    "${run[@]}" "${image[@]}" serve "${config[@]}" --http-addr "0.0.0.0:$port" --rpc-url "http://localhost:${sui_url##*:}"
"${run[@]}" --env "ATOMA_URL=http://127.0.0.1:$port" "${image[@]}" status
curl -fsS -H "Host: daemon:3000" -H "Authorization: Bearer metrics-token-of-the-test" \
    --output "$work/metrics.txt" "http://127.0.0.1:$port/metrics"
grep -q '^atoma_build_info' "$work/metrics.txt"
