#!/usr/bin/env bash
# Collects the files of the container image in a new directory: the binary, the shared libraries that it needs, and a user.
# Nothing is downloaded, and there is no shell in the image. The binary has the usual certificate authorities built in.
#
#   cargo build --profile dist -p atoma-daemon --no-default-features --features otlp
#   deploy/image-root.sh target/dist/atoma-daemon target/image
#   docker build -f deploy/Containerfile -t atoma-daemon target/image    # or podman, or buildah
set -euo pipefail

if [ "$#" -ne 2 ]; then
    echo "usage: image-root.sh BINARY DIRECTORY" >&2
    exit 2
fi
binary="$1" root="$2/root"
umask 022
mkdir "$2"

install -D -m 0755 "$binary" "$root/usr/local/bin/atoma-daemon"
if libraries="$(ldd "$binary" 2>/dev/null)"; then
    # A line is `name => path (address)`, or `path (address)` for the loader.
    sed -nE 's|^\s*(.* => )?(/[^ ]+) \(.*|\2|p' <<<"$libraries" | while read -r library; do
        install -D -m 0755 "$library" "$root$library"
    done
fi

mkdir -p "$root/etc" "$root/var/lib"
install -d -m 1777 "$root/tmp"
# Apart from the rest, because the Containerfile gives it to the user.
install -d -m 0700 "$2/data/atoma-daemon"
echo 'atoma:x:65532:65532:Atoma node daemon:/var/lib/atoma-daemon:/sbin/nologin' >"$root/etc/passwd"
echo 'atoma:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
