package console

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// TestTheBellIsByteForByte: what is sent for what, and what is not.
func TestTheBellIsByteForByte(t *testing.T) {
	t0 := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	fired := func(sev fleet.Severity, after time.Duration, summary string) *fleet.AlertBook {
		b := &fleet.AlertBook{}
		b.Newest[sev] = &fleet.Alert{State: fleet.AlertFiring, Severity: sev, Fired: t0.Add(after), Summary: summary}
		b.Waiting[sev] = 1
		return b
	}
	hostile := "s01\x1b]52;c;AAAA\x07 \x9d\u0085" + strings.Repeat("x", 400)
	for _, c := range []struct {
		name, term string
		bell       Bell
		book       *fleet.AlertBook
		want       string
	}{
		{"crit", "xterm-256color", BellCrit, fired(fleet.SeverityCrit, time.Second, "feed A is lost"), "\x07\x1b]9;plumb crit: feed A is lost\x07"},
		{"a warning where only crit rings", "xterm", BellCrit, fired(fleet.SeverityWarn, time.Second, "fan"), ""},
		{"a warning", "xterm", BellWarn, fired(fleet.SeverityWarn, time.Second, "fan"), "\x07\x1b]9;plumb warn: fan\x07"},
		{"off", "xterm", BellOff, fired(fleet.SeverityCrit, time.Second, "feed A is lost"), ""},
		{"what fired before", "xterm", BellCrit, fired(fleet.SeverityCrit, -time.Second, "feed A is lost"), ""},
		{"in tmux", "tmux-256color", BellCrit, fired(fleet.SeverityCrit, time.Second, "feed"), "\x07\x1bPtmux;\x1b\x1b]9;plumb crit: feed\x07\x1b\\"},
		{"in screen", "screen-256color", BellCrit, fired(fleet.SeverityCrit, time.Second, "feed"), "\x07\x1bP\x1b]9;plumb crit: feed\x07\x1b\\"},
		{"on a console that knows no OSC", "linux", BellCrit, fired(fleet.SeverityCrit, time.Second, "feed"), "\x07"},
		{"nobody looked", "xterm", BellCrit, nil, ""},
	} {
		r := newRinger(c.bell, c.term, t0)
		var got []byte
		for s := range 10 {
			got = append(got, r.ring(c.book, t0.Add(time.Duration(s+1)*time.Second))...)
		}
		if string(got) != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	r := newRinger(BellCrit, "xterm", t0)
	b := fired(fleet.SeverityCrit, time.Second, hostile)
	r.ring(b, t0.Add(time.Second))
	got := string(r.ring(b, t0.Add(5*time.Second)))
	inner := strings.TrimSuffix(strings.TrimPrefix(got, "\x07\x1b]9;"), "\x07")
	if len(got) > maxRing+8 || inner == got || strings.ContainsAny(inner, "\x1b\x07\u0085\u009d") {
		t.Errorf("a hostile text is sent as %q", got)
	}
}

// TestAStormRingsOnceAMinute: and what is explained within the first moment does
// not ring at all.
func TestAStormRingsOnceAMinute(t *testing.T) {
	t0 := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	r, rings := newRinger(BellCrit, "xterm", t0), 0
	for s := range 150 {
		now := t0.Add(time.Duration(s) * time.Second)
		b := &fleet.AlertBook{Waiting: [3]int{0, 0, s}}
		b.Newest[fleet.SeverityCrit] = &fleet.Alert{State: fleet.AlertFiring, Severity: fleet.SeverityCrit, Fired: now, Summary: "another one"}
		if got := r.ring(b, now); len(got) > 0 {
			rings++
		}
	}
	if rings != 3 {
		t.Errorf("150 alerts in 150 s rang %d times", rings)
	}
	r = newRinger(BellCrit, "xterm", t0)
	b := &fleet.AlertBook{}
	b.Newest[fleet.SeverityCrit] = &fleet.Alert{Severity: fleet.SeverityCrit, Fired: t0.Add(time.Second)}
	if got := r.ring(b, t0.Add(time.Second)); got != nil {
		t.Errorf("rang at once: %q", got)
	}
	for s := range 20 {
		if got := r.ring(&fleet.AlertBook{}, t0.Add(time.Duration(2+s)*time.Second)); got != nil {
			t.Errorf("rang for what was explained meanwhile: %q", got)
		}
	}
}
