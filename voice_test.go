package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"plumb/fleet"
)

// taken is one message as an exec receiver got it, and when.
type taken struct {
	at   time.Time
	body struct {
		Status string       `json:"status"`
		Alerts []fleet.Page `json:"alerts"`
	}
	raw string
}

// takenFrom reads lines of "SECONDS JSON". The last may be half written.
func takenFrom(ts *testscript.TestScript, file string) (out []taken) {
	f, err := os.Open(ts.MkAbs(file))
	if os.IsNotExist(err) {
		return nil
	}
	ts.Check(err)
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		stamp, raw, _ := strings.Cut(s.Text(), " ")
		var x taken
		seconds, err := strconv.ParseFloat(stamp, 64)
		if err != nil || json.Unmarshal([]byte(raw), &x.body) != nil {
			continue
		}
		x.at, x.raw = time.Unix(0, int64(seconds*1e9)), raw
		out = append(out, x)
	}
	ts.Check(s.Err())
	return out
}

// cmdPaged is: paged SECONDS FILE WORD...  The demo's one fault stands now: within
// SECONDS of its beginning FILE has one page, of one alert, with all the words,
// and when it is over one resolve of the same; nothing else.
func cmdPaged(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 || neg {
		ts.Fatalf("usage: paged SECONDS FILE WORD...")
	}
	limit, err := strconv.Atoi(args[0])
	ts.Check(err)
	wait := func(what string, seconds int, ok func() bool) {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(time.Duration(seconds) * time.Second); !ok(); <-tick.C {
			if time.Now().After(deadline) {
				b, _ := os.ReadFile(ts.MkAbs(args[1]))
				ts.Fatalf("not within %d s: %s\n%s", seconds, what, b)
			}
		}
	}
	faults := func() []struct{ Since time.Time } {
		var list struct{ Items []struct{ Since time.Time } }
		out, errOut, err := sshRun(ts.Getenv("SSH"), ts.Getenv("DB")+"/keys", "viewer", "faults --json")
		if err != nil {
			ts.Fatalf("faults: %v %s", err, errOut)
		}
		ts.Check(json.Unmarshal([]byte(out), &list))
		return list.Items
	}
	var began time.Time
	wait("a fault stands", 60, func() bool {
		if list := faults(); len(list) == 1 {
			began = list[0].Since
		}
		return !began.IsZero()
	})
	var got []taken
	wait("a page", limit+30, func() bool { got = takenFrom(ts, args[1]); return len(got) > 0 })
	if late := got[0].at.Sub(began); late > time.Duration(limit)*time.Second {
		ts.Fatalf("the page came %v after the fault, want %d s", late, limit)
	}
	for _, w := range args[2:] {
		if !strings.Contains(got[0].raw, w) {
			ts.Fatalf("the page does not say %q: %s", w, got[0].raw)
		}
	}
	wait("the fault is over", 120, func() bool { return len(faults()) == 0 })
	ended := time.Now()
	wait("a resolve", 60, func() bool { got = takenFrom(ts, args[1]); return len(got) > 1 })
	if p := got[1].body; p.Status != "resolved" || len(p.Alerts) != 1 {
		ts.Fatalf("the second word is no resolve of one: %s", got[1].raw)
	}
	ts.Logf("paged %v after the fault, resolved %v after it was over", got[0].at.Sub(began).Round(100*time.Millisecond), got[1].at.Sub(ended).Round(100*time.Millisecond))
	if len(got) != 2 || len(got[0].body.Alerts) != 1 || got[0].body.Alerts[0].ID != got[1].body.Alerts[0].ID {
		ts.Fatalf("%d words, want one page of one alert and its resolve", len(got))
	}
}
