// Package observe asks name servers what they really answer: the authoritative
// servers of every published zone, each at every address, for the apex and a
// sample of delegations, and the servers of the parent zones for the DS sets. It
// holds no key, judges no signature and believes nobody: what it brings back is
// evidence, spool/observations.json, which zonebuild judges.
//
// # What is asked
//
// Of every address of every server of a zone, with the DO bit, without recursion:
// SOA, NS, DNSKEY and ZONEMD of the zone, and the NS of some delegations. Which
// ones follows from a hash of the run's number, the zone and the name, so that runs
// differ and a run can be repeated. What should come is read from public/current: an
// address with the published serial must give the published bytes.
//
// Of every address of every server of the parent: its DNSKEY and NS sets, and for
// each zone the DS set. The DNSKEY and DS sets from the parent up to the trust
// anchor come from the recursive resolvers.
//
// # Who serves the parent
//
// A DS counts as seen everywhere only if every server of the parent was asked, so
// a list that leaves one out retires a key too early. The list is therefore not the
// resolvers' word:
//
//   - if [[observe.parent]] names servers of the parent, these are all: a person
//     answers for the list;
//   - else the resolvers say whom to ask first, and whoever the NS set at the
//     parent's apex names, at any of its own servers, is asked as well, in the same
//     run. zonebuild counts the list only if one such NS set is fresh and validates
//     to the trust anchors;
//   - a server that is no longer named, by the lists or the resolvers, and an address
//     that is no longer found, are asked and waited for until they have not been
//     named for seven days ([zone.ParentHold]), longer than caches keep an NS set.
//     Whoever cannot wait names the servers in [[observe.parent]].
//
// So a list grows at once and shrinks slowly. Lies can only make it longer, and a
// key step wait; that it shrank is a notice (parent-shrank).
//
// # What an answer is
//
// An answer comes from the address that was asked, bears the id and the question of
// the query, is whole (UDP first, TCP if it is truncated or broken), is
// authoritative, and has at most 64 records and 32 signatures a set. Anything else
// is a fault: silent, lame or malformed. At most 16 datagrams are read for one
// question, none longer than was asked for, and one message of at most 65535 octets
// over TCP, all within the time of one try.
//
// A server that leaves three questions in a row unanswered is left alone for the
// rest of the run. No address gets more than observe.rate questions a second.
//
// # What is written
//
// The file is replaced in one step, with the lock of the spool held for that
// moment only; a lock of its own keeps two runs apart. A run that was interrupted
// records what it has finished: an address that it did not get to keeps what it had.
package observe
