# Read by load.sh and scaling.sh in the repository's folder: checks that the programs are here, builds, and leaves the command in "bench".
for program in wrk redis-server; do
    command -v "$program" >/dev/null || { echo "$program is not installed: apt-get install $program" >&2; exit 1; }
done
dotnet build bench/Affinity.LoadBench -c Release -v quiet --nologo >&2
bench=(dotnet bench/Affinity.LoadBench/bin/Release/net10.0/Affinity.LoadBench.dll)
