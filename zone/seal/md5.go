package seal

import (
	"crypto/md5"
	"fmt"
)

// A Sum is what a .md5 file says.
type Sum struct {
	File   string // base name of the .md5 file, for messages
	Name   string // of the file that was summed, without any folder
	Digest [md5.Size]byte
	GNU    bool // was in GNU form
}

// ParseMD5 reads a .md5 file. Errors are of type [*Error].
func ParseMD5(file string, data []byte, allowGNU bool) (Sum, error) {
	return Sum{}, fmt.Errorf("todo")
}

// Check binds the sum to a file by its base name and the MD5 digest of its
// bytes. Errors are of type [*Error] and Kind WrongName or WrongSum.
func (s Sum) Check(base string, digest [md5.Size]byte) error {
	return fmt.Errorf("todo")
}

// FormatMD5 returns the .md5 file of data in BSD form.
func FormatMD5(base string, data []byte) []byte {
	return nil
}
