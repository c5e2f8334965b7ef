#!/bin/sh
# What a Unix socket buys on this machine, beside what the article claims: prints a report, and puts it
# into target/bench with its pictures and data.
#
#   ./bench.sh            at most 4 minutes after the build
#   ./bench.sh --quick    at most 75 seconds, and rougher
here=$(dirname "$0")
exec cargo run --release --manifest-path "$here/Cargo.toml" -- article "$here/target/bench" "$@"
