#!/usr/bin/env bash
# Installs the Debian packages that the tests need and that are missing. Without the right to install it says which.
set -euo pipefail

declare -A package_of=(
    [clickhouse-server]=clickhouse-server
    [chromium]=chromium
    [strace]=strace
)

missing=()
for tool in "${!package_of[@]}"; do
    command -v "$tool" >/dev/null || missing+=("${package_of[$tool]}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "The tests need: ${missing[*]}"
if [ "$(id -u)" = 0 ]; then sudo=(); elif sudo -n true 2>/dev/null; then sudo=(sudo); else
    echo "Install them first: apt-get install ${missing[*]}" >&2
    exit 1
fi

"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
