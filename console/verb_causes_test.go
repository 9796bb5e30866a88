package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// starved is a fleet of six servers on one PDU that died: their supplies say so.
func starved() *fleet.Snapshot {
	s := &fleet.Snapshot{At: driftNow, Live: true, Topology: &fleet.Topology{}, Intervals: [3]time.Duration{time.Minute, time.Minute, time.Minute}}
	ids := []string{"pa"}
	rows := []fleet.Device{{Spec: &fleet.DeviceSpec{ID: "pa", Kind: fleet.KindPDU}, State: fleet.StateCrit, About: []string{"power"},
		Reasons: []string{"no output: 6 of 6 power supplies on it have no input"}, SeenAt: driftNow.Add(-time.Minute), BlindSince: driftNow.Add(-time.Minute)}}
	for i := 1; i <= 6; i++ {
		id := fmt.Sprintf("s%02d", i)
		ids = append(ids, id)
		rows = append(rows, fleet.Device{Spec: &fleet.DeviceSpec{ID: id, Kind: fleet.KindServer, Power: []fleet.PowerCord{{PSU: 1, Outlet: fmt.Sprintf("pa/%d", i)}}},
			State: fleet.StateWarn, About: []string{"PSU 1"}, Reasons: []string{"redundancy lost: PSU 1: input lost"}, SeenAt: driftNow})
	}
	s.Devices = fleet.NewTable(ids, rows)
	return s
}

func causesOf(t *testing.T, s *fleet.Snapshot, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	v := &Verbs{Memory: driftMemory{snap: s}, Now: func() time.Time { return driftNow }}
	call := VerbCall{Caller: Caller{User: "ann", Role: fleet.RoleViewer, From: "10.0.0.1:7"}, Args: append([]string{"causes"}, args...), Stdout: &out, Stderr: &errs}
	if code := v.Run(t.Context(), call); code != exitOK {
		t.Fatalf("exits %d: %s", code, errs.String())
	}
	return out.String()
}

func TestCausesNameThePartBehind(t *testing.T) {
	var got struct {
		Items []struct {
			Part, Kind, Confidence string
			Share                  float64
			Explains, Evidence     []string
			Since                  time.Time
		}
	}
	if err := json.Unmarshal([]byte(causesOf(t, starved(), "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Items) != 1 {
		t.Fatalf("%+v", got.Items)
	}
	x := got.Items[0]
	if want := []string{"pa", "s01", "s02", "s03", "s04", "s05", "s06"}; !slices.Equal(x.Explains, want) {
		t.Errorf("explains %q, want %q", x.Explains, want)
	}
	if x.Part != "pa" || x.Kind != "pdu" || x.Share != 1 || x.Confidence != "high" || !x.Since.Equal(driftNow.Add(-time.Minute)) || !slices.Contains(x.Evidence, "no output: 6 of 6 power supplies on it have no input") {
		t.Errorf("%+v", x)
	}
	if text := causesOf(t, starved()); !strings.Contains(text, "s03") || strings.Contains(text, "s06") || !strings.Contains(text, "and 3 more") {
		t.Errorf("people read\n%s", text)
	}
}

func TestNoCauseWhereNothingIsWrong(t *testing.T) {
	s := starved()
	for i := range s.Devices.Len() {
		d := s.Devices.At(i)
		d.State, d.About, d.Reasons, d.BlindSince, d.SeenAt = fleet.StateOK, nil, nil, time.Time{}, driftNow
	}
	if out := causesOf(t, s, "--ndjson"); out != "" {
		t.Errorf("%q", out)
	}
}

// TestACauseIsAsBadAsWhatItMakes: a port that is up and drops frames is no ok
// cause, and people read names of instances where scripts get their ids.
func TestACauseIsAsBadAsWhatItMakes(t *testing.T) {
	s := &fleet.Snapshot{At: driftNow, Live: true, Intervals: [3]time.Duration{time.Minute, time.Minute, time.Minute}, Topology: &fleet.Topology{}}
	s.Devices = fleet.NewTable([]string{"sw"}, []fleet.Device{{Spec: &fleet.DeviceSpec{ID: "sw", Kind: fleet.KindSwitch}, State: fleet.StateWarn, SeenAt: driftNow,
		About: []string{"errors E1"}, Reasons: []string{"E1 40 errors/s"}, Ports: []fleet.Port{{PortDef: &fleet.PortDef{Name: "E1", Admin: "up", Oper: "up"}}}}})
	if text := causesOf(t, s); !strings.Contains(text, "sw/E1  port  warn ") {
		t.Error(text)
	}
	s.Instances = fleet.NewTable([]string{"a1dd3745"}, []fleet.InstanceState{{Instance: fleet.Instance{ID: "a1dd3745", Name: "shop-1"}}})
	if got := named(s, []string{"sw", "a1dd3745"}); !slices.Equal(got, []string{"sw", "shop-1"}) {
		t.Error(got)
	}
}
