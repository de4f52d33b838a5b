// Package stats reads and writes the statistics exchange format of the regional
// Internet registries: which number resources a registry has allocated or
// assigned, and in its extended form also what is available or reserved and who
// holds it by an identifier that says nothing else.
//
// # The format
//
// Lines of fields with | between them. A line that starts with # is a comment,
// an empty one is nothing.
//
//	version|registry|serial|records|startdate|enddate|UTCoffset   header, first
//	registry|*|type|*|count|summary                               one for each type
//	registry|cc|type|start|value|date|status                      a record
//	registry|cc|type|start|value|date|status|opaque-id|…          of the extended form
//
// Versions 2 and 2.x are read. The registry is a word in lower case; in a file of
// the registry nro, records name others. The types are asn, ipv4 and ipv6. A
// value is a count of numbers for asn and ipv4, which need not be a power of
// two, and a prefix length for ipv6. The economy cc is two letters (ISO 3166-1),
// or empty. A date is yyyymmdd; 00000000 and an empty field are both no date.
// The statuses are those of [Status]; files of the first form have records
// allocated and assigned alone. What follows the opaque-id are extensions: kept,
// not understood.
//
// # Reading
//
// [Read] is a stream: it holds one line. It tells every mistake of a file at
// once, with file and line, up to a limit: a record that cannot be right, a count
// of the header or a summary that is not that of the records, a last line that
// was cut. What a file says is true only if there was no mistake: the counts are
// known at its end.
//
// # Writing
//
// What [Write] writes depends on its arguments alone. Its rules of order: the
// comments, the header, summaries of asn, ipv4, ipv6, and then the records by type
// in this order, by start, and by size, the greater first. Numbers have one form
// (RFC 5952, RFC 5396). An IPv6 range that is no prefix becomes the records of its
// prefixes. A record without date has 00000000 if it is allocated or assigned,
// and an empty field otherwise. Header and summaries count what was written.
package stats
