package console

import (
	"context"
	"crypto/rand"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"plumb/fleet"
)

// TestWhoIsGoneIsSentAway: a reload that takes a user out takes out the
// connections too, and a changed role ends what was begun in the old one.
func TestWhoIsGoneIsSentAway(t *testing.T) {
	h := newHouse(t, func(c *ServerConfig, _ *Deps) { c.Farewell = 50 * time.Millisecond })
	closed := map[string]chan error{}
	for _, role := range []string{"viewer", "operator", "admin"} {
		c, gone := h.client(role), make(chan error, 1)
		closed[role] = gone
		h.show(c, 80, 24, "").sees("LIVE")
		go func() { gone <- c.Wait() }()
	}
	fresh := h.client("operator") // in, without a session as yet
	err := h.server.SetUsers([]User{
		{Name: "admin", Role: fleet.RoleAdmin, Keys: []ssh.PublicKey{h.keys["admin"].PublicKey()}},
		{Name: "viewer", Role: fleet.RoleWall, Keys: []ssh.PublicKey{h.keys["viewer"].PublicKey()}},
	}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := fresh.NewSession(); err == nil {
		if out, err := s.Output("act power-off x"); err == nil {
			t.Errorf("a user who is gone still acts: %s", out)
		}
	}
	for _, role := range []string{"viewer", "operator"} {
		select {
		case <-closed[role]:
		case <-time.After(5 * time.Second):
			t.Errorf("%s is still connected", role)
		}
	}
	select {
	case <-closed["admin"]:
		t.Error("who is as before was sent away")
	default:
	}
}

// TestCertificateThatRanOut opens no more sessions on an old connection.
func TestCertificateThatRanOut(t *testing.T) {
	ca, key := newSigner(t), newSigner(t)
	h := newHouse(t, func(c *ServerConfig, _ *Deps) { c.TrustedCA = []ssh.PublicKey{ca.PublicKey()} })
	cert := ssh.Certificate{Key: key.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"viewer"}, ValidBefore: uint64(time.Now().Add(2 * time.Second).Unix())}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(&cert, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.dial("viewer", signer)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	eventually(t, 5*time.Second, "no session after its end", func() bool {
		s, err := c.NewSession()
		if err != nil {
			return true
		}
		return s.Run("echo") != nil
	})
}

// TestConnectionsWithoutSessions: they leave a trace and do not stay.
func TestConnectionsWithoutSessions(t *testing.T) {
	h := newHouse(t, func(c *ServerConfig, _ *Deps) { c.NoSession = 100 * time.Millisecond })
	idle := h.client("viewer")
	busy := h.client("viewer")
	h.show(busy, 80, 24, "").sees("LIVE")
	gone := make(chan error, 1)
	go func() { gone <- idle.Wait() }()
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Fatal("a connection without a session stays")
	}
	eventually(t, 3*time.Second, "an entry", func() bool {
		for _, e := range h.audited("login", "done") {
			if e.Target == "no session" && e.Who == "viewer" {
				return true
			}
		}
		return false
	})
	if !h.log.has("authenticated") {
		t.Error("not in the log")
	}
	h.show(busy, 80, 24, "").sees("LIVE")
}

// TestOneUserLeavesPlaces: neither sessions nor connections of one user fill
// the house, and when many do an admin still comes in.
func TestOneUserLeavesPlaces(t *testing.T) {
	h := newHouse(t, func(c *ServerConfig, _ *Deps) { c.MaxSessions, c.MaxSessionsPerUser, c.MaxConnsPerUser = 4, 3, 2 })
	c := h.client("viewer")
	for range 3 {
		h.show(c, 80, 24, "").sees("LIVE")
	}
	d := h.show(c, 80, 24, "")
	d.gone()
	if !d.sent("too many sessions of yours") {
		t.Errorf("%q", d.raw.String())
	}
	h.client("viewer")
	if third, err := h.dial("viewer", h.keys["viewer"]); err == nil {
		if _, err := third.NewSession(); err == nil {
			t.Error("a third connection of one user")
		}
	}
	op := h.client("operator")
	h.show(op, 80, 24, "").sees("LIVE")
	d = h.show(op, 80, 24, "")
	d.gone()
	if !d.sent("all places are taken") {
		t.Errorf("%q", d.raw.String())
	}
	h.show(h.client("admin"), 80, 24, "").sees("LIVE")
}

// TestVerbThatNobodyReads loses its connection.
func TestVerbThatNobodyReads(t *testing.T) {
	h := newHouse(t, func(c *ServerConfig, d *Deps) {
		c.VerbStall = 300 * time.Millisecond
		d.Verb = func(_ context.Context, c VerbCall) int {
			if _, err := io.WriteString(c.Stdout, strings.Repeat("x", 64<<20)); err != nil {
				return 1
			}
			return 0
		}
	})
	c := h.client("viewer")
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go ssh.DiscardRequests(reqs)
	if ok, err := ch.SendRequest("exec", true, ssh.Marshal(struct{ C string }{"devices"})); !ok || err != nil {
		t.Fatal(ok, err)
	}
	eventually(t, 10*time.Second, "its end is audited", func() bool {
		out := h.audited("logout", "done")
		return len(out) == 1 && strings.Contains(out[0].Reason, "stopped reading")
	})
}
