package console

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views"
	"plumb/views/viewstest"
)

// TestOnlyAVerbsOwnFlagsAreProposed: a hint that the verb then refuses is worse
// than none.
func TestOnlyAVerbsOwnFlagsAreProposed(t *testing.T) {
	for _, c := range []struct{ call, want string }{
		{"alerts --foo", "help alerts"},
		{"alerts --al", "did you mean --all?"},
		{"alerts --jsn", "did you mean --json?"},
		{"drift --fro", "did you mean --for?"},
		{"place 1 --wats 3", "did you mean --watts?"},
		{"events --reasn x", "help events"},
	} {
		var out bytes.Buffer
		v := &Verbs{Memory: driftMemory{snap: viewstest.Fleet()}, Now: func() time.Time { return viewstest.At }}
		code := v.Run(t.Context(), VerbCall{Args: strings.Fields(c.call), Stdout: &out, Stderr: &out, Caller: Caller{Role: fleet.RoleAdmin}})
		if code != exitUsage || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %d %s, want %q", c.call, code, out.String(), c.want)
		}
	}
}

// TestAListOfNothingIsASentence for people, and an empty list for programs.
func TestAListOfNothingIsASentence(t *testing.T) {
	s := &fleet.Snapshot{At: viewstest.At, Topology: &fleet.Topology{}}
	for _, c := range []struct{ call, want string }{
		{"alerts", "no alerts\n"}, {"alerts fan", "no alerts that match\n"}, {"causes", "no causes: nothing is wrong\n"}, {"silences", "no silences\n"}, {"alerts --json", `"items":[]`},
	} {
		var out bytes.Buffer
		v := &Verbs{Memory: driftMemory{snap: s}, Now: func() time.Time { return viewstest.At }}
		if code := v.Run(t.Context(), VerbCall{Args: strings.Fields(c.call), Stdout: &out, Stderr: &out, Caller: Caller{Role: fleet.RoleAdmin}}); code != exitOK || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %d %q, want %q", c.call, code, out.String(), c.want)
		}
	}
}

// TestOneServiceByItsName: a name means it alone, a filter those that match, and
// what matches nothing is said with what there is.
func TestOneServiceByItsName(t *testing.T) {
	for _, c := range []struct {
		call string
		code int
		want string
		rows int
	}{
		{"services", exitOK, "lobby", 8},
		{"services match", exitOK, "match", 1},
		{"services o", exitOK, "lobby", 4}, // lobby voice login store
		{"services owner:team-game", exitOK, "match", 2},
		{"services state:crit", exitOK, "no services that match", 0},
		{"services matsh", exitUsage, "did you mean match?", 0},
		{"services rack:r01", exitUsage, `no service has a field "rack"`, 0},
		{"services latency>fast", exitUsage, "running<3", 0},
	} {
		var out, errs bytes.Buffer
		v := &Verbs{Memory: driftMemory{snap: viewstest.Fleet()}, Now: func() time.Time { return viewstest.At }}
		code := v.Run(t.Context(), VerbCall{Args: strings.Fields(c.call), Stdout: &out, Stderr: &errs, Caller: Caller{Role: fleet.RoleViewer}})
		if text := out.String() + errs.String(); code != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%s: %d, want %d and %q:\n%s", c.call, code, c.code, c.want, text)
		}
		if n := strings.Count(out.String(), "\n") - 1; c.rows > 0 && n != c.rows {
			t.Errorf("%s: %d rows, want %d:\n%s", c.call, n, c.rows, out.String())
		}
	}
}

// jobMemory remembers jobs and nothing else.
type jobMemory struct {
	still
	jobs []fleet.Job
}

func (m jobMemory) Answer(context.Context, fleet.Query, time.Time) fleet.Answer {
	return fleet.Answer{Jobs: m.jobs}
}

// TestOneJobByItsID: one job is listed alone, and one that is not there is said.
func TestOneJobByItsID(t *testing.T) {
	for call, want := range map[string]string{"jobs j2": "reset", "jobs j9": "j9: no such job"} {
		var out bytes.Buffer
		v := &Verbs{Memory: jobMemory{jobs: []fleet.Job{{ID: "j1", Action: "identify"}, {ID: "j2", Action: "reset"}}}, Now: func() time.Time { return viewstest.At }}
		v.Run(t.Context(), VerbCall{Args: strings.Fields(call), Stdout: &out, Stderr: &out, Caller: Caller{Role: fleet.RoleViewer}})
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "identify") {
			t.Errorf("%s: %s", call, out.String())
		}
	}
}

// TestAHostThatOnlyItsCloudKnows: why it is no device, and how it becomes one.
func TestAHostThatOnlyItsCloudKnows(t *testing.T) {
	s := &fleet.Snapshot{At: viewstest.At, Topology: &fleet.Topology{},
		Hosts: fleet.NewTable([]string{"os-fra/kvm7"}, []fleet.HostState{{Host: fleet.Host{Name: "kvm7"}, Cloud: "os-fra", Device: -1}})}
	for _, call := range []string{"device kvm7", "act host-drain kvm7 --reason x", "act host-drain os-fra/kvm7 --dry-run"} {
		var out bytes.Buffer
		v := &Verbs{Memory: driftMemory{snap: s}, Now: func() time.Time { return viewstest.At },
			Execute: func(context.Context, Caller, views.Execute) (fleet.Job, error) {
				return fleet.Job{}, errors.New("it was tried")
			}}
		code := v.Run(t.Context(), VerbCall{Args: strings.Fields(call), Stdout: &out, Stderr: &out, Caller: Caller{Role: fleet.RoleAdmin}})
		if want := "a hypervisor of cloud os-fra that the inventory does not know"; code == exitOK || !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "add it to the inventory as a server with the id kvm7") {
			t.Errorf("%s: %d %s", call, code, out.String())
		}
	}
}

// TestATargetInThePlaceOfAnAlert: the hint is what stands on it, and no alert of the
// same target that is over.
func TestATargetInThePlaceOfAnAlert(t *testing.T) {
	s := &fleet.Snapshot{Alerts: &fleet.AlertBook{List: []*fleet.Alert{
		{Rule: "service-down", Target: "match", State: fleet.AlertResolved}, {Rule: "service-unhealthy", Target: "match", State: fleet.AlertFiring}}}}
	var f *Failure
	if _, err := alertOf(s, "match"); !errors.As(err, &f) || f.Hint != "on match stands service-unhealthy:match" {
		t.Errorf("%+v", err)
	}
}
