package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/zone"
	"nirzone/zone/publish"
	"nirzone/zone/sign"
)

// maxBook bounds a key book: thousands of keys fit.
const maxBook = 4 << 20

func (a *app) bookFile(z zone.Name) string {
	return filepath.Join(a.cfg.State, "keys", z.File()+".json")
}

// readBook reads the key book of a zone. The book is never nil: one that is lost or
// cannot be read decides nothing new, and signing goes on.
func (a *app) readBook(z zone.Name) (*zone.KeyBook, error) {
	data, err := shell.ReadFile(a.bookFile(z), maxBook)
	if errors.Is(err, fs.ErrNotExist) {
		return a.lostBook(z), nil
	}
	var book *zone.KeyBook
	if err == nil {
		book, err = zone.ParseKeyBook("keys/"+z.File()+".json", z, data)
	}
	if err != nil {
		return a.lostBook(z), err
	}
	return book, nil
}

// lostBook is what stands of a key book that is not there: a zone that is published
// with the request to take every DS away goes on asking, because the parent would
// take CDS records as the wish to have them back (RFC 8078, sections 3 and 4).
func (a *app) lostBook(z zone.Name) *zone.KeyBook {
	book := &zone.KeyBook{Zone: z}
	if g := a.entryOf(z); g != nil && g.DeleteDS {
		book.DeleteDS = &zone.BookDecision{Time: a.prev.Time, By: "unknown", Message: "as published: who decided it was in a key book that is lost"}
	}
	return book
}

// writeBook replaces the key book of a zone.
func (a *app) writeBook(book *zone.KeyBook) error {
	file := a.bookFile(book.Zone)
	if err := publish.MkdirAll(a.fs, filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("writing the key book: %w", err)
	}
	if err := publish.WriteFile(a.fs, file, book.Encode(), 0o600); err != nil {
		return fmt.Errorf("writing the key book: %w", err)
	}
	return nil
}

// noteKey writes down that a key belongs to the zone. A crash after it leaves a
// note of a key that never was.
func (a *app) noteKey(w *keyWork, k sign.Key, how string) error {
	if w.bookErr != nil {
		return fmt.Errorf("the key could not be noted, and would not be used: %w", w.bookErr)
	}
	if w.book.Knows(k.Digest()) {
		return nil
	}
	w.book.Add(zone.BookKey{Key: k.ID, Digest: k.Digest(), How: how, Time: a.now.UTC()})
	return a.writeBook(w.book)
}

// decision is what is kept of a person's decision.
func (a *app) decision(message string) zone.BookDecision {
	by := "unknown"
	if u, err := user.Current(); err == nil {
		by = u.Username
	}
	return zone.BookDecision{Time: a.now.UTC(), By: by, Message: message}
}

// zoneNamed returns the published entry and the group of a zone that a person
// named.
func (a *app) zoneNamed(arg string) (zone.Name, *zone.Group, *zone.GenerationZone, error) {
	zones, err := a.keyZones([]string{arg})
	if err != nil {
		return "", nil, nil, err
	}
	z := zones[0]
	return z, a.cfg.Group(z), a.entryOf(z), nil
}

// entryOf is what is published of a zone, nil if nothing is.
func (a *app) entryOf(z zone.Name) *zone.GenerationZone {
	if a.prev == nil {
		return nil
	}
	return a.prev.Zone(z)
}

// reasoned refuses a decision without a reason.
func reasoned(message, command string) error {
	if strings.TrimSpace(message) == "" {
		return shell.Usage(fmt.Errorf("%s needs -m REASON", command), "")
	}
	return nil
}

// askParent is what the parent's servers are believed to say of a zone's DS. Tests
// put another parent in its place.
var askParent = func(a *app, z zone.Name) sign.Parent {
	if a.judge == nil {
		a.believe(a.readObserved())
	}
	if a.unseen != nil {
		return sign.Parent{Missing: []string{a.unseen.Error()}}
	}
	s := a.judge.Zone(z)
	p := sign.Parent{Complete: s.Complete, Missing: s.Missing}
	for _, row := range s.Rows {
		answer := sign.ParentAnswer{Server: fmt.Sprintf("%s at %s", row.Server, row.Address), Time: row.Time, TTL: row.TTL}
		for _, ds := range row.DS {
			answer.DS = append(answer.DS, ds.Data)
		}
		p.Answers = append(p.Answers, answer)
	}
	return p
}

// trust notes that a person named the keys that are in the DNSKEY set now, as a
// whole.
func (a *app) trust(book *zone.KeyBook, keys []sign.Key, message string) error {
	t := &zone.BookTrust{Expires: a.now.UTC().Add(a.cfg.Gates.Expires), BookDecision: a.decision(message)}
	for _, k := range keys {
		if k.InUse(a.now) {
			t.Digests = append(t.Digests, k.Digest())
		}
		book.Add(zone.BookKey{Key: k.ID, Digest: k.Digest(), How: "trusted", Time: a.now.UTC()})
	}
	slices.Sort(t.Digests)
	book.Trust = t
	return a.writeBook(book)
}
