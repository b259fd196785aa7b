#!/usr/bin/env bash
# Builds and tries so many fresh tokens on three gateways; the last line says what came of it.
set -uo pipefail
cd "$(dirname "$0")/.."

echo "Building ..."
dotnet build tests/Gateway.Tests/Gateway.Tests.csproj -c Release --nologo -v quiet || exit 1

figures=$(mktemp)
log=$(mktemp)
trap 'rm -f "$figures" "$log"' EXIT
echo "Three gateways, $1 tokens ..."
FRESH_TOKENS=$1 FRESH_FIGURES=$figures dotnet test tests/Gateway.Tests/Gateway.Tests.csproj -c Release --no-build \
    --nologo --logger "console;verbosity=detailed" --filter FullyQualifiedName~FreshTokenTests >"$log" 2>&1
status=$?

# Why it failed, before the line that says how much.
[ "$status" = 0 ] || cat "$log"
grep '^fresh:' "$figures" || status=1
exit $status
