//go:build unix

package console

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"plumb/fleet"
)

// openSSH starts a house and returns how to call OpenSSH's client into it.
func openSSH(t *testing.T) (*house, func(args ...string) *exec.Cmd) {
	t.Helper()
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("starts OpenSSH's client: set PLUMB_PEERS=1")
	}
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Fatal("there is no ssh: install openssh-client")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(c *ServerConfig, _ *Deps) {
		c.Users = append(c.Users, User{Name: "ann", Role: fleet.RoleViewer, Keys: []ssh.PublicKey{key}})
	})
	_, port, _ := net.SplitHostPort(h.addr)
	return h, func(args ...string) *exec.Cmd {
		all := append([]string{"-F", "/dev/null", "-p", port, "-i", path, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
			"-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ControlPath=" + filepath.Join(dir, "cm"), "-l", "ann"}, args...)
		return exec.Command("ssh", all...)
	}
}

func TestPeerOpenSSH(t *testing.T) {
	h, call := openSSH(t)
	out, err := call("127.0.0.1", "devices", "--json", "'a b'").Output()
	if err != nil || !strings.Contains(string(out), `["devices" "--json" "a b"] tty=false`) {
		t.Errorf("%q %v", out, err)
	}
	screen := call("-tt", "127.0.0.1")
	screen.Env = append(os.Environ(), "TERM=xterm-256color")
	in, _ := screen.StdinPipe()
	d := &lines{}
	screen.Stdout = d
	if err := screen.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "the first view", func() bool { return d.has("LIVE") })
	_, _ = in.Write([]byte("q"))
	if err := screen.Wait(); err != nil || !d.has(leaveScreen) {
		t.Errorf("%v, screen left: %v", err, d.has(leaveScreen))
	}
	if out, err := call("127.0.0.1").CombinedOutput(); err == nil || !strings.Contains(string(out), "no terminal") {
		t.Errorf("no terminal and no command: %q %v", out, err)
	}
	if out, err := call("-s", "127.0.0.1", "sftp").CombinedOutput(); err == nil {
		t.Errorf("sftp: %q", out)
	}
	eventually(t, 5*time.Second, "nobody is left", func() bool { return h.server.Registry().size() == 0 })
}

// TestPeerControlMasterPeer: sessions come and go on one connection that stays.
func TestPeerControlMaster(t *testing.T) {
	h, call := openSSH(t)
	master := call("-M", "-N", "127.0.0.1")
	if err := master.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "the master is up", func() bool { return call("-O", "check", "127.0.0.1").Run() == nil })
	for range 5 {
		screen := call("-tt", "127.0.0.1")
		screen.Env = append(os.Environ(), "TERM=xterm-256color")
		d := &lines{}
		screen.Stdout = d
		in, _ := screen.StdinPipe()
		if err := screen.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, 5*time.Second, "the first view", func() bool { return d.has("LIVE") })
		_ = screen.Process.Kill()
		_ = screen.Wait()
		_ = in.Close()
		eventually(t, 5*time.Second, "the session ends, the connection stays", func() bool {
			return h.server.Registry().size() == 0 && goroutines("console.follow")+goroutines("console.readKeys") == 0
		})
	}
	_ = call("-O", "exit", "127.0.0.1").Run()
	_ = master.Wait()
}
