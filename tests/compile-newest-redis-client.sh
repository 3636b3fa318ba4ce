#!/bin/sh
# Compiles src/Affinity.Middleware against newer StackExchange.Redis assemblies than the one it is built with, so that the promise
# "the same sources, any client from 1.2.6 on" is checked. Only the client's own package is fetched, without its dependencies: not
# every registry has those, and no signature that we use mentions them.
#
#   tests/compile-newest-redis-client.sh [version...]     default: the newest version of Directory.Packages.props, and 2.13.23
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
newest=$(sed -n 's:.*<StackExchangeRedisNewestVersion>\(.*\)</StackExchangeRedisNewestVersion>.*:\1:p' "$root/Directory.Packages.props")
[ -n "$newest" ] || { echo "StackExchangeRedisNewestVersion is not in Directory.Packages.props" >&2; exit 1; }
[ $# -gt 0 ] || set -- "$newest" 2.13.23

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
packages=$(dotnet nuget locals global-packages -l | sed 's/^global-packages: *//')

# A copy, so that the build in place stays as it is.
tree=$work/tree
mkdir -p "$tree/src"
cp "$root/Directory.Build.props" "$root/Directory.Packages.props" "$root/.editorconfig" "$root/global.json" "$tree/"
(cd "$root/src" && tar -cf - --exclude=bin --exclude=obj Affinity.Middleware) | tar -xf - -C "$tree/src"

for version in "$@"; do
    mkdir -p "$work/fetch-$version"
    cat > "$work/fetch-$version/fetch.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework><NuGetAudit>false</NuGetAudit></PropertyGroup>
  <ItemGroup><PackageDownload Include="StackExchange.Redis" Version="[$version]" /></ItemGroup>
</Project>
PROJECT
    dotnet restore "$work/fetch-$version/fetch.csproj" -v q --nologo

    client=
    for framework in net10.0 net9.0 net8.0; do
        candidate="${packages%/}/stackexchange.redis/$version/lib/$framework/StackExchange.Redis.dll"
        [ -f "$candidate" ] && { client=$candidate; break; }
    done
    [ -n "$client" ] || { echo "StackExchange.Redis $version has no assembly for net8.0 or later" >&2; exit 1; }

    dotnet build "$tree/src/Affinity.Middleware/Affinity.Middleware.csproj" -v q --nologo -t:Rebuild -p:RunAnalyzers=false "-p:RedisClientAssembly=$client"
    echo "compiled src/Affinity.Middleware against StackExchange.Redis $version ($framework)"
done
