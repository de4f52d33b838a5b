#!/bin/sh
# Runs every fuzz target of the module for a while. A module without fuzz
# targets, or a target without seeds, is a failure: both mean that something
# was lost. With a time of 0 the seeds alone are run.
set -eu

time=${1:-10s}
out=$(mktemp)
trap 'rm -f "$out"' EXIT
targets=$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u)
if [ -z "$targets" ]; then
	echo "fuzz: no fuzz target found" >&2
	exit 1
fi
count=0
for dir in $targets; do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go); do
		seeds=$(go test -run "^$target\$" -v "$dir" | grep -c "^    --- PASS: $target/" || true)
		echo "== $dir $target: $seeds seeds"
		if [ "$seeds" = 0 ]; then
			echo "fuzz: $target has an empty seed corpus" >&2
			exit 1
		fi
		count=$((count + 1))
		[ "$time" = 0 ] && continue
		if go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 1x "$dir" >"$out" 2>&1; then
			grep '^ok' "$out"
		elif grep -q 'context deadline exceeded' "$out" && ! grep -q 'Failing input written' "$out"; then
			# The fuzzing engine ends this way when its time is over in the
			# middle of an input; a finding always has a failing input.
			echo "ok: time over"
		else
			cat "$out"
			exit 1
		fi
	done
done
echo "fuzz: $count targets"
