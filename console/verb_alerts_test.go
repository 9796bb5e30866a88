package console

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/views"
)

var anAlert = &fleet.Alert{Rule: "psu-lost", Target: "s01", Part: "psu1", State: fleet.AlertFiring, Severity: fleet.SeverityWarn, Summary: "s01: PS1 has no input",
	Held: &fleet.Hold{By: "cause:pa"}, Labels: map[string]string{"rule": "psu-lost", "rack": "ams1/r03", "owner": "team-game"}}

func TestAlertFilter(t *testing.T) {
	for words, want := range map[string]bool{
		"":                                true,
		"state:firing severity:warn":      true,
		"state:pending":                   false,
		"!state:pending":                  true,
		"held:yes acked:no silenced:no":   true,
		"held:no":                         false,
		"rack=ams1/r03":                   true,
		"rack!=ams1/r03":                  false,
		"rule=~psu.* owner!~team-(web|x)": true,
		"rule=~psu":                       false, // anchored
		"ps1":                             true,
		"S01/PSU1":                        true,
		"spare":                           false,
		"!spare input":                    true,
	} {
		keep, err := alertFilter(strings.Fields(words))
		if err != nil || keep(anAlert) != want {
			t.Errorf("%q: not %v, %v", words, want, err)
		}
	}
	for _, bad := range []string{"state:odd", "severity:high", "held:maybe", "rule=~("} {
		if _, err := alertFilter([]string{bad}); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// TestAlertWords: who may say what, for how long, and what is not taken.
func TestAlertWords(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	s := &fleet.Snapshot{Alerts: &fleet.AlertBook{List: []*fleet.Alert{anAlert}, Silences: []fleet.Silence{{ID: "S1", End: now.Add(time.Hour)}, {ID: "S0", End: now}}}}
	op, viewer := Caller{User: "bob", Role: fleet.RoleOperator}, Caller{User: "ann", Role: fleet.RoleViewer}
	d, err := Acknowledge(s, op, views.AlertWord{Alerts: []string{"psu-lost:s01/psu1"}, For: time.Hour, Reason: "on it\x1b[2J"}, now)
	ack := d.Acks[0].Ack
	if err != nil || len(d.Acks) != 1 || !ack.Until.Equal(now.Add(time.Hour)) || ack.Reason != "on it[2J" || d.Audit[0].Who != "bob" || d.Audit[0].Target != "psu-lost:s01/psu1" || d.Audit[0].Reason != "until 2026-11-22T15:00:00Z: on it[2J" {
		t.Errorf("%+v %v", d, err)
	}
	ruled := *s
	ruled.Topology = &fleet.Topology{}
	ruled.Rules = alert.Compile(&fleet.Alerting{AckFor: 4 * time.Hour}, &fleet.Snapshot{Devices: fleet.NewTable[fleet.Device](nil, nil)})
	for _, c := range []struct {
		word views.AlertWord
		want time.Duration
	}{{views.AlertWord{}, 4 * time.Hour}, {views.AlertWord{For: time.Hour}, time.Hour}, {views.AlertWord{Sticky: true}, 0}} {
		c.word.Alerts = []string{anAlert.ID()}
		d, err := Acknowledge(&ruled, op, c.word, now)
		if err != nil {
			t.Fatal(err)
		}
		if until := d.Acks[0].Ack.Until; until.IsZero() != (c.want == 0) || c.want > 0 && !until.Equal(now.Add(c.want)) {
			t.Errorf("%+v stands until %s, want %s", c.word, until, c.want)
		}
	}
	good := views.AlertWord{Matchers: []string{"rack=ams1/r03", "rule=~psu.*"}, For: time.Hour, Reason: "moving"}
	d, silence, err := Hush(s, op, good, now)
	if err != nil || len(d.Silences) != 1 || silence.Text() != "rack=ams1/r03 rule=~psu.*" || !silence.End.Equal(now.Add(time.Hour)) || silence.ID == "" || d.Audit[0].Reason != silence.ID+" until 2026-11-22T15:00:00Z: moving" {
		t.Errorf("%+v %v", d, err)
	}
	if d, x, err := Unhush(s, op, "S1", now); err != nil || !x.End.Equal(now) || len(d.Silences) != 1 {
		t.Errorf("%+v %v", x, err)
	}
	for name, try := range map[string]func() error{
		"a viewer acks": func() error {
			_, err := Acknowledge(s, viewer, views.AlertWord{Alerts: []string{anAlert.ID()}}, now)
			return err
		},
		"an ack of nothing": func() error { _, err := Acknowledge(s, op, views.AlertWord{Alerts: []string{"x:y"}}, now); return err },
		"an ack for two years": func() error {
			_, err := Acknowledge(s, op, views.AlertWord{Alerts: []string{anAlert.ID()}, For: 2 * longestSilence}, now)
			return err
		},
		"a viewer silences": func() error { _, _, err := Hush(s, viewer, good, now); return err },
		"a silence of everything": func() error {
			w := good
			w.Matchers = []string{"rule=~.*"}
			_, _, err := Hush(s, op, w, now)
			return err
		},
		"a silence of all that is": func() error {
			w := good
			w.Matchers = []string{"rule=~.+", "severity=~info|warn|crit"}
			_, _, err := Hush(s, op, w, now)
			if w.All = true; err != nil {
				if _, x, meant := Hush(s, op, w, now); meant != nil || x.ID == "" {
					t.Errorf("with --all: %v", meant)
				}
			}
			return err
		},
		"a silence of nothing":      func() error { w := good; w.Matchers = nil; _, _, err := Hush(s, op, w, now); return err },
		"a silence without end":     func() error { w := good; w.For = 0; _, _, err := Hush(s, op, w, now); return err },
		"a silence without reason":  func() error { w := good; w.Reason = " "; _, _, err := Hush(s, op, w, now); return err },
		"an end of one that is not": func() error { _, _, err := Unhush(s, op, "S9", now); return err },
		"an end of one that ended":  func() error { _, _, err := Unhush(s, op, "S0", now); return err },
		"a viewer ends":             func() error { _, _, err := Unhush(s, viewer, "S1", now); return err },
	} {
		err := try()
		if err == nil {
			t.Errorf("%s: is taken", name)
		} else if viewer := strings.HasPrefix(name, "a viewer"); viewer != errors.Is(err, ErrMayNot) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An id with blanks in it may be typed as it is listed, over ssh too.
func TestAnAlertWithBlanks(t *testing.T) {
	a := *anAlert
	a.Rule, a.Part = "memory-event", "ECC Errors"
	s := &fleet.Snapshot{Topology: &fleet.Topology{}, Alerts: &fleet.AlertBook{List: []*fleet.Alert{&a}}}
	for _, call := range []string{"ack memory-event:s01/ECC Errors --for 1h", "unack memory-event:s01/ECC Errors"} {
		var out bytes.Buffer
		acked := a
		acked.Ack = &fleet.Ack{By: "ann"}
		if strings.HasPrefix(call, "unack") {
			s.Alerts.List[0] = &acked
		}
		var got fleet.Decision
		v := &Verbs{Memory: driftMemory{snap: s}, Now: time.Now, Decide: func(_ context.Context, d fleet.Decision) error { got = d; return nil }}
		if code := v.Run(t.Context(), VerbCall{Args: strings.Fields(call), Stdout: &out, Stderr: &out, Caller: Caller{User: "ann", Role: fleet.RoleOperator}}); code != exitOK || len(got.Acks) != 1 || got.Acks[0].Alert != "memory-event:s01/ECC Errors" {
			t.Errorf("%s: %d %s %+v", call, code, out.String(), got)
		}
	}
}
