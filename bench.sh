#!/bin/sh
# What a Unix socket buys on this machine, over TCP loopback and pipes: runs sockbench over a range of
# sizes, and prints a report. The files stay in target/bench.
#
#   ./bench.sh            at most six minutes after the build
#   ./bench.sh --quick    less than 45 seconds, and rougher
set -eu
cd "$(dirname "$0")"

latency='-s 1,16,64,128,256,1K,4K,16K,64K -n 6000 -r 5'
throughput='-s 64,256,1K,4K,16K,64K,256K,512K,1M,4M,16M,32M --total 512M -r 5'
case "${1-}" in
'') ;;
--quick)
    latency='-s 1,128,4K,64K -n 2000 -r 3'
    throughput='-s 64,4K,64K,512K,16M,32M --total 128M -r 3'
    ;;
-h | --help)
    echo "usage: ./bench.sh [--quick]"
    exit
    ;;
*)
    printf "bench.sh: there is no option %s\nusage: ./bench.sh [--quick]\n" "$1" >&2
    exit 2
    ;;
esac

cargo build --release
sockbench="${CARGO_TARGET_DIR:-target}/release/sockbench"
out="${CARGO_TARGET_DIR:-target}/bench"
mkdir -p "$out"

echo "latency" >&2
"$sockbench" latency $latency --csv >"$out/latency.csv"
# One CPU for both ends: the first that this shell may use.
if cpu=$(taskset -cp $$ 2>/dev/null | sed 's/.*: *//; s/[^0-9].*//') && [ -n "$cpu" ]; then
    echo "latency, on one CPU" >&2
    taskset -c "$cpu" "$sockbench" latency $latency --wait block --csv >"$out/one-cpu.csv"
    sed 's/^latency,/latency-1cpu,/; s/^# /# on one CPU: /' "$out/one-cpu.csv" >>"$out/latency.csv"
    rm "$out/one-cpu.csv"
fi
echo "throughput" >&2
"$sockbench" throughput $throughput --csv >"$out/throughput.csv"

"$sockbench" report "$out/latency.csv" "$out/throughput.csv" "$out"
echo "written: $out/report.md, latency.svg, throughput.svg, latency.csv, throughput.csv" >&2
