package snmp

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

var suites = []Config{
	{},
	{Auth: "MD5"}, {Auth: "SHA"}, {Auth: "SHA-224"}, {Auth: "SHA-256"}, {Auth: "SHA-384"}, {Auth: "SHA-512"},
	{Auth: "MD5", Priv: "DES"}, {Auth: "SHA", Priv: "AES"}, {Auth: "SHA", Priv: "AES-192"}, {Auth: "SHA", Priv: "AES-256"}, {Auth: "SHA", Priv: "AES-192-C"},
	{Auth: "MD5", Priv: "AES-256-C"}, {Auth: "SHA-256", Priv: "AES-256"}, {Auth: "SHA-512", Priv: "AES-256"},
}

func usmOf(t testing.TB, c Config, engineID string) *usm {
	t.Helper()
	c.User, c.AuthPassword, c.PrivPassword = "plumb", secret("authpass12345"), secret("privpass12345")
	u := newUSM(&c)
	if err := u.adopt(context.Background(), engine{id: engineID, boots: 3, time: 1000, at: time.Now()}); err != nil {
		t.Fatal(err)
	}
	return u
}

const engineA, engineB = "\x80\x00\x1f\x88\x04engine-a", "\x80\x00\x1f\x88\x04engine-b"

// answer seals a Response as the engine would.
func answer(t testing.TB, u *usm, id int32) []byte {
	t.Helper()
	var w writer
	if err := u.seal(&w, &request{kind: pduResponse, names: []oid{sysUpTime, sysName}}, id); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(w.bytes())
}

func TestSuites(t *testing.T) {
	for _, c := range suites {
		t.Run(c.Auth+"/"+c.Priv, func(t *testing.T) {
			ours, theirs := usmOf(t, c, engineA), usmOf(t, c, engineA)
			m := answer(t, theirs, 77)
			if c.Priv != "" && bytes.Contains(m, []byte{0x2b, 6, 1, 2, 1, 1, 3, 0}) {
				t.Error("the PDU is in the clear")
			}
			var r response
			if err := ours.open(&r, slices.Clone(m), 77); err != nil || len(r.vars) != 2 || r.vars[1].name.compare(sysName) != 0 {
				t.Fatalf("%v, %d varbinds", err, len(r.vars))
			}
			if err := ours.open(&r, slices.Clone(m), 78); err != errStray {
				t.Errorf("another id: %v", err)
			}
			if c.Auth == "" {
				return
			}
			for _, at := range []int{len(m) - 1, len(m) / 2, len(m) - 20} {
				forged := slices.Clone(m)
				forged[at] ^= 1
				if err := ours.open(&r, forged, 77); err != errStray {
					t.Errorf("changed byte %d of %d: %v", at, len(m), err)
				}
			}
			weak := usmOf(t, Config{}, engineA)
			if err := ours.open(&r, answer(t, weak, 77), 77); err != errStray {
				t.Errorf("unsigned answer: %v", err)
			}
			other := usmOf(t, c, engineB)
			if err := ours.open(&r, answer(t, other, 77), 77); err != errStray {
				t.Errorf("another engine: %v", err)
			}
		})
	}
}

func TestTimeWindow(t *testing.T) {
	c := Config{Auth: "SHA-256"}
	ours, theirs := usmOf(t, c, engineA), usmOf(t, c, engineA)
	var r response
	for _, step := range []struct {
		boots, time int64
		want        error
	}{
		{3, 1010, nil}, {3, 900, nil}, {3, 800, errStray}, {2, 1010, errStray}, {4, 1, nil}, {3, 1011, errStray},
	} {
		theirs.engine.boots, theirs.engine.time, theirs.engine.at = step.boots, step.time, time.Now()
		if err := ours.open(&r, answer(t, theirs, 1), 1); err != step.want {
			t.Errorf("boots %d time %d: %v", step.boots, step.time, err)
		}
	}
}

// TestDowngrade: an answer that leaves encryption out is not one.
func TestDowngrade(t *testing.T) {
	c := Config{Auth: "SHA-256", Priv: "AES"}
	ours, theirs := usmOf(t, c, engineA), usmOf(t, c, engineA)
	theirs.level = flagAuth
	var r response
	if err := ours.open(&r, answer(t, theirs, 1), 1); err != errStray {
		t.Errorf("%v", err)
	}
}

func TestEmptyPassword(t *testing.T) {
	u := newUSM(&Config{User: "u", Auth: "SHA", AuthPassword: secret("")})
	err := u.adopt(context.Background(), engine{id: engineA})
	if !errors.Is(err, fleet.ErrBusy) || !strings.Contains(err.Error(), "empty") { // nothing was sent with it
		t.Errorf("%v", err)
	}
	if err := u.adopt(context.Background(), engine{id: "abc"}); !errors.Is(err, fleet.ErrProtocol) {
		t.Errorf("short engine id: %v", err)
	}
}

// TestKeyDialects: the two extensions agree on the localised key and differ
// only beyond it.
func TestKeyDialects(t *testing.T) {
	b, r := usmOf(t, Config{Auth: "SHA", Priv: "AES-256"}, engineA), usmOf(t, Config{Auth: "SHA", Priv: "AES-256-C"}, engineA)
	if len(b.privKey) != 32 || len(r.privKey) != 32 || !bytes.Equal(b.privKey[:20], r.privKey[:20]) || bytes.Equal(b.privKey[20:], r.privKey[20:]) {
		t.Errorf("%x\n%x", b.privKey, r.privKey)
	}
	q := newUSM(&Config{User: "u", Auth: "SHA", Priv: "AES-256", Quirks: []string{QuirkReeder}})
	if q.priv != r.priv {
		t.Error("quirk reeder does nothing")
	}
}
