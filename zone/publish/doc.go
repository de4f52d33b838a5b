// Package publish puts finished files on disk so that a reader, a crash or a
// full disk never sees half of anything. It knows no DNS and imports nothing of
// this module.
//
// # Who may call what
//
// [Tree.Current], [Tree.List] and [Tree.Open] may be called by anybody at any
// time. Everything that writes to a tree is called by the one process that
// holds the exclusive [Lock]; the package takes no lock by itself.
//
// # Files
//
// [WriteFile] and [WriteTo] replace a file durably and in one step. When they
// return nil the new bytes survive a power loss; when they return an error, or
// the machine stops at any point, the name holds the whole old file or the whole
// new one. It is what strace shows:
//
//	openat("spool/.tmp-4711-1", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0644) = 7
//	fchmod(7, 0644)
//	write(7, …)
//	fsync(7)
//	close(7)
//	renameat("spool/.tmp-4711-1", "spool/manifest.json")
//	openat("spool", O_RDONLY|O_CLOEXEC) = 7
//	fsync(7)
//	close(7)
//
// [CreateTemp] is the same for a file that gets its name last. A crash leaves at
// most a file called .tmp-*, which [SweepTemp] removes.
//
// # Generations
//
// A [Tree] is a folder with this in it:
//
//	current -> generations/8          the one published generation
//	generations/7/202.in-addr.arpa    a generation: complete, never changed
//	generations/8/202.in-addr.arpa    a hard link to the above: it did not change
//	generations/8/generation.json     the note, written last
//	generations/.draft-9/             being written; never read by anybody
//	generations/.gone-6/              being removed, or a number that was used up
//	.tmp-4711-1                       left by a crash
//
// Numbers are decimal, without leading zeros, and only rise. The rename of
// current is the one commit:
//
//	… every file: openat(O_EXCL), fchmod(0644), write, fsync, close; or linkat
//	fsync("generations/.draft-9")
//	renameat("generations/.draft-9", "generations/9")
//	fsync("generations")
//	symlinkat("generations/9", ".tmp-4711-2")
//	renameat(".tmp-4711-2", "current")                    ← the commit
//	fsync(".")
//
// From this follows, for a crash (kill -9, power loss) at any point:
//
//   - current names a complete generation, the old one or the new one, and is
//     never a mixture of both;
//   - once [Draft.Commit] has returned nil, it is the new one, also after a power loss;
//   - when Commit has returned an error current has not moved, with one exception
//     that is reported as [ErrMoved];
//   - a draft is never taken for a generation, and a generation that is being
//     pruned is never found half removed under its number.
//
// A crash between the two renames leaves a complete generation newer than
// current: an orphan. It was never published: [Tree.List] and [Tree.Open] do not
// know it. The next [Tree.Begin] renames it to .gone-<n> and empties it, but keeps
// the empty folder until current has passed n: somebody may have seen that number
// in the moment before the crash, so it is not given to other content.
//
// Because a kill keeps the page cache and a later power loss does not, Begin and
// [Tree.Prune] sync the tree before they remove anything: what is removed is
// unneeded by the tree on disk and not merely by the tree in memory.
//
// # What can be published
//
// A [File] is made by [Zone] from a [Publishable], by [Link] from the current
// generation, or by [Note] as a JSON file. There is no other way to make one: that
// a signed but unverified zone cannot be published is a fact of the type system.
//
// # Reload
//
// [Reload] runs the operator's commands after a commit: without a shell, each with
// a time limit, its whole process group killed when that has passed.
package publish
