// Package fetch brings the zonelets of the configured sources into the spool:
// untrusted bytes in, verified files out. It holds no private key of the zones.
//
// # What is asked for
//
// The names of all files are computed from the configuration
// ([zone.Source.FileName] and its .md5 and .asc). A directory listing can only
// say which of these names exist: nothing a server sends becomes a path, a URL
// or an argument of a command. Files are staged and stored under our own names.
//
// # Order and verification
//
// For each zonelet the sum is fetched, then the file and its signature, then the
// sum again. All are conditional: what the server says has not changed is taken
// from the spool. The bytes, transferred or not, are verified by package seal on
// every run, so that an expired key or a damaged spool is noticed without any
// change at the source. A file that does not match its seals is most often being
// published at this moment: there is one short retry, then the mismatch is noted
// with its time, and it is a failure once it has lasted longer than the source's
// race deadline. A source that fails keeps its last good version.
//
// # The spool
//
//	spool/lock                  held exclusively by the one run that writes
//	spool/objects/<sha256>      bytes that passed verification; never changed
//	spool/manifest.json         written last, in one step
//	spool/evidence/<sha256>     an empty marker: this object is never pruned
//	spool/.stage-*              of a running rsync child; left by a crash, swept
//
// An object is durable before the manifest names it. A crash before the manifest
// is replaced leaves the old manifest, every object it names, and perhaps objects
// that nothing names, which a later run prunes. Objects are removed only after the
// manifest that no longer names them is durable, while no zonebuild runs, and never
// when the manifest, a kept generation, a held plan, an accept or an evidence hold
// names them.
//
// # Hostile servers
//
// Every connection is closed after a silence, at the end of the source's time and
// when the run is cancelled; bytes are counted where they arrive. rsync's protocol
// is spoken by a child process without network, with a private folder, resource
// limits and a wall-clock kill: the program must call [Child] first thing in main.
package fetch
