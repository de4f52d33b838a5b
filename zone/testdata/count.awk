# Counts what the real zonelets hold, without any of our code: one file at a
# time, -v zone=102.in-addr.arpa. The claims are those of TestMergeReal, written
# once more as patterns.

function inside(o,   n, p) {
	if (o ~ /(^|\.)(41|102|105|154|196|197)\.in-addr\.arpa$/) return 1
	if (o ~ /(^|\.)(135|24)\.62\.in-addr\.arpa$/) return 1
	if (o ~ /(^|\.)232\.129\.in-addr\.arpa$/) return 1
	if (o ~ /(^|\.)12\.155\.in-addr\.arpa$/) return 1
	if (o ~ /(^|\.)64\.217\.in-addr\.arpa$/) return 1
	if (o ~ /^[0-9]+\.123\.202\.in-addr\.arpa$/) { split(o, p, "."); return p[1] < 32 }
	if (o ~ /(^|\.)[0-7]\.2\.4\.1\.0\.0\.2\.ip6\.arpa$/) return 1
	return 0
}

/^[ \t]*(;|\$|$)/ { next }

{
	$0 = tolower($0)
	owner = $1
	sub(/\.$/, "", owner)
	i = 2
	while ($i ~ /^[0-9]+$/ || $i == "in") i++
	type = $i
	if (type != "ns" && type != "ds") next
	data = ""
	for (i++; i <= NF; i++) data = data " " $i
	key = owner " " type data
	if (key in seen) { duplicates++; next }
	seen[key] = 1
	if (owner == zone) { apex++; next }
	count[owner, type]++
	owners[owner] = 1
}

END {
	for (o in owners) {
		if (!inside(o)) { outside++; continue }
		n++
		ns += count[o, "ns"]
		ds += count[o, "ds"]
		if (count[o, "ns"] == 1) single++
	}
	printf "owners %d ns %d ds %d duplicates %d apex %d single %d outside %d\n", n, ns, ds, duplicates, apex, single, outside
}
