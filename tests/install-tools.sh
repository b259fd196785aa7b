#!/usr/bin/env bash
# Installs the Debian packages that the tests need and that are missing, or only those named. Without the right to
# install it says which.
set -euo pipefail

declare -A package_of=(
    [clickhouse-server]=clickhouse-server
    [chromium]=chromium
    [strace]=strace
    [redis-server]=redis-server
    [wrk]=wrk
)

shopt -s nullglob
missing=()
is_wanted() { [ "$wanted" = "" ] || [[ " $wanted " == *" $1 "* ]]; }
wanted="$*"
for tool in "${!package_of[@]}"; do
    is_wanted "${package_of[$tool]}" || continue
    command -v "$tool" >/dev/null || missing+=("${package_of[$tool]}")
done
# Its server is on nobody's PATH: Debian keeps each version in a folder of its own.
postgres=(/usr/lib/postgresql/*/bin/postgres)
[ ${#postgres[@]} -gt 0 ] || ! is_wanted postgresql || missing+=(postgresql)
# Modules are no commands; and who runs only the tests needs none of what is asked for by name alone.
for package in "$@"; do
    [[ " ${package_of[*]} postgresql " != *" $package "* ]] || continue
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "Needed: ${missing[*]}"
if [ "$(id -u)" = 0 ]; then sudo=(); elif sudo -n true 2>/dev/null; then sudo=(sudo); else
    echo "Install them first: apt-get install ${missing[*]}" >&2
    exit 1
fi

"${sudo[@]}" apt-get update -qq

# The tests start servers of their own; a cluster that runs along would only be in the way.
if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    "${sudo[@]}" mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo "create_main_cluster = false" | "${sudo[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
# Nor is a Redis or a web server to run from now on: who had none gets none that starts by itself.
services=()
for service in redis-server nginx; do
    [[ " ${missing[*]} " != *" $service "* ]] || services+=("$service")
done
policy=/usr/sbin/policy-rc.d
if [ ${#services[@]} -gt 0 ] && [ ! -e "$policy" ]; then
    trap '"${sudo[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
    "${sudo[@]}" chmod +x "$policy"
fi
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"

if [ ${#services[@]} -gt 0 ] && [ -d /run/systemd/system ]; then
    "${sudo[@]}" systemctl disable -q "${services[@]}"
fi
