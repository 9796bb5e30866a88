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

func whatIf(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	v := &Verbs{Memory: driftMemory{snap: viewstest.Fleet()}, Now: func() time.Time { return viewstest.At }}
	call := VerbCall{Caller: Caller{User: "ann", Role: fleet.RoleViewer, From: "10.0.0.1:7"}, Args: append([]string{"whatif"}, args...), Stdout: &o, Stderr: &e}
	code = v.Run(t.Context(), call)
	return code, o.String(), e.String()
}

func TestWhatIfAdd(t *testing.T) {
	code, out, errs := whatIf(t, "add", "2", "--watts", "450", "--in", "fra1/r02", "--json")
	if code != exitOK {
		t.Fatalf("exits %d: %s", code, errs)
	}
	var got struct{ Items []deltaRow }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	watts := 0
	for _, x := range got.Items {
		if x.Scope == "rack" && x.ID != "fra1/r02" {
			t.Errorf("another rack changes: %+v", x)
		}
		if x.ID == "fra1/r02" && x.Resource == "power" {
			watts = int(x.Used.Float() - x.UsedBefore.Float())
		}
	}
	if watts != 900 {
		t.Errorf("the rack takes %d W more in %s", watts, out)
	}

	if code, out, _ = whatIf(t, "add", "40", "--watts", "450", "--in", "fra1/r02"); code != exitFailed || !strings.Contains(out, "40 of 40 would stand: 40 in fra1/r02") || strings.Contains(out, "; 0 would break") {
		t.Errorf("forty do not fit one rack: %d\n%s", code, out)
	}
	if code, out, _ = whatIf(t, "add", "3", "--watts", "200", "--in", "ams"); code != exitOK || !strings.Contains(out, "3 of 3 would stand: 3 in ams1/") {
		t.Errorf("three find a place: %d\n%s", code, out)
	}
	for _, bad := range [][]string{{"add"}, {"add", "3"}, {"add", "3", "--watts", "1", "--in", "nowhere"}, {"fail", "fra1-A", "--watts", "3"}, {"add", "0", "--watts", "9"}} {
		if code, _, errs = whatIf(t, bad...); code != exitUsage || !strings.Contains(errs, "hint: whatif") {
			t.Errorf("%q exits %d: %s", bad, code, errs)
		}
	}
}
