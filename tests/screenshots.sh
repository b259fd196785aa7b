#!/usr/bin/env bash
# Builds, starts a gateway from scratch and takes a picture of each page of its console; the last line says how many.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p "$1"
folder=$(cd "$1" && pwd)
echo "Building ..."
dotnet build tests/Gateway.Console.Tests/Gateway.Console.Tests.csproj -c Release --nologo -v quiet
echo "Taking pictures ..."
SCREENSHOTS=$folder dotnet test tests/Gateway.Console.Tests/Gateway.Console.Tests.csproj -c Release --no-build --nologo \
    --filter FullyQualifiedName~ScreenshotTests
echo "$(find "$folder" -name '*.png' | wc -l) pictures in $folder"
