// Package sign holds the DNSSEC keys of parent zones, signs merged zones with
// them, and verifies what it signed. It is the only package that reads private
// keys; it dials nothing.
//
// # What it guarantees
//
//   - Signing is a function: the same zone, keys, policy, prior serial and now
//     give the same bytes on any machine, with any number of processors. ECDSA
//     is deterministic (RFC 6979); Ed25519 (RFC 8080) and RSA PKCS #1 v1.5 (RFC
//     5702) are by nature.
//   - A [Signed] zone cannot be written. Only [Verify] makes a [Verified], and
//     only that satisfies publish.Publishable. Verify works on the very bytes
//     that will be published, by other code than the signer's: they are parsed
//     back and packed by the DNS library, and judged from there.
//   - A private key never leaves its [Key] but as signatures: no format verb,
//     log record or encoder shows it, and [LoadKeys] refuses key files that
//     others can read.
//
// # Keys on disk
//
// Keys are in the form of BIND 9, so that its tools can show, make and use
// them: for the zone 202.in-addr.arpa and the key tag 12345 of algorithm 13
//
//	keys/202.in-addr.arpa/K202.in-addr.arpa.+013+12345.private   0600, v1.3 with timing metadata
//	keys/202.in-addr.arpa/K202.in-addr.arpa.+013+12345.key       the DNSKEY record
//
// A key's state is derived from its times (RFC 7583, section 3.1) and stored
// nowhere. Created, Publish, Active, Retire and Remove are BIND's Created,
// Publish, Activate, Inactive and Delete. Ready is a KSK's SyncPublish: the
// time from which a DS may be asked for; a ZSK is ready when it is active.
//
// [Init] writes the private file first. A crash between the two leaves a
// .private without a .key, which LoadKeys refuses and the next Init completes:
// the public half follows from the private one, and the flags from the key tag
// in the file's name. A .key without a .private was not left by Init.
//
// # Slots
//
// Time is cut into slots of equal length (11 d), whose phase is a hash of zone
// and owner name: one of 11 in a slot, so that a zone's signatures come due in 11
// even batches, one a day, at a time of day that a hash of the zone's name gives.
// A name's signatures are valid from the start of its present slot minus the
// inception offset (1 h) until the start plus the validity (21 d). So each name
// is signed anew once a slot, 1/11 of them a day, with 10 d left, no state is
// needed to know when, and no two sites disagree. A slot is signed by the ZSK
// that was active at its start, so a roll moves signatures as they come due;
// where none was active then (a young zone), by the key that became active first.
// The DNSKEY set is signed by every KSK in it from its Active to its Remove.
//
// # Roles and algorithms
//
// A KSK signs the DNSKEY set, a ZSK everything else, a CSK both ([Key.SignsKeys],
// [Key.SignsZone]). With keys of several algorithms in use, every RRset has one
// signature of each, and a DNSKEY set in which an algorithm is that does not sign
// everything is refused (RFC 4035, section 2.2). For the roll of an algorithm
// (RFC 6781, section 4.1.4, conservative), keys may sign before they are in the
// DNSKEY set and after: see [Timing].
//
// Keys marked with [Key.CDS] are named by CDS and CDNSKEY sets at the apex, which
// tell the parent what its DS set should be (RFC 7344); a policy with DeleteDS
// puts the delete form there (RFC 8078, section 4). Both sets are signed by the keys
// that sign the DNSKEY set, and by a KSK that signs before it is in it.
//
// # Denial
//
// The policy's Denial chooses NSEC or NSEC3 (RFC 5155), the latter with SHA-1, no
// further iterations, no salt and no opt-out (RFC 9276): every name with
// authoritative data, every delegation and every empty name above one has its
// record. The owner of an NSEC3 record is a name like any other: it stands in
// canonical order, and has a slot of its own. A change from one to the other is
// one publication, in which every record of the old kind goes and every one of the
// new comes.
//
// # Serials
//
// A zone's body is everything in it but the serial and what follows from it
// (ZONEMD and two signatures), together with the slots and keys of those
// signatures. Its digest is Facts.Body. A zone with the body of the one
// published before keeps that serial, and therefore every byte; any other gets
// the next serial of its family.
//
// # The file
//
// The zone file has one record a line, each with its absolute owner, so grep
// finds all there is about a name:
//
//	28.12.202.in-addr.arpa.	86400	IN	NS	ns1.example.net.
//
// The SOA comes first, as a loader wants it; everything else is in canonical
// order (RFC 4034, section 6.1), each name's records by type, signatures and
// NSEC among them. There are no directives, comments or parentheses.
package sign
