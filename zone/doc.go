// Package zone is the pure core of nirzone: what a zonelet says, who may say
// it, and what the parent zone becomes. It opens no file, reads no clock and
// draws no random number; everything it needs is an argument.
//
// # From zonelet to zone
//
// A zonelet is a flat file of DNS resource records without a SOA, published by
// a registry for the part of a parent zone that it manages (policy APNIC-103,
// appendix). [ParseFragment] turns its bytes into a [Fragment] or refuses them
// whole, because a dropped line would be a dropped delegation. [Merge] joins
// the fragments of all sources under an [Apex] by their [Claims] into a [Zone];
// it is total, it always finishes, and it says what it decided in [Notice]
// values. [Diff] and [Gate] compare the result with what was published before
// and hold what would lose too much.
//
// # Canonical form
//
// Names are lower case, absolute, in presentation form ([Name]). Record data
// is canonical wire format (RFC 4034, section 6.2) in a string ([Data]), so two
// records are the same if they are ==, sorting needs no decoding (RFC 4034,
// section 6.3), and signing needs no packing. Zones are kept in canonical order
// (RFC 4034, section 6.1).
//
// # Manifests
//
// What one program leaves for the next is a file: [Manifest] is what zonefetch
// verified, [Generation] is what zonebuild decided. Both carry a version; a
// newer version is refused.
package zone
