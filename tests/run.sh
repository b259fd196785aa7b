#!/usr/bin/env bash
# Builds everything, runs every test project in turn, and ends with "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."

echo "Building ..."
dotnet build Gateway.sln -c Release --nologo -v quiet || { echo "0 passed, 1 failed"; exit 1; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
for project in Gateway.Core.Tests Gateway.Tests Gateway.Console.Tests; do
    echo "Running $project ..."
    dotnet test "tests/$project/$project.csproj" -c Release --no-build --nologo \
        --logger "console;verbosity=normal" 2>&1 | tee -a "$log" || status=1
done

# "Total tests: 12", then "     Passed: 11" and "     Failed: 1", from each project.
passed=$(awk '/^ +Passed: +[0-9]+$/ { sum += $2 } END { print sum + 0 }' "$log")
failed=$(awk '/^ +Failed: +[0-9]+$/ { sum += $2 } END { print sum + 0 }' "$log")

# What failed once more at the end, where it is found: everything else scrolls by.
awk '/^  Failed / { print; shown = 1; left = 40; next }
     /^  (Passed|Skipped) / || /^Test Run / || /^\[xUnit/ { shown = 0 }
     shown && left-- > 0' "$log"

# A project that died before it could count is a failure too.
[ "$status" = 0 ] || [ "$failed" -gt 0 ] || failed=1
[ "$passed" -gt 0 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
