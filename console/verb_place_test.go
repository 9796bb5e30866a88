package console

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/viewstest"
)

// TestPlaceSaysSomethingOfEveryRack: its rank, that it was not needed, or what
// binds it; people get the first of many and how many more there are.
func TestPlaceSaysSomethingOfEveryRack(t *testing.T) {
	s := viewstest.Fleet()
	run := func(args ...string) string {
		var out bytes.Buffer
		v := &Verbs{Memory: driftMemory{snap: s}, Now: func() time.Time { return viewstest.At }}
		v.Run(t.Context(), VerbCall{Args: append([]string{"place"}, args...), Stdout: &out, Stderr: &out, Caller: Caller{Role: fleet.RoleViewer}})
		return out.String()
	}
	for _, ask := range []string{"1", "30", "9000"} {
		var got struct{ Items []placeRow }
		if err := json.Unmarshal([]byte(run(ask, "--watts", "450", "--units", "2", "--json")), &got); err != nil {
			t.Fatal(err)
		}
		racks := map[string]bool{}
		for i, r := range got.Items {
			if racks[r.Rack] || r.Why == "" || r.Rank != i+1 && r.Rank != 0 || r.Rank == 0 && r.Servers > 0 || r.Rank > 0 && r.Servers+r.Room == 0 {
				t.Errorf("%s: %+v", ask, r)
			}
			racks[r.Rack] = true
		}
		if len(racks) != s.Racks.Len() {
			t.Errorf("%s: %d of %d racks are named", ask, len(racks), s.Racks.Len())
		}
	}
	text := run("1", "--watts", "450")
	if !strings.Contains(text, "not needed; binds ") || !strings.Contains(text, "racks more; --json has them all") || strings.Count(text, "\n") > elsewhereShown+5 {
		t.Errorf("for people:\n%s", text)
	}
}
