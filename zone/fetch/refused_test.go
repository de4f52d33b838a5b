package fetch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/fixtures/peers"
)

// refused are real servers that do not know us, or that we do not know. None is
// worth another try.
var refused = map[string]struct {
	start  func(t *testing.T, root string) (url, lines, fetch string)
	reason string
}{
	"ftp wrong password": {func(t *testing.T, root string) (string, string, string) {
		f := peers.StartVsftpd(t, peers.VsftpdConfig{Root: root, Password: "sesame"})
		return "ftp://" + f.Addr() + "/{zone}-{name}", fmt.Sprintf("user = \"anonymous\"\npassword_file = %q", secret(t, "wrong\n")), ""
	}, "logging in as anonymous: the server says 530"},
	"ftp without the folder": {func(t *testing.T, root string) (string, string, string) {
		f := peers.StartVsftpd(t, peers.VsftpdConfig{Root: root})
		return "ftp://" + f.Addr() + "/pub/zones/{zone}-{name}", "", ""
	}, "changing to directory pub of /pub/zones/"},
	"ftp-tls wrong ca": {func(t *testing.T, root string) (string, string, string) {
		f := peers.StartVsftpd(t, peers.VsftpdConfig{Root: root, TLS: true})
		return "ftp://" + f.Addr() + "/{zone}-{name}", fmt.Sprintf("tls = \"explicit\"\nca_file = %q", peers.NewCA(t).CertFile), ""
	}, "certificate signed by unknown authority"},
	"ftp-tls other name": {func(t *testing.T, root string) (string, string, string) {
		ca := peers.NewCA(t)
		cert := ca.Issue(t, "other.example")
		f := peers.StartVsftpd(t, peers.VsftpdConfig{Root: root, TLS: true, CA: ca, Certificate: &cert})
		return "ftp://" + f.Addr() + "/{zone}-{name}", fmt.Sprintf("tls = \"explicit\"\nca_file = %q", f.CAFile), ""
	}, "certificate"},
	"ftp has no tls": {func(t *testing.T, root string) (string, string, string) {
		f := peers.StartVsftpd(t, peers.VsftpdConfig{Root: root})
		return "ftp://" + f.Addr() + "/{zone}-{name}", `tls = "explicit"`, ""
	}, "the server says 5"},
	"https wrong ca": {func(t *testing.T, root string) (string, string, string) {
		w := peers.StartNginx(t, peers.NginxConfig{Root: root})
		return w.URL + "/{zone}-{name}", fmt.Sprintf("ca_file = %q", peers.NewCA(t).CertFile), ""
	}, "certificate signed by unknown authority"},
	"rsync wrong password": {func(t *testing.T, root string) (string, string, string) {
		d := peers.StartRsyncd(t, peers.RsyncdConfig{Module: "zones", Root: root, Secrets: map[string]string{"apnic": "sesame"}})
		return d.URL + "/{zone}-{name}", fmt.Sprintf("user = \"apnic\"\npassword_file = %q", secret(t, "wrong\n")), ""
	}, "@ERROR: auth failed on module zones"},
	"rsync without password": {func(t *testing.T, root string) (string, string, string) {
		d := peers.StartRsyncd(t, peers.RsyncdConfig{Module: "zones", Root: root, Secrets: map[string]string{"apnic": "sesame"}})
		return d.URL + "/{zone}-{name}", "", ""
	}, "module zones wants a password: set user and password_file"},
	"rsync other module": {func(t *testing.T, root string) (string, string, string) {
		d := peers.StartRsyncd(t, peers.RsyncdConfig{Module: "zones", Root: root})
		return strings.Replace(d.URL, "/zones", "/pub", 1) + "/{zone}-{name}", "", ""
	}, "module pub: the daemon says"},
	"rsync program wrong password": {func(t *testing.T, root string) (string, string, string) {
		d := peers.StartRsyncd(t, peers.RsyncdConfig{Module: "zones", Root: root, Secrets: map[string]string{"apnic": "sesame"}})
		return d.URL + "/{zone}-{name}", fmt.Sprintf("user = \"apnic\"\npassword_file = %q", secret(t, "wrong\n")), withProgram
	}, "auth failed"},
	"ssh unknown host": {func(t *testing.T, root string) (string, string, string) {
		h := peers.StartSSHD(t, peers.SSHDConfig{})
		return sshSource(h, root, h.IdentityFile, secret(t, ""))
	}, "the host key of 127.0.0.1 is not in"},
	"ssh other host key": {func(t *testing.T, root string) (string, string, string) {
		h, other := peers.StartSSHD(t, peers.SSHDConfig{}), peers.StartSSHD(t, peers.SSHDConfig{})
		line := strings.Replace(other.KnownHosts, fmt.Sprint(other.Port), fmt.Sprint(h.Port), 1)
		return sshSource(h, root, h.IdentityFile, secret(t, line+"\n"))
	}, "the host key of 127.0.0.1 has changed from the one at"},
	"ssh other identity": {func(t *testing.T, root string) (string, string, string) {
		h, other := peers.StartSSHD(t, peers.SSHDConfig{}), peers.StartSSHD(t, peers.SSHDConfig{})
		return sshSource(h, root, other.IdentityFile, h.KnownHostsFile)
	}, "the server refuses the key of"},
	"ssh program unknown host": {func(t *testing.T, root string) (string, string, string) {
		h := peers.StartSSHD(t, peers.SSHDConfig{})
		url, lines, _ := sshSource(h, root, h.IdentityFile, secret(t, ""))
		return url, lines, withProgram
	}, "Host key verification failed"},
	"ssh forced to another command": {func(t *testing.T, root string) (string, string, string) {
		h := peers.StartSSHD(t, peers.SSHDConfig{ForceCommand: "echo not here >&2"})
		return sshSource(h, root, h.IdentityFile, h.KnownHostsFile)
	}, "not here"},
}

func sshSource(h *peers.SSHServer, root, identity, known string) (url, lines, fetch string) {
	return "rsync+ssh://" + h.Addr() + root + "/{zone}-{name}",
		fmt.Sprintf("user = %q\nidentity_file = %q\nknown_hosts_file = %q", h.User, identity, known), ""
}

func TestRefused(t *testing.T) {
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			site.put("202.in-addr.arpa-JPNIC", zonelet(202, 1))
			url, lines, fetch := c.start(t, site.dir)
			if name == "ssh program unknown host" || name == "ssh forced to another command" {
				fetch += "\nretries = 0" // looks like any broken connection
			}
			s := configure(t, url, lines, fetch)
			r := s.run()
			src := r.Sources[0]
			if !r.Failed() || !strings.Contains(src.Reason, c.reason) {
				t.Errorf("no %q in %q", c.reason, src.Reason)
			}
			if src.Retries != 0 {
				t.Errorf("%d retries", src.Retries)
			}
			if list, err := os.ReadDir(filepath.Join(s.config.Spool, objectsName)); err != nil || len(list) > 0 {
				t.Errorf("objects %v, %v", list, err)
			}
			if strings.Contains(string(r.Encode()), "sesame") {
				t.Errorf("the report holds a password")
			}
		})
	}
}
