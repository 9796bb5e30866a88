package console

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"plumb/fleet"
)

func TestUserAndKeyMustAgree(t *testing.T) {
	h := newHouse(t, nil)
	if _, err := h.dial("admin", h.keys["viewer"]); err == nil {
		t.Error("the viewer's key opened the admin's door")
	}
	if _, err := h.dial("nobody", h.keys["viewer"]); err == nil {
		t.Error("a key opened a door of nobody's")
	}
	if got := roleOf(t, h.client("operator")); got != "operator" {
		t.Errorf("the operator is %s", got)
	}
}

// roleOf asks the verb runner of the tests who it runs for.
func roleOf(t *testing.T, c *ssh.Client) string {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Output("echo")
	if err != nil {
		t.Fatal(err)
	}
	_, role, _ := strings.Cut(strings.TrimSpace(string(out)), "role=")
	return role
}

func TestKeysOfAnyName(t *testing.T) {
	mine := newSigner(t)
	h := newHouse(t, func(c *ServerConfig, _ *Deps) {
		c.AnyName = []User{{Role: fleet.RoleAdmin, Keys: []ssh.PublicKey{mine.PublicKey()}}}
	})
	c, err := h.dial("whoever", mine)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := roleOf(t, c); got != "admin" {
		t.Errorf("came in as %s", got)
	}
	eventually(t, time.Second, "the login is audited under the name given", func() bool {
		in := h.audited("login", "done")
		return len(in) == 1 && in[0].Who == "whoever" && strings.Contains(in[0].Reason, "SHA256:")
	})
}

func TestCertificates(t *testing.T) {
	ca, other, key := newSigner(t), newSigner(t), newSigner(t)
	h := newHouse(t, func(c *ServerConfig, _ *Deps) { c.TrustedCA = []ssh.PublicKey{ca.PublicKey()} })
	now, refused := time.Now(), 0
	for _, c := range []struct {
		name, user string
		by         ssh.Signer
		cert       ssh.Certificate
		in         bool
	}{
		{"good", "viewer", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}}, true},
		{"other principal", "admin", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}}, false},
		{"no principals", "admin", ca, ssh.Certificate{CertType: ssh.UserCert}, false},
		{"unknown user", "mallory", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"mallory"}}, false},
		{"other CA", "viewer", other, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}}, false},
		{"host certificate", "viewer", ca, ssh.Certificate{CertType: ssh.HostCert, ValidPrincipals: []string{"viewer"}}, false},
		{"expired", "viewer", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}, ValidBefore: uint64(now.Add(-time.Minute).Unix())}, false},
		{"not valid yet", "viewer", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}, ValidAfter: uint64(now.Add(time.Hour).Unix())}, false},
		{"one of two principals", "viewer", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"admin", "viewer"}}, true},
		{"principal in other letters", "viewer", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"Viewer"}}, false},
		{"an option that is not known", "viewer", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}, Permissions: ssh.Permissions{CriticalOptions: map[string]string{"verify-required": ""}}}, false},
		{"an address that is none", "viewer", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}, Permissions: ssh.Permissions{CriticalOptions: map[string]string{"source-address": "here"}}}, false},
		{"command forced", "viewer", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}, Permissions: ssh.Permissions{CriticalOptions: map[string]string{"force-command": "x"}}}, false},
		{"another address", "viewer", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}, Permissions: ssh.Permissions{CriticalOptions: map[string]string{"source-address": "192.0.2.1/32"}}}, false},
		{"this address", "viewer", ca, ssh.Certificate{CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}, Permissions: ssh.Permissions{CriticalOptions: map[string]string{"source-address": "127.0.0.0/8"}}}, true},
	} {
		c.cert.Key = key.PublicKey()
		if c.cert.ValidBefore == 0 {
			c.cert.ValidBefore = ssh.CertTimeInfinity
		}
		if err := c.cert.SignCert(rand.Reader, c.by); err != nil {
			t.Fatal(err)
		}
		signer, err := ssh.NewCertSigner(&c.cert, key)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := h.dial(c.user, signer)
		if (err == nil) != c.in {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			_ = conn.Close()
			continue
		}
		eventually(t, 10*time.Second, c.name+" is on record", func() bool {
			denied := h.audited("login", "denied")
			return len(denied) > 0 && denied[len(denied)-1].Who == c.user
		})
		refused++
	}
	eventually(t, 10*time.Second, "each refusal is on record", func() bool { return len(h.audited("login", "denied")) == refused })
}

// TestCertificateOfAScope: a certificate has the rights of the user it names, as
// they are now.
func TestCertificateOfAScope(t *testing.T) {
	ca := newSigner(t)
	d := newDirectory(ServerConfig{TrustedCA: []ssh.PublicKey{ca.PublicKey()}, Users: []User{{Name: "bob", Role: fleet.RoleOperator, Scope: &fleet.Scope{Regions: []string{"ams"}}}}})
	cert := &ssh.Certificate{CertType: ssh.UserCert, Key: newSigner(t).PublicKey(), ValidPrincipals: []string{"bob"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	id, _, err := d.find("bob", cert)
	if err != nil || id.Role != fleet.RoleOperator || id.Scope.Device(&fleet.DeviceSpec{Region: "fra"}) || !id.Scope.Device(&fleet.DeviceSpec{Region: "ams"}) {
		t.Errorf("%+v, %v", id, err)
	}
	if _, _, err := newDirectory(ServerConfig{Users: []User{{Name: "bob", Role: fleet.RoleOperator}}}).find("bob", cert); err == nil {
		t.Error("a CA that is trusted no more lets in")
	}
}

// TestTerminalOfACertificate: one without permit-pty gives no terminal, and what
// may be done without one is as before; a bare key needs no permission.
func TestTerminalOfACertificate(t *testing.T) {
	ca, key := newSigner(t), newSigner(t)
	h := newHouse(t, func(c *ServerConfig, _ *Deps) { c.TrustedCA = append(c.TrustedCA, ca.PublicKey()) })
	for _, permits := range []map[string]string{nil, {"permit-port-forwarding": ""}, {"permit-pty": ""}} {
		cert := &ssh.Certificate{CertType: ssh.UserCert, Key: key.PublicKey(), ValidPrincipals: []string{"viewer"}, ValidBefore: ssh.CertTimeInfinity, Permissions: ssh.Permissions{Extensions: permits}}
		if err := cert.SignCert(rand.Reader, ca); err != nil {
			t.Fatal(err)
		}
		signer, err := ssh.NewCertSigner(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := h.dial("viewer", signer)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		s, err := conn.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		_, want := permits["permit-pty"]
		if err := s.RequestPty("xterm", 24, 80, ssh.TerminalModes{}); (err == nil) != want {
			t.Errorf("%v: a terminal: %v", permits, err)
		}
		if out, err := s.CombinedOutput("devices"); err != nil || !strings.Contains(string(out), `["devices"]`) {
			t.Errorf("%v: a verb: %v: %q", permits, err, out)
		}
	}
	h.show(h.client("viewer"), 80, 24, "").sees("LIVE")
}

// TestUnknownKeysAreAuditedInBounds: every stranger is written down, but a
// loop of them fills neither store nor queue.
func TestUnknownKeysAreAuditedInBounds(t *testing.T) {
	h := newHouse(t, nil)
	key := newSigner(t)
	for range 60 {
		if _, err := h.dial("root", key); err == nil {
			t.Fatal("let in")
		}
	}
	eventually(t, 3*time.Second, "the first refusals are audited", func() bool { return len(h.audited("login", "denied")) >= deniedBurst })
	h.stop()
	h.served <- <-h.served
	denied := h.audited("login", "denied")
	if len(denied) > deniedBurst+3 {
		t.Errorf("%d entries for 60 refusals", len(denied))
	}
	if e := denied[0]; e.Who != "root" || !strings.HasPrefix(e.From, "127.0.0.1:") || e.Target != "console" {
		t.Errorf("%+v", e)
	}
	if last := denied[len(denied)-1].Reason; !strings.Contains(last, "more logins refused") {
		t.Errorf("the rest is not summed up: %q", last)
	}
}

func TestForwardingAndSubsystemsAreRefused(t *testing.T) {
	h := newHouse(t, nil)
	c := h.client("admin")
	if _, err := c.Dial("tcp", h.addr); err == nil {
		t.Error("a port was forwarded")
	}
	if ln, err := c.Listen("tcp", "127.0.0.1:0"); err == nil {
		_ = ln.Close()
		t.Error("a port was forwarded back")
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if s.RequestSubsystem("sftp") == nil {
		t.Error("sftp was started")
	}
	for _, name := range []string{agentRequest, x11Request, "break"} {
		if ok, err := s.SendRequest(name, true, nil); ok || err != nil {
			t.Errorf("%s: %v %v", name, ok, err)
		}
	}
	if out, err := s.Output("still here"); err != nil || !strings.Contains(string(out), "still") {
		t.Errorf("%q %v", out, err)
	}
}

func TestHostKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "host")
	_, first, err := hostKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	_, again, err := hostKey(path)
	if err != nil || string(again.PublicKey().Marshal()) != string(first.PublicKey().Marshal()) {
		t.Errorf("another key the second time: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := hostKey(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others can read: %v", err)
	}
}

func TestSessionsAndChannelsAreCapped(t *testing.T) {
	h := newHouse(t, func(c *ServerConfig, _ *Deps) { c.MaxSessions = 3 })
	c := h.client("viewer")
	for range 3 {
		h.show(c, 80, 24, "").sees("LIVE")
	}
	d := h.show(c, 80, 24, "")
	d.gone()
	if exitCode(d.err) != exitFailed || !d.sent("all places are taken") {
		t.Errorf("%v %q", d.err, d.raw.String())
	}
	other := h.client("viewer")
	for range maxPerConn {
		if _, err := other.NewSession(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := other.NewSession(); err == nil {
		t.Error("one connection opened more channels than it may")
	}
}

func TestReloadedUsers(t *testing.T) {
	h := newHouse(t, nil)
	d := h.show(h.client("viewer"), 80, 24, "")
	d.sees("LIVE")
	next := newSigner(t)
	if err := h.server.SetUsers(nil, nil, nil); err == nil {
		t.Error("a server without users was accepted")
	}
	if err := h.server.SetUsers([]User{{Name: "next", Role: fleet.RoleViewer, Keys: []ssh.PublicKey{next.PublicKey()}}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.dial("viewer", h.keys["viewer"]); err == nil {
		t.Error("a user who is gone came in")
	}
	c, err := h.dial("next", next)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d.gone() // and is sent away: see TestWhoIsGoneIsSentAway
}

func TestPlacesOfAddresses(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7":          "192.0.2.7/32",
		"::ffff:192.0.2.7":   "192.0.2.7/32",
		"2001:db8:1:2:3::99": "2001:db8:1:2::/64",
		"fe80::1%lo":         "fe80::/64",
	} {
		ip, err := net.ResolveIPAddr("ip", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := prefixOf(&net.TCPAddr{IP: ip.IP, Zone: ip.Zone, Port: 1}).String(); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestSplitWords(t *testing.T) {
	for line, want := range map[string]string{
		``:                         `[]`,
		`  devices  --json `:       `["devices" "--json"]`,
		`act 'power off' "a b"\ c`: `["act" "power off" "a b c"]`,
		`a '' ""`:                  `["a" "" ""]`,
		`"a\"b\\c\d$x"`:            `["a\"b\\c\\d$x"]`,
		`'it'\''s'`:                `["it's"]`,
		"a\\\nb":                   `["a\nb"]`,
	} {
		got, err := splitWords(line)
		if err != nil || fmt.Sprintf("%q", got) != want {
			t.Errorf("%s: %q %v, want %s", line, got, err, want)
		}
	}
	for _, line := range []string{`'`, `"a`, `a\`, `a "b 'c"'`} {
		if got, err := splitWords(line); err == nil {
			t.Errorf("%s: %q", line, got)
		}
	}
}
