//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKillsLeaveNoSeam kills the demo with SIGKILL once a minute, in the middle
// of whatever it does, and starts it again on the same store. All along it notes
// what the running process says of the fleet; at the end the same questions are
// asked as of those times. What was true is what was shown, however often the
// process died since. PLUMB_KILLS is how many minutes (an hour: 60); it needs
// the binary that make build left. PLUMB_KILLS_DB keeps the store in a folder
// to look at afterwards, and PLUMB_KILLS_PORT moves the fleet's ports out of the
// way of another run.
func TestKillsLeaveNoSeam(t *testing.T) {
	minutes, err := strconv.Atoi(os.Getenv("PLUMB_KILLS"))
	if err != nil {
		t.Skip("takes minutes: PLUMB_KILLS=60 make kills")
	}
	bin, err := filepath.Abs("plumb")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(bin); err != nil {
		t.Skip("make build first: ", err)
	}
	h := &killed{t: t, bin: bin, db: os.Getenv("PLUMB_KILLS_DB"), port: cmp.Or(os.Getenv("PLUMB_KILLS_PORT"), "26100")}
	if h.db == "" {
		h.db = t.TempDir()
	}
	h.began = time.Now()
	end := h.began.Add(time.Duration(minutes) * time.Minute)
	for n := 0; time.Now().Before(end); n++ {
		h.start()
		until := time.Now().Add(time.Minute)
		for next := time.Now().Add(12 * time.Second); time.Now().Before(until); next = next.Add(15 * time.Second) {
			<-time.After(time.Until(next))
			h.note()
		}
		h.kill()
		t.Logf("%s: killed %d times, %d looks", time.Now().UTC().Format("15:04:05"), n+1, len(h.looks))
	}
	h.start()
	<-time.After(15 * time.Second)
	h.verify()
	h.compare()
	h.kill()
}

// killed is a demo that dies and is started again.
type killed struct {
	t     *testing.T
	bin   string
	db    string
	port  string // the first of the fleet's
	cmd   *exec.Cmd
	began time.Time
	looks []said
}

// said is what the running process said at a time: rows of a verb by id.
type said struct {
	verb string
	at   time.Time
	rows map[string]map[string]any
}

func (k *killed) start() {
	k.t.Helper()
	log, err := os.OpenFile(filepath.Join(k.db, "kills.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		k.t.Fatal(err)
	}
	defer log.Close()
	k.cmd = exec.Command(k.bin, "demo", "--no-tui", "--db", k.db, "--ssh", "127.0.0.1:0", "--port-base", k.port)
	k.cmd.Stdout, k.cmd.Stderr = log, log
	if err := k.cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	began := time.Now()
	for {
		if _, err := k.ask("status"); err == nil {
			return
		}
		if time.Since(began) > 30*time.Second {
			k.t.Fatal("it does not come back")
		}
		<-time.After(20 * time.Millisecond)
	}
}

func (k *killed) kill() {
	k.t.Helper()
	if err := k.cmd.Process.Kill(); err != nil {
		k.t.Fatal(err)
	}
	_ = k.cmd.Wait()
	if status, ok := k.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		k.t.Fatalf("it ended by itself: %v", k.cmd.ProcessState)
	}
}

// ask asks the running process; an exit code that tells the state of the fleet
// is no error.
func (k *killed) ask(verb string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(k.t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, k.bin, append([]string{verb, "--json", "--db", k.db}, args...)...)
	out, err := cmd.Output()
	if len(out) > 0 && verb == "status" {
		err = nil
	}
	return out, err
}

var kinds = []string{"regions", "racks", "devices", "instances", "services"}

// note keeps what each verb says now. They are asked one after the other, so
// that each has a time of its own.
func (k *killed) note() {
	k.t.Helper()
	for _, verb := range kinds {
		out, err := k.ask(verb)
		if err != nil {
			k.t.Fatalf("%s: %v", verb, err)
		}
		at, rows, err := rowsByID(out)
		if err != nil {
			k.t.Fatalf("%s: %v", verb, err)
		}
		k.looks = append(k.looks, said{verb, at, rows})
	}
}

func rowsByID(out []byte) (at time.Time, rows map[string]map[string]any, err error) {
	var list struct {
		At    time.Time        `json:"at"`
		Items []map[string]any `json:"items"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return at, nil, err
	}
	rows = make(map[string]map[string]any, len(list.Items))
	for _, x := range list.Items {
		id := fmt.Sprint(x["id"])
		if x["id"] == nil {
			id = fmt.Sprint(x["name"])
		}
		rows[id] = x
	}
	return list.At, rows, nil
}

// momentary are fields that are of the moment of asking, and not of the fleet.
var momentary = []string{"age_s", "health_age_s", "seen_at"}

// maxTold is how many rows are shown of each field: one that differs often must
// not hide the others.
const maxTold = 10

// compare asks everything again, as of the times at which it was said.
func (k *killed) compare() {
	k.t.Helper()
	differ, fields, asked := 0, map[string]int{}, 0
	for _, l := range k.looks {
		then := k.asOf(l.verb, l.at)
		if then == nil && l.at.Before(k.began.Add(time.Minute)) {
			continue // before there was anything to keep
		}
		earlier := k.earlier(l, then)
		for _, id := range slices.Sorted(maps.Keys(l.rows)) {
			asked++
			wrong := slices.DeleteFunc(changed(l.rows[id], then[id]), func(f string) bool { return onItsWay(f, l.rows[id], id, earlier) })
			tell := false
			for _, f := range wrong {
				fields[l.verb+"."+f]++
				tell = tell || fields[l.verb+"."+f] <= maxTold
			}
			if tell {
				k.t.Logf("%s %s as of %s: %s", l.verb, id, l.at.Format(time.RFC3339Nano), both(l.rows[id], then[id], wrong))
			}
			if len(wrong) > 0 {
				differ++
			}
		}
	}
	k.t.Logf("%d rows asked again, %d differ: %v", asked, differ, fields)
	if differ*1000 > asked {
		k.t.Errorf("more than one row in a thousand is not what it was")
	}
}

func (k *killed) asOf(verb string, at time.Time) map[string]map[string]any {
	k.t.Helper()
	out, err := k.ask(verb, "--at", at.Format(time.RFC3339Nano))
	if err != nil && bytes.Contains(out, []byte("nothing is kept from before")) && at.Before(k.began.Add(time.Minute)) {
		return nil
	}
	if err != nil {
		k.t.Errorf("%s as of %s: %v", verb, at, err)
		return nil
	}
	_, rows, err := rowsByID(out)
	if err != nil {
		k.t.Fatal(err)
	}
	return rows
}

// lags are how long a reading may be on its way from the wire to the screen on
// a machine that is starved: up to a poll and a gathering.
var lags = []time.Duration{time.Second, 3 * time.Second, 6 * time.Second, 12 * time.Second}

// earlier is what was true a little before a look, where it differs from what
// was said then.
func (k *killed) earlier(l said, then map[string]map[string]any) (rows []map[string]map[string]any) {
	k.t.Helper()
	for id := range l.rows {
		if len(changed(l.rows[id], then[id])) == 0 {
			continue
		}
		for _, lag := range lags {
			rows = append(rows, k.asOf(l.verb, l.at.Add(-lag)))
		}
		return rows
	}
	return nil
}

// measured are fields that count from when they were measured.
var measured = []string{"power_w", "inlet_c", "health_at", "latency_s"}

// onItsWay reports whether a reading that differs is one that the screen did
// not have yet: a value counts from when it was measured, and was shown when it
// had come. Then the screen showed the one before it. What is judged or counted
// has no such excuse.
func onItsWay(field string, was map[string]any, id string, earlier []map[string]map[string]any) bool {
	if !slices.Contains(measured, field) {
		return false
	}
	said, _ := json.Marshal(was[field])
	for _, rows := range earlier {
		if is, _ := json.Marshal(rows[id][field]); string(is) == string(said) && string(said) != "null" {
			return true
		}
	}
	return false
}

func changed(was, is map[string]any) (fields []string) {
	for _, f := range slices.Sorted(maps.Keys(was)) {
		a, _ := json.Marshal(was[f])
		b, _ := json.Marshal(is[f])
		if !slices.Contains(momentary, f) && string(a) != string(b) {
			fields = append(fields, f)
		}
	}
	return fields
}

func both(was, is map[string]any, fields []string) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "%s was %v, is %v; ", f, was[f], is[f])
	}
	return b.String()
}

func (k *killed) verify() {
	k.t.Helper()
	out, err := exec.Command(k.bin, "verify", "--db", k.db).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "whole") {
		k.t.Errorf("verify: %v\n%s", err, out)
	}
}
