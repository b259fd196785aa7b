#!/usr/bin/env bash
# Builds, tries so many mutated bodies and shows how it goes; the last line says what came of it.
# A second argument is the seed of a run that is to be made again.
set -uo pipefail
cd "$(dirname "$0")/.."

echo "Building ..."
dotnet build tests/Gateway.Tests/Gateway.Tests.csproj -c Release --nologo -v quiet || exit 1

figures=$(mktemp)
log=$(mktemp)
run=
trap '[ -z "$run" ] || kill "$run" 2>/dev/null; rm -f "$figures" "$log"' EXIT
echo "$1 bodies ..."
FUZZ_COUNT=$1 FUZZ_SEED=${2:-} FUZZ_FIGURES=$figures dotnet test tests/Gateway.Tests/Gateway.Tests.csproj -c Release \
    --no-build --nologo --logger "console;verbosity=detailed" --filter FullyQualifiedName~FuzzRunTests >"$log" 2>&1 &
run=$!
tail -n +1 -f --pid=$run "$figures" | grep --line-buffered -v '^fuzz:' || true
wait $run
status=$?

# Why it failed, before the line that says how much.
[ "$status" = 0 ] || cat "$log"
grep '^fuzz:' "$figures" || status=1
exit $status
