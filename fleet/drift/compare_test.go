package drift

import (
	"math/rand/v2"
	"strings"
	"testing"

	"plumb/fleet"
)

// ladder is versions, each later than all before it. Those of one rung are
// equal.
var ladder = [][]string{
	{"beta"},
	{"", "0", "0.0"},
	{"a"},
	{"1rc1", "1-RC1", "v1rc1"},
	{"1rc2"},
	{"1", "1.0", "v1", "V1.0.0", "01"},
	{"1.0a"},
	{"1.0.2", "1.0.2.0"},
	{"1.0.2a"},
	{"1.0.2k", "1.0.2K"},
	{"1.0.5"},
	{"1a"},
	{"1.9"},
	{"1.19"},
	{"2.9.1"},
	{"2.19.1-rc1"},
	{"2.19.1"},
	{"4.28.3M", "4.28.3m"},
	{"4.28.10M"},
	{"15.2(7)E3"},
	{"15.2(7)E4"},
	{"20240131", "0020240131"},
	{"99999999999999999999998"},
	{"99999999999999999999999"},
}

func TestVersionsAreReadAsPeopleReadThem(t *testing.T) {
	for i, low := range ladder {
		for j, high := range ladder {
			want := 0
			switch {
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			for _, a := range low {
				for _, b := range high {
					if got := CompareVersions(a, b); got != want {
						t.Errorf("CompareVersions(%q, %q) = %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
}

// TestVersionsHaveOneOrder holds the comparison to being an order: a version
// that is newer than another and older than it pages somebody for ever.
func TestVersionsHaveOneOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	bits := []string{"0", "00", "1", "2", "10", "a", "k", "rc", "beta", ".", "-", "v", "é"}
	random := func() string {
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString(bits[r.IntN(len(bits))])
		}
		return b.String()
	}
	seen := map[int]int{}
	for range 200_000 {
		a, b, c := random(), random(), random()
		holdsOrder(t, a, b, c)
		seen[CompareVersions(a, b)]++
		if t.Failed() {
			return
		}
	}
	if len(seen) != 3 || seen[0] < 1000 {
		t.Errorf("the random versions were too much alike or never: %v", seen)
	}
}

func holdsOrder(t *testing.T, a, b, c string) {
	t.Helper()
	ab, bc, ac := CompareVersions(a, b), CompareVersions(b, c), CompareVersions(a, c)
	if CompareVersions(a, a) != 0 {
		t.Errorf("%q is not equal to itself", a)
	}
	if ab != -CompareVersions(b, a) {
		t.Errorf("%q and %q: %d one way, %d the other", a, b, ab, CompareVersions(b, a))
	}
	if ab <= 0 && bc <= 0 && (ac > 0 || ac == 0 && (ab < 0 || bc < 0)) {
		t.Errorf("%q %d %q %d %q, but the first against the last is %d", a, ab, b, bc, c, ac)
	}
}

func FuzzCompareVersions(f *testing.F) {
	f.Add("1", "1a", "1rc")
	f.Add("1", "1.0", "1.0.5")
	f.Add("v2.0", "2.0", "2.0-b")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		holdsOrder(t, a, b, c)
		if got := CompareVersions(a, b); got < -1 || got > 1 {
			t.Errorf("%q and %q: %d", a, b, got)
		}
	})
}

func TestAgrees(t *testing.T) {
	for _, c := range []struct {
		mode               fleet.Mode
		expected, observed string
		want               bool
	}{
		{fleet.ModeExact, "2.19", "2.19", true},
		{fleet.ModeExact, "2.19", "2.19.0", false},
		{fleet.ModeExact, "", "", true},
		{"", "a", "A", false}, // no mode given is exact
		{fleet.ModeMinimum, "2.19", "2.19.0", true},
		{fleet.ModeMinimum, "2.19", "2.20", true},
		{fleet.ModeMinimum, "2.19", "2.9", false},
		{fleet.ModeMinimum, "2.19", "", false},
		{fleet.ModeSubset, "3 17", "17,3,12", true},
		{fleet.ModeSubset, "3,17", "3 12", false},
		{fleet.ModeSubset, "", "", true},
		{fleet.ModeSubset, "3", "13 30", false}, // words, not parts of words
		{fleet.ModeIgnored, "on", "off", true},
	} {
		if got := Agrees(c.mode, c.expected, c.observed); got != c.want {
			t.Errorf("%s: expected %q, observed %q: %v", c.mode, c.expected, c.observed, got)
		}
	}
}
