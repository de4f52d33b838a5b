package publish

import (
	"errors"
	"path/filepath"
	"strings"
)

// Littered reports whether a crash left something in the tree that the next
// [Tree.Begin] removes: a draft, a generation that was never published, one that
// was half removed, a temporary file. A run that has nothing to publish asks it
// to know whether it may leave Begin out. It only reads.
func (t Tree) Littered() (bool, error) {
	cur, err := t.Current()
	if err != nil && !errors.Is(err, ErrNone) {
		return false, err
	}
	in, err := t.read()
	if err != nil {
		return false, err
	}
	if len(in.drafts) > 0 || len(in.above(cur.Number)) > 0 {
		return true, nil
	}
	dirs := []string{t.root()}
	if cur.Number != 0 {
		dirs = append(dirs, cur.Dir)
	}
	for _, n := range in.gone {
		if n <= cur.Number {
			return true, nil
		}
		dirs = append(dirs, t.hidden(gonePrefix, n)) // kept, but empty
	}
	return t.anyLitter(dirs)
}

func (t Tree) anyLitter(dirs []string) (bool, error) {
	for _, dir := range dirs {
		entries, err := t.fs().ReadDir(dir)
		if err := ignoreNotExist(err); err != nil {
			return false, err
		}
		gone := strings.HasPrefix(filepath.Base(dir), gonePrefix)
		for _, e := range entries {
			if gone || !e.IsDir() && strings.HasPrefix(e.Name(), tempPrefix) {
				return true, nil
			}
		}
	}
	return false, nil
}
