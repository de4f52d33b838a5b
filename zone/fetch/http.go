package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxHeader    = 64 << 10
	maxRedirects = 3
)

// An httpSession fetches over HTTP/1.1 or HTTP/2. It follows no redirect to
// another host or scheme, uses no proxy, sends no password in the clear and takes
// no compressed answer: what is limited are the bytes that are used.
type httpSession struct {
	p        *place
	client   *http.Client
	password string
}

func openHTTP(ctx context.Context, p *place) (session, error) {
	password, err := p.password()
	if err != nil {
		return nil, err
	}
	if p.user != "" && p.scheme != "https" {
		return nil, final("user %s: http would send the password in the clear; use https", p.user)
	}
	roots, err := p.roots()
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		// The context of a dial ends with it; the connection lives as the source does.
		DialContext:           func(_ context.Context, _, addr string) (net.Conn, error) { return p.dial(ctx, addr) },
		TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   p.limits.Connect,
		ResponseHeaderTimeout: p.limits.Idle, MaxResponseHeaderBytes: maxHeader,
		DisableCompression: true, ForceAttemptHTTP2: true, MaxConnsPerHost: 1,
	}
	return &httpSession{p: p, password: password, client: &http.Client{Transport: t, CheckRedirect: stayHome}}, nil
}

// stayHome follows a redirect only on the same scheme, host and port.
func stayHome(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return final("more than %d redirects", maxRedirects)
	}
	from, to := via[0].URL, req.URL
	if from.Scheme != to.Scheme || from.Host != to.Host {
		return final("the server redirects to %s://%s, which is not followed; change the source's url if that is right", printable(to.Scheme), printable(to.Host))
	}
	return nil
}

func (s *httpSession) close() { s.client.CloseIdleConnections() }

func (s *httpSession) base() *url.URL {
	host := s.p.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if s.p.port != "" {
		host += ":" + s.p.port
	}
	return &url.URL{Scheme: s.p.scheme, Host: host, Path: s.p.dir}
}

// list reads the directory's HTML index.
func (s *httpSession) list(ctx context.Context, names []string) (map[string]bool, error) {
	u := s.base()
	resp, err := s.get(ctx, u, nil)
	if err != nil {
		return nil, fmt.Errorf("listing the directory: %w", err)
	}
	defer resp.Body.Close()
	if err := statusError(resp); err != nil {
		return nil, fmt.Errorf("listing the directory: %w", err)
	}
	found, err := matchIndex(io.LimitReader(resp.Body, maxListing+1), maxListing, u, names)
	if err != nil {
		return nil, fmt.Errorf("listing the directory: %w", err)
	}
	return found, nil
}

func (s *httpSession) fetch(ctx context.Context, reqs []request) ([]reply, error) {
	replies := make([]reply, len(reqs))
	for i, r := range reqs {
		replies[i] = s.one(ctx, r)
		if err := replies[i].err; err != nil && !isFinal(err) {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return replies, nil
}

func (s *httpSession) one(ctx context.Context, r request) reply {
	header := conditions(r.validators)
	conditional := len(header) > 0
	u := s.base()
	u.Path += r.name
	resp, err := s.get(ctx, u, header)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified && conditional {
		return reply{unchanged: true, validators: r.validators}
	}
	if err := statusError(resp); err != nil {
		return reply{err: err}
	}
	data, err := body(resp, r)
	if err != nil {
		return reply{err: err}
	}
	return reply{validators: validatorsOf(resp), load: loaded(data)}
}

func (s *httpSession) get(ctx context.Context, u *url.URL, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, finalError{err}
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("User-Agent", "zonefetch")
	req.Header.Set("Accept-Encoding", "identity")
	if s.p.user != "" {
		req.SetBasicAuth(s.p.user, s.password)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		// The library wraps the URL around it; the reason is enough.
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, tlsError(err)
	}
	return resp, nil
}

// body reads an answer that is what it says it is.
func body(resp *http.Response, r request) ([]byte, error) {
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return nil, final("%s came with Content-Encoding %s although identity was asked for (RFC 9110, section 12.5.3)", r.name, printable(enc))
	}
	if resp.ContentLength > r.max {
		return nil, tooLarge(r, resp.ContentLength)
	}
	return readLimited(resp.Body, r)
}

func statusError(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("%w (%s)", errMissing, printable(resp.Status))
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return fmt.Errorf("the server says %s", printable(resp.Status))
	default:
		return final("the server says %s", printable(resp.Status))
	}
}

// validatorsOf keeps a strong or weak entity tag and the date (RFC 9110, section
// 8.8), empty if there is neither. Weak is enough: the bytes are verified anyway.
func validatorsOf(resp *http.Response) string {
	v := url.Values{}
	for key, header := range map[string]string{"etag": "ETag", "modified": "Last-Modified"} {
		if h := resp.Header.Get(header); h != "" && len(h) <= 1024 {
			v.Set(key, h)
		}
	}
	return v.Encode()
}

// conditions is the reverse; it is empty if the validators are not of this form.
func conditions(validators string) http.Header {
	h := http.Header{}
	v, err := url.ParseQuery(validators)
	if err != nil {
		return h
	}
	if t := v.Get("etag"); t != "" {
		h.Set("If-None-Match", t)
	}
	if t := v.Get("modified"); t != "" {
		h.Set("If-Modified-Since", t)
	}
	return h
}
