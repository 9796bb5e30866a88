package trace

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"plumb/fleet"
)

// brief writes fates as "rack ams1/r01 takes 4 of 8".
func brief(x Spread) (out []string) {
	for _, f := range x.Shared {
		out = append(out, fmt.Sprintf("%s %s takes %d of %d", f.Kind, f.ID, f.Takes, x.Replicas))
	}
	return out
}

func TestSharedFate(t *testing.T) {
	none := func(*fleet.Device) {}
	for _, c := range []struct {
		name string
		live func(*fleet.Device)
		more func(*house)
		has  []string // fates, in order
		not  string   // no fate with these words
	}{
		// s04 hangs on the first PDU alone, s03 on the first switch alone.
		{"two cords and two cables share a rack only", none, nil, []string{"utility grid takes 8 of 8", "rack ams1/r01 takes 4 of 8", "rack ams1/r02 takes 4 of 8", "ups ups-a takes 2 of 8"}, "pdu"},
		{"a dead PDU leaves the spines, and so everybody, on the other", losePDU("r01", "b"), nil, []string{"pdu r01-pa takes 8 of 8", "rack ams1/r01 takes 4 of 8"}, ""},
		{"two guests on one host", none, func(h *house) {
			h.guest("vm-x", "r01-s01", "match")
			h.services[0].Instances = append(h.services[0].Instances, len(h.guests)-1)
		}, []string{"server r01-s01 takes 2 of 9"}, ""},
		{"a host that is not ours", none, func(h *house) {
			for k := range 2 {
				h.guest(fmt.Sprint("far-", k), "hv9", "match")
				h.guests[len(h.guests)-1].Cloud = "os-ams"
				h.services[0].Instances = append(h.services[0].Instances, len(h.guests)-1)
			}
		}, []string{"host os-ams/hv9 takes 2 of 10"}, ""},
		{"what does not run is not taken", none, func(h *house) {
			for k := range 4 {
				h.guests[k].State = fleet.StateCrit
			}
		}, []string{"rack ams1/r02 takes 4 of 4"}, "r01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hall(2)
			if c.more != nil {
				c.more(h)
			}
			s := h.snap(c.live)
			got := brief(Build(s).SharedFate(s, 0))
			at := 0
			for _, want := range c.has {
				k := slices.Index(got[at:], want)
				if k < 0 {
					t.Fatalf("no %q after %q in\n%s", want, got[:at], strings.Join(got, "\n"))
				}
				at += k + 1
			}
			if c.not != "" && strings.Contains(strings.Join(got, "\n"), c.not) {
				t.Errorf("has %q:\n%s", c.not, strings.Join(got, "\n"))
			}
		})
	}
}

// TestFateMerges shows that parts which take the same replicas are one fate.
func TestFateMerges(t *testing.T) {
	s := hall(1).snap()
	x := Build(s).SharedFate(s, 0)
	if f := x.Shared[0]; f.Kind != Rack || f.Takes != 4 || f.Left != 0 || !f.Below || !slices.Contains(f.Also, "utility grid") || !slices.Contains(f.Also, "region ams") {
		t.Errorf("%+v", f)
	}
}

func TestOpacity(t *testing.T) {
	for _, c := range []struct {
		name  string
		zones []string // of four replicas; "?" before it: the host is not visible
		want  string
	}{
		{"every host is visible", []string{"a", "a", "a", "a"}, "0"},
		{"none is, in one zone", []string{"?a", "?a", "?a", "?a"}, "1"},
		{"each is alone in its zone", []string{"?a", "?b", "?c", "?d"}, "0"},
		{"one hides among others", []string{"?a", "a", "b", "b"}, "0.25"},
		{"one without a zone may be anywhere", []string{"?", "?b", "?c", "d"}, "0.75"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hall(1)
			for k, z := range c.zones {
				zone, hidden := strings.CutPrefix(z, "?")
				h.guests[k].Zone = zone
				if hidden {
					h.guests[k].Host, h.guests[k].Device = "", -1
				}
			}
			s := h.snap()
			x := Build(s).SharedFate(s, 0)
			if got := x.Opacity.Float(); fmt.Sprint(got) != c.want || len(x.Unseen) != x.Opaque {
				t.Errorf("opacity %v, want %s, unseen %q", got, c.want, x.Unseen)
			}
		})
	}
	h := hall(1)
	for k := range h.guests {
		h.guests[k].State = fleet.StateOff
	}
	s := h.snap()
	if x := Build(s).SharedFate(s, 0); x.Opacity.Known || x.Replicas != 0 {
		t.Errorf("of no replicas nothing is known: %+v", x)
	}
}
