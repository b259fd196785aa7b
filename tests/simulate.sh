#!/usr/bin/env bash
# Builds, lets the journal live SEEDS times on a simulated disk and the shipper a twentieth of that (one of its lives
# takes as long as ten to twenty of the journal's) beside a simulated store, from seed START on, and shows how far it
# is; the last line says what came of both. A seed that fails is shown with the story of its life, and repeated by
# SEEDS=1 START=it.
set -uo pipefail
cd "$(dirname "$0")/.."

echo "Building ..."
dotnet build tests/Gateway.Core.Tests/Gateway.Core.Tests.csproj -c Release --nologo -v quiet || exit 1

figures=$(mktemp)
log=$(mktemp)
run=
status=0
line=simulate:
trap '[ -z "$run" ] || kill "$run" 2>/dev/null; rm -f "$figures" "$log"' EXIT

# simulate NAME TEST SEEDS: its figures are the line that begins with its name.
simulate() {
    echo "The $1:"
    : >"$figures"
    SIMULATE_SEEDS=$3 SIMULATE_START=$start SIMULATE_FIGURES=$figures DOTNET_gcConcurrent=0 \
        dotnet test tests/Gateway.Core.Tests/Gateway.Core.Tests.csproj -c Release --no-build --nologo \
        --filter "FullyQualifiedName~$2" >"$log" 2>&1 &
    run=$!
    tail -n +1 -f --pid=$run "$figures" | grep --line-buffered -v "^$1:" || true
    wait $run || status=1
    run=

    # One that died before it could say why.
    grep -q "^$1:" "$figures" || { cat "$log"; status=1; }
    line="$line $(grep "^$1:" "$figures");"
}

seeds=$1
start=$2
simulate journal What_was_acknowledged_is_kept_through_every_fault "$seeds"
simulate shipper What_was_accepted_is_stored_or_put_aside_once_whatever_the_store_does $(((seeds + 19) / 20))
echo "${line%;}"
exit $status
