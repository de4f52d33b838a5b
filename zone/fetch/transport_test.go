package fetch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirzone/fixtures/peers"
	"nirzone/zone"
)

// A transportCase starts a real server for a folder and says how to configure it.
type transportCase struct {
	start func(t *testing.T, root string) (url, lines, fetch string)
	delta bool // only the difference is transferred
}

func ftpCase(c peers.VsftpdConfig, lines string) func(*testing.T, string) (string, string, string) {
	return func(t *testing.T, root string) (string, string, string) {
		c.Root = filepath.Dir(root)
		f := peers.StartVsftpd(t, c)
		l := lines
		if f.CAFile != "" {
			l += fmt.Sprintf("\ntls = \"explicit\"\nca_file = %q", f.CAFile)
		}
		return "ftp://" + f.Addr() + "/" + filepath.Base(root) + "/{zone}-{name}", l, ""
	}
}

func rsyncCase(secrets map[string]string, program string) func(*testing.T, string) (string, string, string) {
	return func(t *testing.T, root string) (string, string, string) {
		d := peers.StartRsyncd(t, peers.RsyncdConfig{Module: "zones", Root: filepath.Dir(root), Secrets: secrets})
		lines := ""
		for user, password := range secrets {
			lines = fmt.Sprintf("user = %q\npassword_file = %q", user, secret(t, password+"\n"))
		}
		return d.URL + "/" + filepath.Base(root) + "/{zone}-{name}", lines, program
	}
}

func sshCase(program string) func(*testing.T, string) (string, string, string) {
	return func(t *testing.T, root string) (string, string, string) {
		h := peers.StartSSHD(t, peers.SSHDConfig{})
		lines := fmt.Sprintf("user = %q\nidentity_file = %q\nknown_hosts_file = %q", h.User, h.IdentityFile, h.KnownHostsFile)
		return "rsync+ssh://" + h.Addr() + root + "/{zone}-{name}", lines, program
	}
}

const withProgram = `rsync = ["rsync"]`

var transports = map[string]transportCase{
	"ftp":           {start: ftpCase(peers.VsftpdConfig{}, "")},
	"ftp-pasv":      {start: ftpCase(peers.VsftpdConfig{DenyCommands: []string{"EPSV"}}, "")},
	"ftp-tls":       {start: ftpCase(peers.VsftpdConfig{RequireTLS: true}, "")},
	"rsync":         {start: rsyncCase(nil, ""), delta: true},
	"rsync-secrets": {start: rsyncCase(map[string]string{"apnic": "open sesame"}, ""), delta: true},
	"rsync-ssh":     {start: sshCase(""), delta: true},
	"rsync-program": {start: rsyncCase(map[string]string{"apnic": "open sesame"}, withProgram), delta: true},
	"ssh-program":   {start: sshCase(withProgram), delta: true},
	"https": {start: func(t *testing.T, root string) (string, string, string) {
		w := peers.StartNginx(t, peers.NginxConfig{Root: filepath.Dir(root)})
		return w.URL + "/" + filepath.Base(root) + "/{zone}-{name}", fmt.Sprintf("ca_file = %q", w.CAFile), ""
	}},
	"https-password": {start: func(t *testing.T, root string) (string, string, string) {
		users := secret(t, "apnic:{PLAIN}open sesame\n")
		w := peers.StartNginx(t, peers.NginxConfig{Root: root, Extra: "auth_basic zones; auth_basic_user_file " + users + ";"})
		return w.URL + "/{zone}-{name}", fmt.Sprintf("ca_file = %q\nuser = \"apnic\"\npassword_file = %q", w.CAFile, secret(t, "open sesame\n")), ""
	}},
	"http": {start: func(t *testing.T, root string) (string, string, string) {
		w := peers.StartNginx(t, peers.NginxConfig{Root: filepath.Dir(root), AllowHTTP: true})
		return w.PlainURL + "/" + filepath.Base(root) + "/{zone}-{name}", "allow_http = true", ""
	}},
}

// TestTransports takes each transport through the life of a source, against real
// servers: all new, nothing changed, one changed, one gone.
func TestTransports(t *testing.T) {
	for name, c := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			big := zonelet(202, 8000)
			site.put("202.in-addr.arpa-JPNIC", big)
			site.put("203.in-addr.arpa-JPNIC", zonelet(203, 3))
			site.write("204.in-addr.arpa-JPNIC", []byte("not asked for"))
			url, lines, fetch := c.start(t, site.dir)
			s := configure(t, url, lines, fetch)
			lifeOfASource(t, s, site, big, c.delta)
		})
	}
}

func lifeOfASource(t *testing.T, s *setup, site *site, big []byte, delta bool) {
	r := s.run()
	wantZones(t, r, "202=new 203=new")
	if n := s.objects(); n != 6 {
		t.Errorf("%d objects, want 6", n)
	}
	whole := r.Sources[0].Received
	if whole < int64(len(big)) {
		t.Errorf("%d bytes received of a file with %d", whole, len(big))
	}
	r = s.run()
	wantZones(t, r, "202=unchanged 203=unchanged")
	if src := r.Sources[0]; src.Zones[0].Transferred != 0 || src.Received > whole/10 {
		t.Errorf("nothing changed, but %d bytes of files were transferred, %d received", src.Zones[0].Transferred, src.Received)
	}
	if e := s.entry(zone202); !e.Accepted.LastChecked.Equal(s.manifest().Time) || !e.Accepted.FirstSeen.Equal(testNow) || e.Accepted.Run != 1 {
		t.Errorf("after an unchanged run: %+v", e.Accepted)
	}

	changed := bytes.Replace(big, []byte("ns4000.nic"), []byte("ns4000.new"), 1)
	site.put("202.in-addr.arpa-JPNIC", changed)
	r = s.run()
	wantZones(t, r, "202=new 203=unchanged")
	got, err := os.ReadFile(filepath.Join(s.config.Spool, filepath.FromSlash(zone.ObjectPath(s.entry(zone202).Accepted.SHA256))))
	if err != nil || !bytes.Equal(got, changed) {
		t.Errorf("the spool does not hold the new bytes: %v", err)
	}
	t.Logf("whole: %d bytes on the wire; one line changed: %d", whole, r.Sources[0].Received)
	if delta && r.Sources[0].Received > whole/3 {
		t.Errorf("one line changed and %d bytes were received, whole it was %d", r.Sources[0].Received, whole)
	}
	if n := s.objects(); n != 6 {
		t.Errorf("%d objects after pruning, want 6", n)
	}

	site.remove("203.in-addr.arpa-JPNIC")
	r = s.run()
	wantZones(t, r, "202=unchanged 203=kept")
	wantNotice(t, r, "kept", "no longer in the source's listing")
	if e := s.entry(zone203); e.Accepted == nil || !strings.Contains(e.Last.Reason, "203.in-addr.arpa-JPNIC") {
		t.Errorf("the last good version did not stay: %+v", e)
	}
	left, err := filepath.Glob(filepath.Join(s.config.Spool, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestGPG: what gpg signs, in each of its forms, is taken.
func TestGPG(t *testing.T) {
	site := newSite(t)
	g := peers.NewGPG(t, peers.GPGKey{Algo: "rsa2048", Made: testNow.AddDate(-1, 0, 0)})
	f := peers.StartVsftpd(t, peers.VsftpdConfig{Root: site.dir})
	s := configure(t, "ftp://"+f.Addr()+"/{zone}-{name}", "", "")
	if err := os.WriteFile(s.config.Sources[0].Keyring, g.ExportPublic(t), 0o644); err != nil {
		t.Fatal(err)
	}
	sign := peers.SignOptions{At: testNow.Add(-time.Hour)}
	for name, n := range map[string]int{file202: 202, "203.in-addr.arpa-JPNIC": 203} {
		site.put(name, zonelet(n, 10))
		sig := g.DetachSign(t, filepath.Join(site.dir, name), sign)
		if n == 203 {
			sig = g.ClearSign(t, zonelet(n, 10), sign)
		}
		site.write(name+".asc", sig)
	}
	wantZones(t, s.run(), "202=new 203=new")
	if signer := s.entry(zone203).Accepted.Signer; !strings.HasPrefix(signer, g.Fingerprint) {
		t.Errorf("signed by %s, want %s", signer, g.Fingerprint)
	}
}
