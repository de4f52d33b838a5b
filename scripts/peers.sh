#!/bin/sh
# Installs, from Debian's packages, the servers and signers that nirzone is
# tested and measured against. None of them is started: the tests start their
# own, on loopback ports.
set -eu

packages="bind9 bind9-utils bind9-dnsutils nsd knot knot-dnssecutils ldnsutils unbound
	vsftpd rsync openssh-client openssh-server nginx-light gnupg postgresql exim4-daemon-light"

missing=""
for p in $packages; do
	dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
if [ -z "$missing" ]; then
	echo "peers: all are installed"
	exit 0
fi

as_root=""
if [ "$(id -u)" != 0 ]; then
	as_root="sudo"
fi

# Debian starts a server when it is installed unless this file says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
	$as_root chmod 755 "$policy"
	trap '$as_root rm -f "$policy"' EXIT
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
