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
