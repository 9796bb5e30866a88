package week_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"plumb/internal/week"
)

// TestOneSeedOneWeek: two pollers of two worlds are told the same, and the
// planted week differs from the clean one only where something is planted.
func TestOneSeedOneWeek(t *testing.T) {
	if raced {
		t.Skip("three times five hours without a goroutine: nothing to be raced")
	}
	s := read(t)
	a, b, clean := week.NewPoller(week.New(s, false)), week.NewPoller(week.New(s, false)), week.NewPoller(week.New(s, true))
	told, differ := 0, map[string]bool{}
	for m := week.Moment(0); m < week.Moment(5*time.Hour); m += minuteStep {
		x, y, z := a.Poll(m), b.Poll(m), clean.Poll(m)
		for i := range x {
			if !reflect.DeepEqual(x[i], y[i]) {
				t.Fatalf("%s %s was told twice, and differently", clock(m), x[i].Target)
			}
			if !reflect.DeepEqual(x[i], z[i]) {
				differ[x[i].Target] = true
			}
			told++
		}
	}
	if want := 5 * 12 * (len(a.Inv.Devices) + len(a.Inv.Clouds)); told != want {
		t.Errorf("%d polls in five hours, want %d", told, want)
	}
	for _, id := range []string{"ams1-r01-s11", "ams1-r01-swb", "ams1-r02-pa", "iad1-r04-s13"} {
		if !differ[id] {
			t.Errorf("something is planted on %s and it says what it says in the clean week", id)
		}
		delete(differ, id)
	}
	for id := range differ { // a feed of ams1 is lost, and a port has errors
		if !strings.HasPrefix(id, "ams1-") && id != "fra1-r04-swa" {
			t.Errorf("%s differs, and nothing is planted there in the first five hours", id)
		}
	}
}

// TestScriptIsReadStrictly: a word that is not known is an error, and so is an
// end before its beginning.
func TestScriptIsReadStrictly(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown":  {"seed: 1\nplant:\n- {sort: x, each: [{at: 0d01:00, colour: red}]}\n", "colour"},
		"moment":   {"seed: 1\nplant:\n- {sort: x, each: [{at: tomorrow}]}\n", "tomorrow"},
		"backward": {"seed: 1\nplant:\n- {sort: x, each: [{at: 1d01:00, until: 0d02:00}]}\n", "ends before it begins"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "script.yaml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := week.Read(file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that names %q", err, c.want)
			}
		})
	}
}

// TestScoreCountsBothWays: what is said of nothing is false, what is not said is
// missed, and what stands after its end is stuck.
func TestScoreCountsBothWays(t *testing.T) {
	s := read(t)
	w := week.New(s, false)
	r := &run{world: w, named: nil, snap: play(week.New(s, true), 0).snap}
	at := week.Moment(14*time.Hour + 2*time.Minute + 24*time.Hour)
	end := week.Moment(4 * 24 * time.Hour)
	r.all = []*said{
		{engine: "drift", kind: "firmware", target: "fra1-r02-s12", facet: "firmware", from: at + minuteStep, last: end},
		{engine: "drift", kind: "firmware", target: "fra1-r02-s13", facet: "firmware", from: at, last: end},
		{engine: "trace", kind: "server", target: "fra1-r02-s13", facet: "cause", from: at, last: at},
	}
	got := judge(r, end)
	if x := got.rows["drift"]; x.found != 1 || x.right != 1 || x.wrong != 1 || x.stuck != 1 || x.missed != x.expected-1 || x.precision() != 0.5 {
		t.Errorf("drift counts %+v", x)
	}
	if x := got.rows["trace"]; x.found != 0 || x.wrong != 1 || x.precision() != 0 || x.recall() != 0 {
		t.Errorf("trace counts %+v", x)
	}
}
