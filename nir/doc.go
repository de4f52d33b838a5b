// Package nir is the registry: national Internet registries (NIRs), their
// allocation windows, members, pools, requests, delegations, transfers and whois
// objects, and the rules of policy APNIC-103 by which they change.
//
// # What is guaranteed
//
// One way to write. [DB.Update] runs a function in one transaction. What it
// changes, the audit row that says who changed what when and why, and the messages
// that follow from it are committed together or not at all. [DB.View] hands out a
// type without a method that writes.
//
// Nothing is forgotten. A row is never altered and never deleted: a change ends
// the version that stands and begins another. A version carries the number of the
// event that began it and of the one that ended it, so that any object, window or
// pool can be asked for as of any past time ([AsOf]).
//
// One chain. Every event is one audit row; its hash covers the row and the hash of
// the row before. The rows' changes, replayed from the first, give the live
// state; replayed up to an event, the state as of then. Triggers of the database
// refuse to alter or delete a row of the audit.
//
// One writer at a time, in any number of processes: the chain makes events a
// sequence. That no two delegations of one level overlap is checked by the code,
// and by triggers of the database, which know nothing of the code.
//
// Nothing of the rules lives elsewhere. A command or a server translates its
// arguments into a call of this package and an [Error] into its own terms.
//
// # Storage
//
// SQLite or PostgreSQL, behind database/sql: the caller opens the database and
// names its [Dialect]. Times are microseconds since 1970, numbers of resources
// sixteen octets in network order, lists and structures JSON.
package nir
