#!/bin/sh
# Runs every fuzz target of the module for a while. A module without fuzz
# targets, or a target without seeds, is a failure: both mean that something
# was lost.
set -eu

time=${1:-10s}
targets=$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u)
if [ -z "$targets" ]; then
	echo "fuzz: no fuzz target found" >&2
	exit 1
fi
count=0
for dir in $targets; do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go); do
		echo "== $dir $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$dir" | tee /tmp/nirzone-fuzz.$$
		# "gathering baseline coverage: 0/N completed" names the seeds
		if ! grep -q 'baseline coverage: 0/[1-9]' /tmp/nirzone-fuzz.$$; then
			echo "fuzz: $target has an empty seed corpus" >&2
			rm -f /tmp/nirzone-fuzz.$$
			exit 1
		fi
		rm -f /tmp/nirzone-fuzz.$$
		count=$((count + 1))
	done
done
echo "fuzz: $count targets"
