package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"nirzone/fixtures/peers"
	"nirzone/nir/sshsig"
	"nirzone/zone"
)

// signerKey is the same key for a name in every run.
func signerKey(name string) ed25519.PrivateKey {
	seed := bytes.Repeat([]byte(name), 32)
	return ed25519.NewKeyFromSeed(seed[:32])
}

func signerLine(name, role string) string {
	const head = "\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"
	public := signerKey(name).Public().(ed25519.PublicKey)
	return name + ` namespaces="` + sshsig.Namespace(role) + `" ssh-ed25519 ` + base64.StdEncoding.EncodeToString(append([]byte(head), public...)) + "\n"
}

func me(t *testing.T) string {
	t.Helper()
	t.Setenv("SUDO_USER", "")
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return u.Username
}

// approving is a tree whose decisions need two signatures, in which a loss of 15 is
// held and was accepted. It returns the hash.
func approving(t *testing.T) (*tree, string) {
	t.Helper()
	tr := published(t)
	tr.write("signers", signerLine(me(t), "accept")+signerLine("yuki", "accept")+signerLine("ken", "accept")+signerLine("mia", "approver"))
	tr.write("nirzone.toml", treeConfig+"[gates]\napprovals = 2\nsigners = \"signers\"\n")
	tr.cycle()
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25)) // 15 of 40 gone
	tr.must(3)
	hash := tr.held()[0].Hash
	tr.must(0, "accept", hash, "--removes", "15", "-m", "ticket 4711")
	tr.says("once it has 2 signatures of others", "ssh-keygen -Y sign -f KEY -n accept@nirzone", "accept "+hash[:12]+" --signature")
	return tr, hash
}

func (tr *tree) text(hash string) []byte {
	tr.t.Helper()
	tr.must(0, "accept", hash[:12], "--text")
	return bytes.Clone(tr.out.Bytes())
}

// sign adds the signature of a person, made for a role, and returns the exit code.
func (tr *tree) sign(hash, name, role string) int {
	tr.t.Helper()
	sig, err := sshsig.Sign(nil, signerKey(name), sshsig.Namespace(role), tr.text(hash))
	if err != nil {
		tr.t.Fatal(err)
	}
	file := filepath.Join(tr.t.TempDir(), "text.sig")
	if err := os.WriteFile(file, []byte(sig), 0o600); err != nil {
		tr.t.Fatal(err)
	}
	return tr.run("accept", hash[:12], "--signature", file)
}

// wantLost checks whether the loss of 15 has happened after a run.
func (tr *tree) wantLost(code, n int) {
	tr.t.Helper()
	tr.cycle()
	tr.must(code)
	tr.count(zoneA, n)
}

// TestApprovals: a decision counts with the second signature of somebody else, and
// not before; what was signed stays when it is done.
func TestApprovals(t *testing.T) {
	tr, hash := approving(t)
	tr.wantLost(3, 65)
	if n := tr.notice("accept-unsigned"); !strings.Contains(n, "0 of 2 signatures") {
		t.Errorf("notice %q", n)
	}
	for name, c := range map[string]struct{ who, role, says string }{
		"own":            {me(t), "accept", "somebody else signs it"},
		"other role":     {"yuki", "approver", "namespace"},
		"not for it":     {"mia", "accept", "may not sign for accept@nirzone"},
		"not listed":     {"eve", "accept", "is not in signers"},
		"another's role": {"mia", "approver", "may not sign"},
	} {
		if code := tr.sign(hash, c.who, c.role); code != 1 {
			t.Errorf("%s: exit %d", name, code)
		}
		if !strings.Contains(tr.err.String(), "nothing was added") {
			t.Errorf("%s: %s", name, tr.err.String())
		}
	}
	for range 2 { // signing twice is signing once
		if code := tr.sign(hash, "yuki", "accept"); code != 0 {
			t.Fatalf("exit %d: %s", code, tr.err.String())
		}
		tr.says("added the signature of yuki", "1 of 2 signatures")
	}
	tr.wantLost(3, 65)
	tr.must(0, "held")
	tr.says("waits: 1 of 2 signatures")
	if code := tr.sign(hash, "ken", "accept"); code != 0 {
		t.Fatalf("exit %d: %s", code, tr.err.String())
	}
	tr.says("the decision counts")
	verifyKept(t, tr, hash)
	tr.wantLost(0, 50)
	verifyKept(t, tr, hash)
}

// verifyKept has the real ssh-keygen verify what is kept of a decision.
func verifyKept(t *testing.T, tr *tree, hash string) {
	t.Helper()
	dirs, err := filepath.Glob(tr.path("state/approvals/" + hash + "-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%v, %v", dirs, err)
	}
	peers.Need(t, "ssh-keygen")
	for _, name := range []string{"yuki", "ken"} {
		text, err := os.ReadFile(filepath.Join(dirs[0], "text"))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(peers.Path("ssh-keygen"), "-Y", "verify", "-n", "accept@nirzone", "-f", filepath.Join(dirs[0], "signers"), "-I", name, "-s", filepath.Join(dirs[0], name+".sig"))
		cmd.Stdin = bytes.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

// TestApprovalByKeygen: what the real ssh-keygen writes by the commands that are
// printed is taken.
func TestApprovalByKeygen(t *testing.T) {
	tr, hash := approving(t)
	peers.Need(t, "ssh-keygen")
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	keygen := func(args ...string) {
		if out, err := exec.Command(peers.Path("ssh-keygen"), args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	keygen("-q", "-t", "ecdsa", "-b", "384", "-N", "", "-f", key)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	tr.write("signers", signerLine("yuki", "accept")+`ken namespaces="accept@nirzone" `+string(public))
	file := filepath.Join(dir, "text")
	if err := os.WriteFile(file, tr.text(hash), 0o600); err != nil {
		t.Fatal(err)
	}
	keygen("-Y", "sign", "-f", key, "-n", "accept@nirzone", file)
	tr.must(0, "accept", hash[:12], "--signature", file+".sig")
	tr.says("added the signature of ken", "ssh-keygen -Y verify -n accept@nirzone")
}

// TestApprovalVoid: signatures do not count any more once the key is off the list,
// the decision was edited, given again, or the list cannot be read.
func TestApprovalVoid(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*tree, string)
		says  string
	}{
		"key off the list": {func(tr *tree, _ string) {
			tr.write("signers", signerLine(me(t), "accept")+signerLine("yuki", "accept"))
		}, "1 of 2 signatures; ken.sig does not count"},
		"list lost": {func(tr *tree, _ string) { os.Remove(tr.path("signers")) }, "list of signers"},
		"later end": {func(tr *tree, hash string) {
			file := "state/accepts/" + hash + ".json"
			data, _ := os.ReadFile(tr.path(file))
			acc, err := zone.ParseAccept(file, data)
			if err != nil {
				t.Fatal(err)
			}
			acc.Expires = acc.Expires.Add(day)
			tr.write(file, string(acc.Encode()))
		}, "0 of 2 signatures; ken.sig does not count"},
		"given again": {func(tr *tree, hash string) {
			tr.cycle()
			tr.must(0, "accept", hash, "--removes", "15", "-m", "ticket 4711")
		}, "0 of 2 signatures"},
	} {
		t.Run(name, func(t *testing.T) {
			tr, hash := approving(t)
			if tr.sign(hash, "yuki", "accept")+tr.sign(hash, "ken", "accept") != 0 {
				t.Fatal(tr.err.String())
			}
			c.spoil(tr, hash)
			tr.wantLost(3, 65)
			if n := tr.notice("accept-unsigned"); !strings.Contains(n, c.says) {
				t.Errorf("notice %q", n)
			}
		})
	}
}

// TestApprovalsTooFew: a decision that could never count is not taken.
func TestApprovalsTooFew(t *testing.T) {
	tr, hash := approving(t)
	tr.write("signers", signerLine(me(t), "accept")+signerLine("yuki", "accept"))
	tr.must(1, "accept", hash, "--removes", "15", "-m", "again")
	tr.says("it needs 2 signatures of others", "lists 1 for accept@nirzone")
	t.Setenv("SUDO_USER", "yuki")
	tr.write("signers", signerLine("ken", "accept")+signerLine("yuki", "accept"))
	tr.must(1, "accept", hash, "--removes", "15", "-m", "again")
	tr.write("signers", signerLine("ken", "accept")+signerLine("yuki", "accept")+signerLine("mia", "accept"))
	tr.cycle()
	tr.must(0, "accept", hash, "--removes", "15", "-m", "again")
	if code := tr.sign(hash, "yuki", "accept"); code != 1 {
		t.Errorf("yuki, who gave it behind sudo, signed it: exit %d", code)
	}
}

// TestApprovalsOfNobody: an account that is no name on the list, as in a root shell
// or of people who share one, counts for nobody: the same person may sign as well.
func TestApprovalsOfNobody(t *testing.T) {
	tr, hash := approving(t)
	own := me(t)
	t.Setenv("SUDO_USER", "nirzone")
	tr.cycle()
	tr.must(0, "accept", hash, "--removes", "15", "-m", "again")
	tr.says("once it has 3 signatures of others")
	if tr.sign(hash, "yuki", "accept")+tr.sign(hash, "ken", "accept") != 0 {
		t.Fatal(tr.err.String())
	}
	tr.says("2 of 3 signatures, one of them because nirzone, who gave it, is no name in signers")
	tr.wantLost(3, 65)
	if code := tr.sign(hash, own, "accept"); code != 0 {
		t.Fatalf("exit %d: %s", code, tr.err.String())
	}
	tr.says("the decision counts")
	tr.write("signers", signerLine("yuki", "accept")+signerLine("ken", "accept"))
	tr.must(1, "accept", hash, "--removes", "15", "-m", "again")
	tr.says("it needs 3 signatures of others, one of them because nirzone", "lists 2 for accept@nirzone")
	tr.write("signers", signerLine(own, "accept")+signerLine("yuki", "accept")+signerLine("ken", "accept"))
	tr.wantLost(0, 50)
}

// TestApprovalsOff: without the setting there are no signatures, and a decision
// counts at once.
func TestApprovalsOff(t *testing.T) {
	tr := published(t)
	tr.feed("JPNIC", zoneA, owners(zoneA, 10, 25))
	tr.must(3)
	hash := tr.held()[0].Hash
	tr.must(0, "accept", hash, "--removes", "15", "-m", "ticket")
	tr.says("it happens in the next run")
	tr.must(1, "accept", hash, "--signature", tr.path("nirzone.toml"))
	tr.says("gates.approvals is 0")
	tr.must(0, "accept", hash, "--text")
	tr.says("nirzone accept 1", "decision: accept, removes 15", `reason: "ticket"`, "counts without a signature")
	for _, args := range [][]string{{"--text", "--withdraw"}, {"--signature", "x", "-m", "y"}, {"--text", "--removes", "15"}, {"00000000", "--text"}} {
		tr.must(2, append([]string{"accept", hash}, args...)...)
	}
	tr.wantLost(0, 50)
	if _, err := os.Stat(tr.path("state/approvals")); !os.IsNotExist(err) {
		t.Errorf("state/approvals: %v", err)
	}
}
