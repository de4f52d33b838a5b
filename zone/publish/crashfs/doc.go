// Package crashfs tests what package publish promises: it records file
// operations, fails them, and shows what a power loss would leave of them.
//
// # The model
//
// A power loss keeps what was synced. Of the rest it may keep anything:
//
//   - a file's data survives up to the length it had at its last fsync;
//   - a directory's entries (created, renamed, linked, removed) survive as they
//     were at the directory's last fsync. Syncing a file does not make its name
//     durable, nor does syncing a directory its own name or its subfolders' entries;
//   - symbolic links have their target in the entry.
//
// [Recorder] logs the operations on a folder as values, after first describing
// what was there, as durable. [Replay] makes of any prefix of that log the folder
// that a crash at that point leaves, in the given [Mode]: with everything that was
// not synced lost; with all names kept and all unsynced data lost, the classic
// hazard of journaling file systems; with a random part of either kept; or with
// everything kept, which is what kill -9 does.
//
// [Fail] lets operations fail: one of them, or all from one on; with any error,
// with a short write, or by calling a function that kills the process.
//
// Put together: Fail over Recorder is a process that dies at
// its k-th operation, a later run over the same Recorder is its successor with the
// page cache still warm, and Replay of every prefix is the power loss after that.
package crashfs
