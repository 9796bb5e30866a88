package console

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// holed answers with what is left beside damage, or with damage alone.
type holed struct {
	Memory
	nothing bool
}

func (holed) Snapshot() *fleet.Snapshot { return testSnapshot(1) }

func (h holed) Answer(_ context.Context, q fleet.Query, at time.Time) fleet.Answer {
	a := fleet.Answer{Err: errors.New("readings of x from 10:00 to 12:00: damaged")}
	if !h.nothing {
		a.Lost, a.Err = a.Err, nil
		a.Points = []fleet.Point{{Ms: at.UnixMilli(), Mean: fleet.Int(4711), Count: 1}}
		a.Events = []fleet.Event{{ID: "e", At: at, Target: "ams1-r01-s01", Text: "still here"}}
	}
	return a
}

// TestWhatCanBeReadIsListed: damage takes nothing else along, and the exit code and
// the last line say that it is not all.
func TestWhatCanBeReadIsListed(t *testing.T) {
	for _, c := range []struct {
		args    string
		nothing bool
		lists   string
		says    string
	}{
		{"series ams1-r01-s01/power", false, "4711", "series: not all can be read: readings of x from 10:00 to 12:00: damaged"},
		{"events ams1-r01-s01", false, "still here", "events: not all can be read: readings of x from 10:00 to 12:00: damaged"},
		{"report handover", false, "#", "report: not all can be read: readings of x"},
		{"series ams1-r01-s01/power", true, "", "series ams1-r01-s01/power: readings of x from 10:00 to 12:00: damaged"},
		{"events", true, "", "events: readings of x from 10:00 to 12:00: damaged"},
	} {
		var out, says bytes.Buffer
		v := &Verbs{Memory: holed{nothing: c.nothing}, Now: time.Now}
		code := v.Run(t.Context(), VerbCall{Args: strings.Fields(c.args), Stdout: &out, Stderr: &says, Caller: Caller{Role: fleet.RoleAdmin}})
		if code == 0 || !strings.Contains(out.String(), c.lists) || !strings.Contains(says.String(), c.says) || c.nothing && out.Len() > 0 {
			t.Errorf("%s: %d\n%s\n%s", c.args, code, out.String(), says.String())
		}
	}
}

// TestADistanceBackNeedsNoSign: --since 20h is -20h.
func TestADistanceBackNeedsNoSign(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{"20h": 20 * time.Hour, "-20h": 20 * time.Hour, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "11:30": 30 * time.Minute} {
		if got, err := ParseTime(text, now); err != nil || now.Sub(got) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", "h", "20", "soon"} {
		if got, err := ParseTime(text, now); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
