#!/bin/sh
# What a Unix socket buys over TCP loopback on this machine: runs the benchmarks over a range of
# sizes, and prints a report. The files stay in target/bench.
#
#   ./bench.sh            at most six minutes after the build
#   ./bench.sh --quick    less than 45 seconds, and rougher
set -eu
cd "$(dirname "$0")"

latency_sizes='1 16 64 128 256 1K 4K 16K 64K'
latency='-n 10000 -r 5'
bandwidth='-s 64,256,1K,4K,16K,64K,256K,512K,1M,4M,16M,32M --total 512M -r 5'
case "${1-}" in
'') ;;
--quick)
    latency_sizes='1 128 4K 64K'
    latency='-n 2000 -r 3'
    bandwidth='-s 64,4K,64K,512K,16M,32M --total 128M -r 5'
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

cargo build --release --examples
programs="${CARGO_TARGET_DIR:-target}/release/examples"
out="${CARGO_TARGET_DIR:-target}/bench"
mkdir -p "$out"

# Appends the rows of a run, with the header if they are the first.
append() {
    if [ -s "$1" ]; then sed 1d; else cat; fi >>"$1"
}

: >"$out/pingpong.csv"
for size in $latency_sizes; do
    echo "latency, $size bytes" >&2
    "$programs/pingpong" -s "$size" $latency --csv >"$out/run.csv"
    append "$out/pingpong.csv" <"$out/run.csv"
done

# One CPU for both ends: the first that this shell may use.
if cpu=$(taskset -cp $$ 2>/dev/null | sed 's/.*: *//; s/[^0-9].*//') && [ -n "$cpu" ]; then
    for size in $latency_sizes; do
        echo "latency, $size bytes, on one CPU" >&2
        taskset -c "$cpu" "$programs/pingpong" -s "$size" $latency --wait block --csv >"$out/run.csv"
        sed 's/^pingpong,/pingpong-1cpu,/' "$out/run.csv" | append "$out/pingpong.csv"
    done
fi

echo "bandwidth, from 64 bytes to 32M" >&2
"$programs/bandwidth" $bandwidth --csv >"$out/bandwidth.csv"
rm -f "$out/run.csv"

RUSTC_VERSION=$(rustc --version | cut -d' ' -f1,2) \
    "$programs/report" "$out/pingpong.csv" "$out/bandwidth.csv" "$out"
echo "written: $out/report.md, latency.svg, throughput.svg, pingpong.csv, bandwidth.csv" >&2
