package fetch

import (
	"errors"
	"io"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// maxToken limits one tag of an index page, and with it one name.
const maxToken = 64 << 10

// matchIndex says which of the names an HTML index links to. A link counts if it
// leads to a file of this very directory, on this host; everything else on the
// page is ignored. More than max bytes are refused.
func matchIndex(r io.Reader, limit int64, page *url.URL, names []string) (map[string]bool, error) {
	want := map[string]bool{}
	for _, n := range names {
		want[n] = true
	}
	found := map[string]bool{}
	c := &countReader{r: r}
	z := html.NewTokenizer(c)
	z.SetMaxBuf(maxToken)
	for {
		switch z.Next() {
		case html.ErrorToken:
			err := z.Err()
			if c.n > limit || errors.Is(err, html.ErrBufferExceeded) {
				return nil, final("the index is longer than %d bytes or holds a tag longer than %d; list the source's zones in the configuration", limit, maxToken)
			}
			if err == io.EOF {
				err = nil
			}
			return found, err
		case html.StartTagToken:
			for _, href := range hrefs(z) {
				if name := linkedName(page, href); want[name] {
					found[name] = true
				}
			}
		}
	}
}

// hrefs is the href of an a tag, none for every other tag.
func hrefs(z *html.Tokenizer) []string {
	tag, more := z.TagName()
	if string(tag) != "a" {
		return nil
	}
	var out []string
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if string(key) == "href" {
			out = append(out, string(value))
		}
	}
	return out
}

// linkedName is the name of the file in the page's directory that href leads to,
// "" if it leads elsewhere.
func linkedName(page *url.URL, href string) string {
	u, err := page.Parse(href)
	if err != nil || u.Scheme != page.Scheme || u.Host != page.Host || u.RawQuery != "" {
		return ""
	}
	name, ok := strings.CutPrefix(u.Path, page.Path)
	if !ok || strings.Contains(name, "/") {
		return ""
	}
	return name
}

type countReader struct {
	r io.Reader
	n int64
}

// Read counts.
func (c *countReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}
