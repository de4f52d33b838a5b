package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"nirzone/cmd/shell"
	"nirzone/nir/sshsig"
	"nirzone/zone"
	"nirzone/zone/publish"
)

// acceptRole is what keys have to be listed for to sign accepts: the namespace of
// the signatures is accept@nirzone.
const acceptRole = "accept"

const (
	maxSigners    = 1 << 20
	maxSignature  = 16 << 10
	mostSignature = 100 // files of one decision that are read
)

// approvalDir is where the signatures on a decision are, with what they sign and
// the list of signers: a folder for each time that something was decided, so that
// nothing is signed twice by one signature. It stays when the decision is done.
func (a *app) approvalDir(acc *zone.Accept) string {
	return filepath.Join(a.cfg.State, "approvals", acc.Hash+"-"+acc.Time.UTC().Format("20060102T150405.000000000Z"))
}

// person is who types the command, as far as the host can tell: behind sudo, the
// account that called it. Who can become root or the user that runs zonebuild can
// name anybody: needed asks more only of names that are not on the list of signers.
// What closes it is more signatures (docs/operations.md).
func (a *app) person() string {
	if name := os.Getenv("SUDO_USER"); name != "" && a.cfg.Approvals.Needed > 0 {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// signers reads the list of those who may sign.
func (a *app) signers() (*sshsig.Signers, []byte, error) {
	data, err := shell.ReadFile(a.cfg.Approvals.Signers, maxSigners)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the list of signers (gates.signers): %w", err)
	}
	list, err := sshsig.ParseSigners(filepath.Base(a.cfg.Approvals.Signers), data)
	return list, data, err
}

// needed returns how many signatures a decision needs: one more, and why, where who
// gave it is no name on the list of signers. Such a giver counts for nobody: in a
// root shell, or an account that people share, it is one of those who may sign, and
// a signature of theirs would make two people of one.
func (a *app) needed(by string, list *sshsig.Signers) (need int, why string) {
	if need = a.cfg.Approvals.Needed; slices.Contains(list.Names(sshsig.Namespace(acceptRole), a.now), by) {
		return need, ""
	}
	return need + 1, fmt.Sprintf(", one of them because %s, who gave it, is no name in %s", by, filepath.Base(a.cfg.Approvals.Signers))
}

// enoughSigners returns how many signatures a decision of this person needs, and
// refuses one that could never count: the list has fewer people than have to sign.
func (a *app) enoughSigners() (int, error) {
	if a.cfg.Approvals.Needed == 0 {
		return 0, nil
	}
	list, _, err := a.signers()
	if err != nil {
		return 0, fmt.Errorf("%w; nothing was decided", err)
	}
	by := a.person()
	need, why := a.needed(by, list)
	others := slices.DeleteFunc(list.Names(sshsig.Namespace(acceptRole), a.now), func(s string) bool { return s == by })
	if len(others) < need {
		return 0, &shell.Exit{
			Code: 1, Err: fmt.Errorf("it needs %s of others%s, and %s lists %d for %s; nothing was decided", countOf(need, "1 signature", "%d signatures"), why, a.cfg.Approvals.Signers, len(others), sshsig.Namespace(acceptRole)),
			Hint: "add the keys of more people to gates.signers",
		}
	}
	return need, nil
}

// An approval says how far a decision is from counting.
type approval struct {
	need int      // signatures
	why  string   // … that many
	by   []string // whose signatures count, sorted
	bad  []string // why others do not
}

// approved verifies the signatures on a decision, by the list of signers as it is
// now and at this time: a key that was taken off the list counts no more.
func (a *app) approved(acc *zone.Accept) (approval, error) {
	var got approval
	list, _, err := a.signers()
	if err != nil {
		return got, err
	}
	got.need, got.why = a.needed(acc.By, list)
	entries, err := a.fs.ReadDir(a.approvalDir(acc))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return got, fmt.Errorf("reading the signatures: %w", err)
	}
	for i, e := range entries {
		if !strings.HasSuffix(e.Name(), ".sig") || i > mostSignature {
			continue
		}
		data, err := shell.ReadFile(filepath.Join(a.approvalDir(acc), e.Name()), maxSignature)
		var name string
		if err == nil {
			name, err = a.signed(acc, list, string(data))
		}
		if err != nil {
			got.bad = append(got.bad, fmt.Sprintf("%s does not count: %v", e.Name(), err))
			continue
		}
		got.by = append(got.by, name)
	}
	slices.Sort(got.by)
	got.by = slices.Compact(got.by)
	return got, nil
}

// signed verifies one signature and returns whose it is.
func (a *app) signed(acc *zone.Accept, list *sshsig.Signers, armored string) (string, error) {
	name, _, err := list.Verify(sshsig.Namespace(acceptRole), acc.Text(), armored, a.now)
	if err == nil && name == acc.By {
		err = fmt.Errorf("%s gave the decision; somebody else signs it", name)
	}
	return name, err
}

// unsigned says why a decision does not count yet, "" if it does.
func (a *app) unsigned(acc *zone.Accept) string {
	if a.cfg.Approvals.Needed == 0 {
		return ""
	}
	got, err := a.approved(acc)
	switch {
	case err != nil:
		return err.Error()
	case len(got.by) >= got.need:
		return ""
	}
	return strings.Join(append([]string{fmt.Sprintf("%d of %s%s", len(got.by), countOf(got.need, "1 signature", "%d signatures"), got.why)}, got.bad...), "; ")
}

// toSign is what a person has to type to sign a decision.
func toSign(hash string) string {
	h := hash[:12]
	return fmt.Sprintf("zonebuild accept %s --text > %s.txt\n  ssh-keygen -Y sign -f KEY -n %s %s.txt\n  zonebuild accept %s --signature %s.txt.sig", h, h, sshsig.Namespace(acceptRole), h, h, h)
}

// acceptOf finds a decision of state/accepts by the beginning of its hash.
func (a *app) acceptOf(prefix string) (*zone.Accept, error) {
	list, err := a.decidedOn([]string{prefix})
	if err != nil {
		return nil, err
	}
	name := list[0].Hash + ".json"
	data, err := shell.ReadFile(filepath.Join(a.cfg.State, "accepts", name), maxAccept)
	if err != nil {
		return nil, fmt.Errorf("reading the decision: %w", err)
	}
	return zone.ParseAccept("accepts/"+name, data)
}

// acceptText prints what those sign who approve a decision.
func (a *app) acceptText(prefix string) error {
	if err := a.open(); err != nil {
		return err
	}
	acc, err := a.acceptOf(prefix)
	if err != nil {
		return err
	}
	if _, err := a.Stdout.Write(acc.Text()); err != nil {
		return err
	}
	why := a.unsigned(acc)
	switch {
	case a.cfg.Approvals.Needed == 0:
		a.Errorf("it counts without a signature: gates.approvals is 0")
	case why == "":
		a.Errorf("it is signed, and counts in the next run")
	default:
		a.Errorf("it does not count yet: %s; to sign it, type:\n  %s", why, toSign(acc.Hash))
	}
	return nil
}

// addSignature verifies a signature on a decision and keeps it beside what it
// signs and the list of signers, so that anyone can verify it again. The
// signature is written last: a crash before it leaves nothing that counts.
func (a *app) addSignature(prefix, file string) error {
	if err := a.configure(); err != nil {
		return err
	}
	if a.cfg.Approvals.Needed == 0 {
		return &shell.Exit{Code: 1, Err: errors.New("decisions need no signature here: gates.approvals is 0"), Hint: "zonebuild held"}
	}
	release, err := a.lockCurrent()
	defer release()
	if err != nil {
		return err
	}
	acc, err := a.acceptOf(prefix)
	if err != nil {
		return err
	}
	data, err := shell.ReadFile(file, maxSignature)
	if err != nil {
		return fmt.Errorf("reading the signature: %w", err)
	}
	list, listed, err := a.signers()
	if err != nil {
		return err
	}
	name, err := a.signed(acc, list, string(data))
	if err != nil {
		return &shell.Exit{Code: 1, Err: fmt.Errorf("%s: %w; nothing was added", filepath.Base(file), err), Hint: "zonebuild accept " + acc.Hash[:12] + " --text"}
	}
	if err := a.keepSignature(acc, name, data, listed); err != nil {
		return err
	}
	return a.showSigned(acc, name)
}

func (a *app) keepSignature(acc *zone.Accept, name string, sig, signers []byte) error {
	if a.dryRun {
		return nil
	}
	dir := a.approvalDir(acc)
	if err := publish.MkdirAll(a.fs, dir, 0o700); err != nil {
		return fmt.Errorf("keeping the signature: %w", err)
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{"text", acc.Text()}, {"signers", signers}, {name + ".sig", sig}} {
		if err := publish.WriteFile(a.fs, filepath.Join(dir, f.name), f.data, 0o600); err != nil {
			return fmt.Errorf("keeping the signature: %w", err)
		}
	}
	return nil
}

func (a *app) showSigned(acc *zone.Accept, name string) error {
	if a.dryRun {
		a.Errorf("would have added the signature of %s", name)
		return nil
	}
	why, dir := a.unsigned(acc), a.approvalDir(acc)
	if a.json {
		return a.answer(struct {
			Version int    `json:"version"`
			Hash    string `json:"hash"`
			Signer  string `json:"signer"`
			Counts  bool   `json:"counts"`
			Missing string `json:"missing,omitempty"`
			Folder  string `json:"folder"`
		}{1, acc.Hash, name, why == "", why, dir})
	}
	a.Errorf("added the signature of %s; anyone verifies it with:\n  ssh-keygen -Y verify -n %s -f %s -I %s -s %s < %s", name, sshsig.Namespace(acceptRole),
		filepath.Join(dir, "signers"), name, filepath.Join(dir, name+".sig"), filepath.Join(dir, "text"))
	if why != "" {
		a.Errorf("the decision does not count yet: %s", why)
		return nil
	}
	a.Errorf("the decision counts; it happens in the next run")
	return nil
}
