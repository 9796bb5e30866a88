package ipmi

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/probetest"
)

func TestKnock(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	g, err := Knock(t.Context(), f.address())
	if err != nil {
		t.Fatal(err)
	}
	if !g.IPMI || !g.V15 || !g.V20 || g.Cipher0 || !g.Cipher0Tried || g.Refused != "cipher suite refused" || !g.WeakAuth || g.NoAuth {
		t.Errorf("%+v", g)
	}
	if !slices.Equal(g.Suites, []int{3, 17}) {
		t.Errorf("suites %v", g.Suites)
	}
	if f.logged() != 0 || f.sessions() != 0 {
		t.Errorf("%d logins, %d sessions", f.logged(), f.sessions())
	}
}

func TestKnockNobody(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	f.silent.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Knock(ctx, f.address()); !errors.Is(err, fleet.ErrTimeout) {
		t.Errorf("%v", err)
	}
	f.conn.Close()
	if _, err := Knock(t.Context(), f.address()); !errors.Is(err, fleet.ErrUnreachable) {
		t.Errorf("%v", err)
	}
	if _, err := Knock(t.Context(), "a b"); err == nil {
		t.Error("a bad address is accepted")
	}
}

func TestParseSuites(t *testing.T) {
	for _, c := range []struct {
		in   []byte
		want []int
	}{
		{[]byte{0xc0, 17, 3, 0x44, 0x81, 0xc0, 3, 1, 0x41, 0x81, 0xc0, 0, 0, 0x40, 0x80}, []int{0, 3, 17}},
		{[]byte{0xc1, 0xc0, 1, 2, 3, 9, 0xc0, 8}, []int{8}},
		{[]byte{0xc0}, nil},
		{nil, nil},
	} {
		if got := parseSuites(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%x: %v, want %v", c.in, got, c.want)
		}
	}
}
