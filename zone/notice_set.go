package zone

import "time"

// Reopen compares the notices of a run with those open before. Every slice is
// sorted; a notice opens once and closes once, by its Key.
func Reopen(prev []OpenNotice, now []Notice, at time.Time) (open, opened, closed []OpenNotice) {
	return nil, nil, nil
}

// NoticeFileVersion is the version of state/notices/<source>.json that this
// program writes. It reads this one and the one before.
const NoticeFileVersion = 1

// A NoticeFile is what one source is told: state/notices/<source>.json, and as
// text .txt. New and Open are disjoint.
type NoticeFile struct {
	Version int          `json:"version"`
	Source  string       `json:"source"`
	Time    time.Time    `json:"time"`
	New     []OpenNotice `json:"new"`
	Closed  []OpenNotice `json:"closed"`
	Open    []OpenNotice `json:"open"`
}

// NoticeFiles sorts the result of [Reopen] by source: one file a source that
// has something open or closed, sorted by source.
func NoticeFiles(open, opened, closed []OpenNotice, at time.Time) []NoticeFile { return nil }

// ParseNoticeFile reads state/notices/<source>.json.
func ParseNoticeFile(file string, data []byte) (*NoticeFile, error) { return nil, nil }

// Encode returns the JSON file's bytes.
func (f *NoticeFile) Encode() []byte { return encodeJSON(f) }

// Text returns the file for people.
func (f *NoticeFile) Text() []byte { return nil }
