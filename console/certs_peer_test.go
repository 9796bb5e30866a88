//go:build unix

package console

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"plumb/fleet"
)

// authority is a directory of keys that OpenSSH's own tools made: a CA, another
// one, and the key of a user whose only way in is a certificate.
type authority struct {
	t   *testing.T
	dir string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("signs with ssh-keygen and calls with OpenSSH's client: set PLUMB_PEERS=1")
	}
	for _, tool := range []string{"ssh", "ssh-keygen"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("there is no %s: install openssh-client", tool)
		}
	}
	a := &authority{t, t.TempDir()}
	for _, name := range []string{"ca", "other", "user"} {
		a.keygen("-q", "-t", "ed25519", "-N", "", "-f", a.path(name))
	}
	return a
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) keygen(args ...string) {
	a.t.Helper()
	if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
		a.t.Fatalf("ssh-keygen %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func (a *authority) public(name string) ssh.PublicKey {
	a.t.Helper()
	text, err := os.ReadFile(a.path(name) + ".pub")
	if err != nil {
		a.t.Fatal(err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

// sign makes a certificate of the user's key and returns its file. ssh-keygen
// names it after the key, so that each is of a copy.
func (a *authority) sign(ca, name string, args ...string) string {
	a.t.Helper()
	text, err := os.ReadFile(a.path("user.pub"))
	if err != nil {
		a.t.Fatal(err)
	}
	if err := os.WriteFile(a.path(name)+".pub", text, 0o600); err != nil {
		a.t.Fatal(err)
	}
	a.keygen(append(append([]string{"-q", "-s", a.path(ca), "-I", "plumb test " + name}, args...), a.path(name)+".pub")...)
	return a.path(name) + "-cert.pub"
}

// TestPeerCertificates: what ssh-keygen signs lets in by principal, in its time,
// from where it says, and with no option that is not understood.
func TestPeerCertificates(t *testing.T) {
	a := newAuthority(t)
	h := newHouse(t, func(c *ServerConfig, _ *Deps) {
		c.TrustedCA = append(c.TrustedCA, a.public("ca"))
		c.Users = append(c.Users, User{Name: "ann", Role: fleet.RoleViewer}, User{Name: "eve", Role: fleet.RoleAdmin})
	})
	_, port, _ := net.SplitHostPort(h.addr)
	call := func(user, cert string) error {
		out, err := exec.Command("ssh", "-F", "/dev/null", "-p", port, "-i", a.path("user"), "-o", "CertificateFile="+cert, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
			"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-l", user, "127.0.0.1", "devices").CombinedOutput()
		if err == nil && !strings.Contains(string(out), `["devices"]`) {
			t.Errorf("%s with %s is in, and is answered %q", user, cert, out)
		}
		return err
	}
	for n, c := range []struct {
		name, user, ca string
		args           []string
		in             bool
	}{
		{"a principal", "ann", "ca", []string{"-n", "ann"}, true},
		{"one of several", "ann", "ca", []string{"-n", "ops,ann"}, true},
		{"of another principal", "eve", "ca", []string{"-n", "ann"}, false},
		{"of nobody we know", "mallory", "ca", []string{"-n", "mallory"}, false},
		{"without a principal", "ann", "ca", nil, false},
		{"of another CA", "ann", "other", []string{"-n", "ann"}, false},
		{"of a host", "ann", "ca", []string{"-h", "-n", "ann"}, false},
		{"in its time", "ann", "ca", []string{"-n", "ann", "-V", "-1h:+1h"}, true},
		{"expired", "ann", "ca", []string{"-n", "ann", "-V", "-2h:-1h"}, false},
		{"not valid yet", "ann", "ca", []string{"-n", "ann", "-V", "+1h:+2h"}, false},
		{"from here", "ann", "ca", []string{"-n", "ann", "-O", "source-address=127.0.0.0/8"}, true},
		{"from here too", "ann", "ca", []string{"-n", "ann", "-O", "source-address=192.0.2.0/24,127.0.0.1/32"}, true},
		{"from elsewhere", "ann", "ca", []string{"-n", "ann", "-O", "source-address=192.0.2.0/24"}, false},
		{"a command is forced", "ann", "ca", []string{"-n", "ann", "-O", "force-command=devices"}, false},
		{"a touch is wanted", "ann", "ca", []string{"-n", "ann", "-O", "verify-required"}, false},
		{"an option of others", "ann", "ca", []string{"-n", "ann", "-O", "critical:break@example.com=1"}, false},
		{"an extension of others", "ann", "ca", []string{"-n", "ann", "-O", "extension:note@example.com=1"}, true},
		{"without the extensions", "ann", "ca", []string{"-n", "ann", "-O", "clear"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := call(c.user, a.sign(c.ca, "cert"+string(rune('a'+n)), c.args...))
			if in := err == nil; in != c.in {
				t.Errorf("let in: %v (%v), want %v", in, err, c.in)
			}
		})
	}
}

// TestPeerTerminalOfACertificate: a terminal takes permit-pty. Without it
// OpenSSH's client gives up where it asks for one, and verbs go on.
func TestPeerTerminalOfACertificate(t *testing.T) {
	a := newAuthority(t)
	h := newHouse(t, func(c *ServerConfig, _ *Deps) {
		c.TrustedCA = append(c.TrustedCA, a.public("ca"))
		c.Users = append(c.Users, User{Name: "ann", Role: fleet.RoleViewer})
	})
	_, port, _ := net.SplitHostPort(h.addr)
	for n, c := range []struct {
		name string
		args []string
		pty  bool
	}{
		{"as signed by default", []string{"-n", "ann"}, true},
		{"only a terminal", []string{"-n", "ann", "-O", "clear", "-O", "permit-pty"}, true},
		{"nothing is permitted", []string{"-n", "ann", "-O", "clear"}, false},
		{"no terminal", []string{"-n", "ann", "-O", "no-pty"}, false},
		{"forwarding, and no terminal", []string{"-n", "ann", "-O", "clear", "-O", "permit-port-forwarding"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert := a.sign("ca", "pty"+string(rune('a'+n)), c.args...)
			call := func(tty string, words ...string) (string, bool) {
				out, err := exec.CommandContext(t.Context(), "ssh", append([]string{tty, "-F", "/dev/null", "-p", port, "-i", a.path("user"), "-o", "CertificateFile=" + cert, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
					"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-l", "ann", "127.0.0.1"}, words...)...).CombinedOutput()
				return string(out), err == nil
			}
			if out, ok := call("-T", "devices"); !ok || !strings.Contains(out, `["devices"]`) {
				t.Errorf("a verb without a terminal: %q", out)
			}
			if out, ok := call("-tt", "devices"); ok != c.pty || strings.Contains(out, "PTY allocation request failed") == c.pty {
				t.Errorf("a verb in a terminal: %q", out)
			}
			for _, words := range [][]string{nil, {kindWall}} {
				if out, ok := call("-T", words...); ok || strings.Contains(out, "permit-pty") == c.pty {
					t.Errorf("a console without a terminal: %q", out)
				}
			}
		})
	}
}
