#!/bin/bash
# Makes the image of the container tests for an engine (podman or docker) and prints its name: a Debian's own Python,
# bash and what they need, from the packages that apt knows. So the tests need no registry of images.
#
# The packed files are kept in the user's cache folder; an image that the engine has already is left as it is.
set -euo pipefail

engine=${1:-podman}
image=localhost/super-agent-test:1
file="${XDG_CACHE_HOME:-$HOME/.cache}/super-agent/sandbox-image-1.tar"

if ! "$engine" image inspect "$image" >/dev/null 2>&1; then
    if [ ! -e "$file" ]; then
        stage=$(mktemp -d)
        trap 'rm -rf "$stage"' EXIT
        mkdir -p "$stage/packages" "$stage/root" "$(dirname "$file")"
        # `python3` alone lacks nothing that the worker imports; prlimit and setsid are util-linux's.
        wanted=(python3 bash coreutils findutils grep sed util-linux)
        mapfile -t names < <(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
            --no-replaces --no-enhances "${wanted[@]}" | grep '^[a-z0-9]' | sort -u)
        # Names of virtual packages are among them, and apt downloads nothing when one is not a package.
        mapfile -t names < <(apt-cache --no-all-versions show "${names[@]}" 2>/dev/null \
            | sed -n 's/^Package: //p' | sort -u | grep -v -e '^debconf' -e '^perl' -e '^libdebconf' -e '^cdebconf')
        (cd "$stage/packages" && apt-get download -qq -o APT::Sandbox::User=root "${names[@]}") >&2
        for package in "$stage"/packages/*.deb; do dpkg -x "$package" "$stage/root"; done
        root="$stage/root"
        for name in bin sbin lib lib64; do
            # As on a merged system: the packages of this release still ship files in both places.
            if [ -d "$root/$name" ]; then
                mkdir -p "$root/usr/$name"
                cp -a "$root/$name/." "$root/usr/$name/"
                rm -rf "${root:?}/$name"
            fi
            ln -s "usr/$name" "$root/$name"
        done
        ln -sf bash "$root/usr/bin/sh"
        ln -sf python3 "$root/usr/bin/python"
        mkdir -p "$root/tmp" "$root/proc" "$root/sys" "$root/dev" "$root/etc"
        printf 'root:x:0:0:root:/root:/bin/bash\n' >"$root/etc/passwd"
        printf 'root:x:0:\n' >"$root/etc/group"
        rm -rf "$root"/usr/share/{doc,man,locale,info,lintian}
        tar -C "$root" --owner=0 --group=0 -cf "$file.$$" .
        mv "$file.$$" "$file"
    fi
    "$engine" import "$file" "$image" >/dev/null
fi
echo "$image"
