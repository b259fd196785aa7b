#!/usr/bin/env bash
# Builds, lets the journal live SEEDS times on a simulated disk, from seed START on, and shows how far it is; the last
# line says what came of it. A seed that fails is shown with the story of its life, and repeated by SEEDS=1 START=it.
set -uo pipefail
cd "$(dirname "$0")/.."

echo "Building ..."
dotnet build tests/Gateway.Core.Tests/Gateway.Core.Tests.csproj -c Release --nologo -v quiet || exit 1

figures=$(mktemp)
log=$(mktemp)
run=
trap '[ -z "$run" ] || kill "$run" 2>/dev/null; rm -f "$figures" "$log"' EXIT
SIMULATE_SEEDS=$1 SIMULATE_START=$2 SIMULATE_FIGURES=$figures DOTNET_gcConcurrent=0 \
    dotnet test tests/Gateway.Core.Tests/Gateway.Core.Tests.csproj -c Release --no-build --nologo \
    --filter FullyQualifiedName~What_was_acknowledged_is_kept_through_every_fault >"$log" 2>&1 &
run=$!
tail -n +1 -f --pid=$run "$figures" | grep --line-buffered -v '^simulate:' || true
wait $run
status=$?

# One that died before it could say why.
[ "$status" = 0 ] || grep -q '^Seed' "$figures" || cat "$log"
grep '^simulate:' "$figures" || status=1
exit $status
