// Package resolver is a model of every cache that the validating resolvers of
// the Internet may hold of one zone (RFC 7583). It knows no keys, files or
// clock: it is told what was, is and will be published, and says which
// combination of cached answers would not validate, and when.
//
// # What a resolver may hold
//
// A [Timeline] has three kinds of [Set]: DS sets at the parent, DNSKEY sets, and
// the zone's other sets ("data") with whoever signed them. A set that is
// published from one time until another is served until a propagation delay
// later, since servers do not change at the same moment, and held in caches for
// another TTL. Each of the three is fetched when a resolver happens to need it,
// so whatever can be held at one time can be combined.
//
// # What is bogus
//
// Where the DS set is empty, nothing is: the zone is insecure. Otherwise a
// combination is bogus if
//
//   - for an algorithm of the DS set, no key that it points to is in the DNSKEY
//     set and signs it (RFC 4035, section 5.2);
//   - for an algorithm of the DNSKEY set, the data has no signature by a key of
//     that set. That is how strict validators read RFC 4035, section 2.2; lenient
//     ones take any signature (RFC 6840, section 5.11), and so accept more;
//   - the signatures are served before their inception or after their expiry.
//     A cache does not hold a set longer than its signatures are valid (RFC 4035,
//     section 5.3.3), so what was served in time is no longer there then.
//
// # How
//
// Everything changes at a finite number of instants, so the model compares
// intervals and ticks through no time: with a few sets of each kind a proof
// takes microseconds.
package resolver
