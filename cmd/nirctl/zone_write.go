package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone/publish"
	"nirzone/zone/seal"
)

// replace puts the files in place, in order. Every file is complete on disk
// before the first is replaced: what can fail for want of space or permission
// fails there and changes nothing. A crash between two renames leaves seals that
// are newer than the zonelet, which looks like the race that registries know;
// never the other way round.
func replace(ctx context.Context, fsys publish.FS, files []madeFile) (err error) {
	temps := make([]*publish.Temp, len(files))
	for i, f := range files {
		if isFolder(f.path) {
			return fmt.Errorf("writing %s: it is a folder", f.path)
		}
		if temps[i], err = publish.CreateTemp(fsys, filepath.Dir(f.path), 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", f.path, err)
		}
		defer temps[i].Discard()
		if _, err = temps[i].Write(f.data); err == nil {
			err = temps[i].Finish()
		}
		if err != nil {
			return fmt.Errorf("writing %s: %w", f.path, err)
		}
	}
	if ctx.Err() != nil {
		return errCancelled // the last moment: from here on it takes no time
	}
	for i, f := range files {
		if err := temps[i].Commit(filepath.Base(f.path)); err != nil {
			return fmt.Errorf("replacing %s, make it again: %w", f.path, err)
		}
	}
	return nil
}

// signer reads the secret key, nil if none is given.
func (m *maker) signer(ctx context.Context) (*seal.Key, error) {
	if m.key == "" {
		return nil, nil
	}
	data, err := m.secret(ctx, m.key)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	var pass []byte
	if m.passphrase != "" {
		if pass, err = m.secret(ctx, m.passphrase); err != nil {
			return nil, fmt.Errorf("reading the passphrase: %w", err)
		}
		pass = []byte(strings.TrimRight(string(pass), "\r\n"))
	}
	key, err := seal.ParseKey(filepath.Base(m.key), data, pass)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	return key, nil
}

// secret reads a file that only its owner may read.
func (m *maker) secret(ctx context.Context, file string) ([]byte, error) {
	if file == "-" {
		return nil, shell.Usage(errors.New("secrets are not read from standard input"), "--key FILE")
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder", file)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, &shell.Exit{Code: 1, Err: fmt.Errorf("%s can be read by others", file), Hint: "chmod 600 " + shell.Quote(file)}
	}
	return m.read(ctx, file, maxSecret)
}
