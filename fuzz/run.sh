#!/bin/sh
# Fuzzes each target for so many seconds, seeded from tests/corpus. What is found lies in fuzz/artifacts.
set -eu
seconds=${1:-600}
cd "$(dirname "$0")"
mkdir -p corpus/plan corpus/sources corpus/scan
cp fuzz_targets/rules.json corpus/plan/
for file in ../tests/corpus/*/*; do
	case $file in *.md | *.toml) continue ;; esac
	name=$(basename "$file")
	head -c 16384 "$file" >"corpus/scan/$name"
	# The first byte of an input chooses the reader, the second the size of the pieces.
	for reader in 0 1 2 3 4 5 6 7; do
		{
			printf "\\00$reader\\077"
			head -c 16384 "$file"
		} >"corpus/sources/$reader-$name"
	done
done
for target in plan sources scan; do
	# Threads of a scan end after its output: a check for leaks sees them before they do.
	cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -detect_leaks=0
done
