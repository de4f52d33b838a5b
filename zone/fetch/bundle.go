package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"nirzone/zone"
	"nirzone/zone/seal"
)

// held is what the spool has of a job's accepted version: validators to ask with
// and bytes to fall back on. A part whose object is missing or damaged is as if it
// never had been.
type held struct {
	validators url.Values
	objects    map[string]string // digest by part
}

func (w *worker) held(j job) held {
	h := held{validators: url.Values{}, objects: map[string]string{}}
	a := j.prev.Accepted
	if a == nil || a.File != j.file {
		return h
	}
	objects := map[string]string{partFile: a.SHA256, partMD5: a.MD5Object, partASC: a.SignatureObject}
	known, err := url.ParseQuery(a.Validators)
	for part, sha := range objects {
		if !w.r.spool.intact(sha) {
			continue
		}
		h.objects[part] = sha
		// What another server said of its files means nothing here.
		if v := known.Get(part); err == nil && v != "" && !j.whole && a.URL == w.plan.place.url(j.file) {
			h.validators.Set(part, v)
		}
	}
	return h
}

// parts is what the source requires, in addition to the file.
func parts(s *zone.Source) (sum, signature bool) { return s.RequireMD5, s.RequirePGP }

// An assembly collects the parts of one job over the rounds.
type assembly struct {
	job     job
	held    held
	replies map[string]reply
	bytes   map[string][]byte // parts that were loaded early
	err     error
}

// bundles gets the parts of the jobs in three rounds: the sums; the files and
// signatures; and the sums again where anything was transferred. Then it verifies
// each. The error is the session's.
func (w *worker) bundles(ctx context.Context, s session, jobs []job) ([]observation, error) {
	all := make([]*assembly, len(jobs))
	for i, j := range jobs {
		all[i] = &assembly{job: j, held: w.held(j), replies: map[string]reply{}, bytes: map[string][]byte{}}
	}
	sum, signature := parts(w.plan.source)
	second := []string{partFile}
	if signature {
		second = append(second, partASC)
	}
	if sum {
		if err := w.round(ctx, s, all, partMD5); err != nil {
			return nil, err
		}
	}
	if err := w.round(ctx, s, all, second...); err != nil {
		return nil, err
	}
	if sum {
		if err := w.round(ctx, s, changed(all, second), partMD5); err != nil {
			return nil, err
		}
	}
	out := make([]observation, len(jobs))
	for i, a := range all {
		out[i] = w.observe(a)
	}
	return out, nil
}

// changed is the jobs of which a part was transferred.
func changed(all []*assembly, parts []string) []*assembly {
	var out []*assembly
	for _, a := range all {
		for _, p := range parts {
			if r := a.replies[p]; a.err == nil && r.load != nil {
				out = append(out, a)
				break
			}
		}
	}
	return out
}

// round asks for some parts of all jobs that have not failed yet.
func (w *worker) round(ctx context.Context, s session, all []*assembly, parts ...string) error {
	var reqs []request
	for _, a := range all {
		for _, p := range parts {
			if a.err == nil {
				reqs = append(reqs, w.request(a, p))
			}
		}
	}
	if len(reqs) == 0 {
		return nil
	}
	replies, err := s.fetch(ctx, reqs)
	if err != nil {
		return err
	}
	for _, a := range all {
		failed := a.err != nil
		for _, p := range parts {
			if !failed {
				a.take(p, replies[0])
				replies = replies[1:]
			}
		}
	}
	return nil
}

// request asks for a part. In the third round the sum is compared with that of the
// first, not with the spool's.
func (w *worker) request(a *assembly, part string) request {
	r := request{name: a.job.file + suffixes[part], max: maxOf(w.plan.source, part), seal: part != partFile, validators: a.held.validators.Get(part)}
	if sha := a.held.objects[part]; sha != "" {
		r.older = func() ([]byte, error) { return w.r.spool.load(sha) }
	}
	if first, ok := a.replies[part]; ok {
		r.validators = first.validators
		if data := a.bytes[part]; data != nil {
			r.older = loaded(data)
		}
	}
	return r
}

// maxOf is the most bytes a part may have. A clear signature holds the file's text
// too.
func maxOf(s *zone.Source, part string) int64 {
	switch part {
	case partMD5:
		return seal.MaxMD5
	case partASC:
		return seal.MaxSignature + s.MaxBytes
	}
	return s.MaxBytes
}

// take keeps a reply. Sums are loaded at once, since they are asked for twice.
func (a *assembly) take(part string, r reply) {
	switch first, again := a.replies[part]; {
	case errors.Is(r.err, errMissing) && part != partFile:
		a.err = sealMissing{a.job.file + suffixes[part]}
		return
	case r.err != nil:
		a.err = fmt.Errorf("fetching %s: %w", a.job.file+suffixes[part], r.err)
		return
	case again && r.unchanged:
		r = first
	}
	if part == partMD5 && r.load != nil && !sameReply(a.replies[part], r) {
		data, err := r.load()
		if err != nil {
			a.err = err
			return
		}
		a.bytes[part] = data
	}
	a.replies[part] = r
}

func sameReply(a, b reply) bool {
	return a.load != nil && a.validators == b.validators && a.validators != ""
}

// observe loads the parts, from the reply or the spool, verifies them, and stores
// what is good and new.
func (w *worker) observe(a *assembly) observation {
	if a.err != nil {
		return observation{err: a.err}
	}
	b, moved, err := w.load(a)
	if err != nil {
		return observation{err: err, moved: moved}
	}
	accepted, notices, err := w.verifier.verify(a.job, w.plan.place.url(a.job.file), b)
	if err == nil && !w.r.DryRun && !a.stored(accepted) {
		err = w.r.spool.store(b)
	}
	if err != nil {
		return observation{err: err, notices: notices, moved: moved}
	}
	return observation{accepted: accepted, notices: notices, moved: moved}
}

// stored reports whether all objects of an accepted version were in the spool when
// the run began, named by a durable manifest.
func (a *assembly) stored(v *zone.Accepted) bool {
	for part, sha := range map[string]string{partFile: v.SHA256, partMD5: v.MD5Object, partASC: v.SignatureObject} {
		if sha != a.held.objects[part] {
			return false
		}
	}
	return true
}

func (w *worker) load(a *assembly) (b bundle, moved int64, err error) {
	b.validators = url.Values{}
	for _, part := range []string{partMD5, partFile, partASC} {
		r, asked := a.replies[part]
		if !asked {
			continue
		}
		data, ok := a.bytes[part]
		switch {
		case ok:
		case r.unchanged:
			data, err = w.r.spool.load(a.held.objects[part])
		default:
			data, err = r.load()
		}
		if err != nil {
			return b, moved, fmt.Errorf("loading %s: %w", a.job.file+suffixes[part], err)
		}
		if !r.unchanged {
			moved += int64(len(data))
		}
		if data == nil {
			data = []byte{} // asked for, and empty
		}
		*b.part(part) = data
		if r.validators != "" {
			b.validators.Set(part, r.validators)
		}
	}
	return b, moved, nil
}

func (b *bundle) part(name string) *[]byte {
	switch name {
	case partMD5:
		return &b.md5
	case partASC:
		return &b.asc
	}
	return &b.data
}
