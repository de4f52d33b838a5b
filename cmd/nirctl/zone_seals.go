package main

import (
	"context"
	"crypto/md5" // the sum that the policy asks for (APNIC-103, appendix)
	"fmt"
	"path/filepath"

	"nirzone/zone"
	"nirzone/zone/seal"
)

// seals checks FILE.md5 and FILE.asc as far as they are there. An error means
// that a check that was asked for could not be made.
func (k *checker) seals(ctx context.Context, v *verdict, t target, data []byte) error {
	if t.path == "-" {
		v.Unchecked = append(v.Unchecked, "sum and signature: standard input has none beside it")
		return nil
	}
	if v.Source == k.rir {
		return nil // the registry's own zonelets have none
	}
	if err := k.sum(ctx, v, t, data); err != nil {
		return err
	}
	return k.signature(ctx, v, t, data)
}

func (k *checker) sum(ctx context.Context, v *verdict, t target, data []byte) error {
	src := k.configured(v.Source)
	name := t.base + ".md5"
	sum, err := k.readBeside(ctx, t.path+".md5", seal.MaxMD5+1)
	if err != nil {
		return err
	}
	if sum == nil {
		v.missing(name, "the sum", src != nil && src.RequireMD5)
		return nil
	}
	s, err := seal.ParseMD5(name, sum, src != nil && src.AllowGNU)
	if err == nil {
		err = s.Check(t.base, md5.Sum(data))
	}
	if err != nil {
		v.Mistakes = append(v.Mistakes, err.Error())
		return nil
	}
	v.Sum = "good"
	return nil
}

// missing says that a seal is not there. Before publication that is no finding:
// it may be made last.
func (v *verdict) missing(file, what string, required bool) {
	text := fmt.Sprintf("%s: there is no %s", what, file)
	if required {
		text += ", and the registry asks for one"
	}
	v.Unchecked = append(v.Unchecked, text)
}

func (k *checker) signature(ctx context.Context, v *verdict, t target, data []byte) error {
	src := k.configured(v.Source)
	name := t.base + ".asc"
	sig, err := k.readBeside(ctx, t.path+".asc", seal.SignatureLimit(int64(len(data)))+1)
	if err != nil {
		return err
	}
	if sig == nil {
		v.missing(name, "the signature", src != nil && src.RequirePGP)
		return nil
	}
	keyring, p := k.keyring, seal.Policy{Source: v.Source, Zone: v.Zone, File: name, Now: k.now}
	if src != nil {
		p.Windows, p.Legacy = src.KeyWindows, src.Legacy
		if keyring == "" {
			keyring = src.Keyring
		}
	}
	if keyring == "" {
		v.Unchecked = append(v.Unchecked, "the signature: give the keys with --keyring")
		return nil
	}
	ring, err := k.ring(ctx, keyring)
	if err != nil {
		return fmt.Errorf("reading the keys of %s: %w", v.Source, err)
	}
	s, notices, err := ring.Verify(data, sig, p)
	if err != nil {
		v.Mistakes = append(v.Mistakes, err.Error())
	} else {
		v.Signer, v.SignedAt = s.Fingerprint+" "+s.UserID, s.Created
	}
	v.Notices = append(v.Notices, notices...)
	v.Notices = append(v.Notices, ring.Alarms(p)...)
	zone.SortNotices(v.Notices)
	return nil
}

func (k *checker) ring(ctx context.Context, file string) (*seal.Keyring, error) {
	raw, err := k.read(ctx, file, seal.MaxKeyring+1)
	if err != nil {
		return nil, err
	}
	return seal.LoadKeyring(filepath.Base(file), raw)
}
