package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone"
)

// Limits on the files that nirctl reads, in octets.
const (
	maxFile   = 1 << 30  // a zonelet, whatever its source's limit says
	maxClaims = 64 << 20 // claims
	maxSecret = 1 << 20  // keys and passphrases
)

// errCancelled ends a command after Ctrl-C.
var errCancelled = &shell.Exit{Code: 1, Err: errors.New("cancelled")}

// read reads a file, or standard input for "-". It gives up when ctx ends: a
// pipe or a terminal may never say anything, and the reading goroutine then
// goes with the process.
func (a *app) read(ctx context.Context, file string, limit int64) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := a.readNow(file, limit)
		done <- result{data, err}
	}()
	select {
	case <-ctx.Done():
		return nil, errCancelled
	case r := <-done:
		if ctx.Err() != nil {
			return nil, errCancelled
		}
		return r.data, r.err
	}
}

func (a *app) readNow(file string, limit int64) ([]byte, error) {
	if file != "-" {
		return shell.ReadFile(file, limit)
	}
	data, err := io.ReadAll(io.LimitReader(os.Stdin, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("standard input: over %d octets", limit)
	}
	return data, err
}

// readBeside reads a file that may be missing: then data is nil.
func (a *app) readBeside(ctx context.Context, name string, limit int64) ([]byte, error) {
	data, err := a.read(ctx, name, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && data == nil {
		data = []byte{} // it is there, and empty
	}
	return data, err
}

// isFolder reports whether name is a folder that is there.
func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// baseNames are the names that registries give to a zonelet's file, the policy's
// own first.
func baseNames(z zone.Name, source string) []string {
	names := []string{z.File() + "-" + source}
	if p, ok := z.Prefix(); ok && p.Addr().Is4() && p.Bits() == 8 {
		octet := p.Addr().As4()[0]
		names = append(names, fmt.Sprintf("%03d-%s", octet, source), fmt.Sprintf("%d-%s", octet, source))
	}
	return names
}

// inFolder returns the zonelet of a source for a zone in a folder, under any of
// its names; "" if there is none.
func inFolder(dir string, z zone.Name, source string) string {
	for _, base := range baseNames(z, source) {
		if name := filepath.Join(dir, base); isFile(name) {
			return name
		}
	}
	return ""
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// splitName takes "202.in-addr.arpa-JPNIC", "202-JPNIC" or "041-AFRINIC" apart.
func splitName(base string) (z zone.Name, source string, ok bool) {
	i := strings.LastIndexByte(base, '-')
	if i <= 0 || i == len(base)-1 {
		return "", "", false
	}
	left, source := base[:i], base[i+1:]
	if len(left) <= 3 && strings.Trim(left, "0123456789") == "" {
		left = strings.TrimLeft(left[:len(left)-1], "0") + left[len(left)-1:] + ".in-addr.arpa"
	}
	z, err := parentZone(left)
	return z, source, err == nil
}

// parentZone reads the name of a parent zone: one of the reverse tree, below
// its two roots.
func parentZone(s string) (zone.Name, error) {
	z, err := zone.ParseName(strings.ToLower(s))
	if err != nil {
		return "", err
	}
	p, ok := z.Prefix()
	if !ok || p.Bits() == 0 {
		return "", fmt.Errorf("%s is no zone of the reverse tree (in-addr.arpa, ip6.arpa)", z.File())
	}
	return z, nil
}
