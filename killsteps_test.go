package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"plumb/fleet"
)

// killSteps kills a plumb serve after each step that a job of two targets puts
// on record, and looks at what the next one makes of it.
type killSteps struct {
	ts     *testscript.TestScript
	config string
	db     string
}

// cmdKillSteps is: killsteps TEMPLATE DB  It power-cycles two machines of the
// demo in one job again and again, and each time kills the process one step
// later than the last time. Nothing is sent twice: each machine's own log shows
// as many cycles as were begun, or one less where the process died in between.
// Each time there are two other machines: a process that is killed closes no
// session, and a BMC has four.
func cmdKillSteps(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: killsteps TEMPLATE DB")
	}
	k := &killSteps{ts: ts, config: ts.MkAbs("step.yaml"), db: ts.MkAbs(args[1])}
	yaml, err := os.ReadFile(filepath.Join(ts.Getenv("DB"), "plumb.yaml"))
	ts.Check(err)
	machines := regexp.MustCompile(`name: ([^,]*), kind: server.*bmc: {address: "127.0.0.1:(\d+)"`).FindAllStringSubmatch(string(yaml), -1)
	for step := 0; ; step++ {
		if len(machines) < 2*step+2 {
			ts.Fatalf("no machines are left after %d steps", step)
		}
		a, b := machines[2*step], machines[2*step+1]
		targets := []string{a[1], b[1]}
		vars := map[string]string{"ONE": a[1], "BMC1": a[2], "TWO": b[1], "BMC2": b[2], "DB": ts.Getenv("DB")}
		text := os.Expand(ts.ReadFile(args[0]), func(name string) string { return vars[name] })
		ts.Check(os.WriteFile(k.config, []byte(text), 0o600))
		p := k.start(targets)
		before := k.told(targets)
		out := k.plumb("act", "power-cycle", targets[0], targets[1], "--reason", "kill", "--json")
		var asked fleet.Job
		ts.Check(json.Unmarshal(out, &asked))
		whole := k.until(asked.ID, step)
		ts.Check(p.Process.Kill())
		_ = p.Wait()

		p = k.start(targets)
		j := k.over(asked.ID)
		k.judge(step, j, before, targets)
		ts.Check(p.Process.Signal(os.Interrupt))
		ts.Check(p.Wait())
		if whole {
			ts.Logf("killed after each of %d steps", step)
			return
		}
	}
}

// start starts a process, and waits until it has seen the machines.
func (k *killSteps) start(targets []string) *exec.Cmd {
	bin, err := exec.LookPath("plumb")
	k.ts.Check(err)
	log, err := os.OpenFile(filepath.Join(filepath.Dir(k.config), "killsteps.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	k.ts.Check(err)
	defer log.Close()
	cmd := exec.Command(bin, "serve", "--config", k.config)
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Dir(k.config), log, log
	began := time.Now().UTC()
	k.ts.Check(cmd.Start())
	k.ts.Defer(func() { _ = cmd.Process.Kill() }) // where the story ends early
	k.wait("it sees the machines", func() bool {
		seen := 0
		for _, d := range items[struct {
			ID     string    `json:"id"`
			SeenAt time.Time `json:"seen_at"`
			Power  string    `json:"power"`
		}](k.try("devices", "--json")) {
			if slices.Contains(targets, d.ID) && d.SeenAt.After(began) && d.Power == "on" {
				seen++
			}
		}
		return seen == len(targets)
	})
	return cmd
}

// until waits for a job to have a number of steps, or to be over.
func (k *killSteps) until(id string, steps int) (over bool) {
	k.wait(fmt.Sprintf("%s has %d steps", id, steps), func() bool {
		j := k.job(id)
		over = j.State.Over()
		return over || len(j.Steps) >= steps
	})
	return over
}

// over waits until nothing more comes of a job.
func (k *killSteps) over(id string) (j fleet.Job) {
	k.wait(id+" is over", func() bool { j = k.job(id); return j.State.Over() && !j.Ended.IsZero() })
	return j
}

func (k *killSteps) job(id string) fleet.Job {
	for _, j := range items[fleet.Job](k.try("jobs", "--json")) {
		if j.ID == id {
			return j
		}
	}
	return fleet.Job{}
}

// judge compares what the job says with what the machines say.
func (k *killSteps) judge(step int, j fleet.Job, before map[string]int, targets []string) {
	begun := map[string]int{}
	for _, x := range j.Steps {
		if x.Name == "begin" {
			begun[x.Target]++
		}
	}
	var after map[string]int
	for _, t := range targets {
		at, cycled := j.Of(t), 0
		k.wait("the log of "+t+" tells", func() bool {
			after = k.told(targets)
			cycled = after[t] - before[t]
			return cycled == 1 || at == nil || at.State == fleet.JobUnknown
		})
		switch {
		case begun[t] > 1 || cycled > begun[t]:
			k.ts.Fatalf("step %d: %s was begun %d times and cycled %d times: %+v", step, t, begun[t], cycled, j.Steps)
		case at == nil && (begun[t] > 0 || j.State == fleet.JobVerified):
			k.ts.Fatalf("step %d: nobody knows what came of %s: %+v", step, t, j.Steps)
		case at != nil && !at.State.Over():
			k.ts.Fatalf("step %d: %s is %s for ever: %+v", step, t, at.State, j.Steps)
		}
	}
	if out := k.plumb("verify"); !strings.Contains(string(out), "whole") {
		k.ts.Fatalf("step %d: %s", step, out)
	}
	ended := map[string]int{}
	for _, e := range items[fleet.AuditEntry](k.plumb("audit", "--json")) {
		switch {
		case e.Action != "power-cycle":
		case e.Outcome == "begun":
			ended[e.Target]--
		default:
			ended[e.Target]++
		}
	}
	for _, t := range targets {
		if ended[t] < 0 {
			k.ts.Fatalf("step %d: %d turns of %s without an end in the audit log", step, -ended[t], t)
		}
	}
}

// told counts the power cycles in each machine's own log.
func (k *killSteps) told(targets []string) map[string]int {
	n := map[string]int{}
	for _, t := range targets {
		for _, e := range items[fleet.Event](k.plumb("events", t, "--json", "--limit", "1000")) {
			if e.Source == "sel" && e.Text == "Power Off / Power Down" {
				n[t]++
			}
		}
	}
	return n
}

func items[T any](out []byte) []T {
	var list struct {
		Items []T `json:"items"`
	}
	_ = json.Unmarshal(out, &list) // nothing was said: no items
	return list.Items
}

// try runs a verb beside the process; nothing where there is none yet.
func (k *killSteps) try(verb string, args ...string) []byte {
	out, _ := exec.Command("plumb", append([]string{verb, "--db", k.db}, args...)...).Output()
	return out
}

func (k *killSteps) plumb(verb string, args ...string) []byte {
	cmd := exec.Command("plumb", append([]string{verb, "--db", k.db}, args...)...)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		k.ts.Fatalf("%s %s: %v\n%s%s", verb, strings.Join(args, " "), err, out, errOut.String())
	}
	return out
}

func (k *killSteps) wait(what string, until func() bool) {
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for !until() {
		if time.Now().After(deadline) {
			k.ts.Fatalf("within 20 s not: %s\n%s", what, k.try("devices", "--json"))
		}
		<-tick.C
	}
}
