#!/usr/bin/env bash
# Builds, lets every fault of tests/Gateway.Tests/Faults befall real gateways in full and shows how it goes, a line of
# figures for each; the last line says what came of them all.
set -uo pipefail
cd "$(dirname "$0")/.."

echo "Building ..."
dotnet build tests/Gateway.Tests/Gateway.Tests.csproj -c Release --nologo -v quiet || exit 1

figures=$(mktemp)
log=$(mktemp)
run=
trap '[ -z "$run" ] || kill "$run" 2>/dev/null; rm -f "$figures" "$log"' EXIT
echo "Every fault, $1 tenths of each ..."
began=$SECONDS
CHAOS_SCALE=$1 CHAOS_FIGURES=$figures dotnet test tests/Gateway.Tests/Gateway.Tests.csproj -c Release --no-build \
    --nologo --logger "console;verbosity=detailed" --filter FullyQualifiedName~Gateway.Tests.Faults. >"$log" 2>&1 &
run=$!
tail -n +1 -f --pid=$run "$figures" || true
wait $run
status=$?

# Why it failed, before the line that says how much; and what could not be tried here.
if [ "$status" = 0 ]; then grep 'Not tried' "$log"; else cat "$log"; fi

# "name: kills 20, acked 68630, lost 0, …" of each fault that was counted; a sum that was never named is none.
awk -v seconds=$((SECONDS - began)) -v status="$status" '
    /^[a-z-]+: / {
        faults++
        sub(/^[a-z-]+: /, "")
        count = split($0, parts, /, /)
        for (i = 1; i <= count; i++) if (match(parts[i], / [0-9]+$/))
            sums[substr(parts[i], 1, RSTART - 1)] += substr(parts[i], RSTART + 1)
    }
    END {
        violations = sums["lost"] + sums["twice"] + sums["false 200"] + sums["residual"]
        printf "chaos: faults %d, kills %d, acked %d, lost %d, twice %d, false 200 %d, residual %d, seconds %d\n",
            faults, sums["kills"], sums["acked"], sums["lost"], sums["twice"], sums["false 200"], sums["residual"],
            seconds
        exit status || violations || !faults
    }' "$figures"
