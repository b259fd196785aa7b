#!/usr/bin/env bash
# Builds, lets the storm rage for the seconds given and shows how it goes; the last line says what came of it.
set -uo pipefail
cd "$(dirname "$0")/.."

echo "Building ..."
dotnet build tests/Gateway.Tests/Gateway.Tests.csproj -c Release --nologo -v quiet || exit 1

figures=$(mktemp)
log=$(mktemp)
run=
trap '[ -z "$run" ] || kill "$run" 2>/dev/null; rm -f "$figures" "$log"' EXIT
echo "Three gateways and Redis, $1 seconds ..."
STORM_SECONDS=$1 STORM_FIGURES=$figures dotnet test tests/Gateway.Tests/Gateway.Tests.csproj -c Release --no-build \
    --nologo --logger "console;verbosity=detailed" --filter FullyQualifiedName~StormTests >"$log" 2>&1 &
run=$!
tail -n +1 -f --pid=$run "$figures" | grep --line-buffered -v '^storm:' || true
wait $run
status=$?

# Why it failed, before the line that says how much.
[ "$status" = 0 ] || cat "$log"
grep '^storm:' "$figures" || status=1
exit $status
