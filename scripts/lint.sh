#!/bin/sh
# Lints the module with tools of exact versions, installed into the folder
# given.
set -eu

tools=$1
export GOBIN="$tools"
[ -x "$tools/staticcheck" ] || go install honnef.co/go/tools/cmd/staticcheck@v0.8.2
[ -x "$tools/gofumpt" ] || go install mvdan.cc/gofumpt@v0.12.0
[ -x "$tools/govulncheck" ] || go install golang.org/x/vuln/cmd/govulncheck@v1.8.0

echo "== gofumpt"
unformatted=$("$tools/gofumpt" -l .)
if [ -n "$unformatted" ]; then
	echo "not formatted; gofumpt -w would change:" >&2
	echo "$unformatted" >&2
	exit 1
fi
echo "== go vet"
go vet ./...
echo "== staticcheck"
"$tools/staticcheck" ./...
echo "== go mod tidy"
go mod tidy -diff
echo "== govulncheck"
if out=$("$tools/govulncheck" ./... 2>&1); then
	echo "no known vulnerability"
elif echo "$out" | grep -qE 'dial tcp|no such host|connection refused|403|Forbidden|fetching vulnerabilities|i/o timeout'; then
	echo "SKIPPED: the vulnerability database cannot be had from here"
else
	echo "$out" >&2
	exit 1
fi
