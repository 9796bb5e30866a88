package export_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/export"
	"plumb/views/viewstest"
)

var t0 = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// smallFleet is one device of each kind of part, and one whose text is hostile.
func smallFleet() *fleet.Snapshot {
	def := func(key, name string, class fleet.SensorClass, unit string) *fleet.SensorDef {
		return &fleet.SensorDef{Key: key, Name: name, Class: class, Unit: unit}
	}
	server := fleet.Device{
		Spec:  &fleet.DeviceSpec{ID: "s1", Kind: fleet.KindServer, Region: "ams", Site: "ams1", Rack: "ams1/r01", Tags: map[string]string{"role": "game"}, Model: "R6515", Owner: "team-game"},
		State: fleet.StateWarn, Power: fleet.PowerOn, PowerW: fleet.Dec(2105, -1), SeenAt: t0,
		Sensors: []fleet.Sensor{
			{SensorDef: def("a", "Inlet", fleet.ClassTemperature, "C"), Value: fleet.Dec(215, -1), State: fleet.StateOK},
			{SensorDef: def("b", "CPU", fleet.ClassTemperature, "C"), Value: fleet.Int(60), Stale: true},
			{SensorDef: def("c", "Exhaust", fleet.ClassTemperature, "C")},
			{SensorDef: def("d", "Load", fleet.ClassLoad, "%"), Value: fleet.Dec(375, -1)},
			{SensorDef: def("e", "PS1", fleet.ClassState, ""), Value: fleet.Int(0), State: fleet.StateCrit},
			{SensorDef: def("f", "Pump", fleet.ClassPressure, "kPa"), Value: fleet.Dec(1015, -1)},
			{SensorDef: def("g", "Odd", fleet.ClassVoltage, "\"}\nx 1\n"), Value: fleet.Int(1)},
		},
	}
	server.Tables[fleet.TableSensors] = fleet.TableState{Is: fleet.Complete, At: t0}
	sw := fleet.Device{
		Spec: &fleet.DeviceSpec{ID: `s"w\`, Kind: fleet.KindSwitch, Region: "fra", Site: "fra1"}, SeenAt: t0, BlindSince: t0,
		Ports: []fleet.Port{{PortDef: &fleet.PortDef{Name: "e1\n", Oper: "up", SpeedBps: fleet.Int(25_000_000_000)}, Rates: fleet.Rates{InBps: fleet.Int(12)}}},
	}
	sw.Ports[0].Counters.Set(fleet.InOctets, 1<<64-1, true)
	sw.Tables[fleet.TablePorts] = fleet.TableState{Is: fleet.Complete, At: t0}
	pdu := fleet.Device{Spec: &fleet.DeviceSpec{ID: "p1", Kind: fleet.KindPDU, Region: "ams"}, Outlets: []fleet.Outlet{{Index: 3, State: "off", CurrentA: fleet.Dec(12, -1)}}}
	pdu.Tables[fleet.TableOutlets] = fleet.TableState{Is: fleet.Complete, At: t0}
	return &fleet.Snapshot{At: t0, Intervals: [3]time.Duration{time.Minute, time.Minute, time.Minute}, Devices: fleet.NewTable([]string{"s1", `s"w\`, "p1"}, []fleet.Device{server, sw, pdu})}
}

func pageOf(t testing.TB, s *fleet.Snapshot, f export.FleetFilter, now time.Time) string {
	t.Helper()
	var b bytes.Buffer
	if err := export.WriteFleet(&b, s, []export.Stock{{Scope: "rack", ID: "ams1/r01", Resource: "units", Unit: "U", Used: fleet.Int(4)}}, f, now); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFleetPage(t *testing.T) {
	got := pageOf(t, smallFleet(), export.FleetFilter{}, t0.Add(time.Minute))
	for _, want := range []string{
		`plumb_sensor_temperature_celsius{device="s1",region="ams",site="ams1",rack="ams1/r01",role="game",sensor="a",name="Inlet"} 21.5`,
		`plumb_sensor_load_ratio{device="s1",region="ams",site="ams1",rack="ams1/r01",role="game",sensor="d",name="Load"} 0.375`,
		`plumb_sensor_state{device="s1",region="ams",site="ams1",rack="ams1/r01",role="game",sensor="e",name="PS1"} 2`,
		`plumb_sensor_pressure_pascals{device="s1",region="ams",site="ams1",rack="ams1/r01",role="game",sensor="f",name="Pump"} 101500`,
		`plumb_sensor_voltage{device="s1",region="ams",site="ams1",rack="ams1/r01",role="game",sensor="g",name="Odd"} 1`,
		`plumb_port_in_bytes_total{device="s\"w\\",region="fra",site="fra1",port="e1\n"} 18446744073709551615`,
		`plumb_port_speed_bytes_per_second{device="s\"w\\",region="fra",site="fra1",port="e1\n"} 3125000000`,
		`plumb_port_in_bytes_per_second{device="s\"w\\",region="fra",site="fra1",port="e1\n"} 1.5`,
		`plumb_outlet_on{device="p1",region="ams",outlet="3"} 0`,
		`plumb_outlet_current_amperes{device="p1",region="ams",outlet="3"} 1.2`,
		`plumb_device_state{device="s1",region="ams",site="ams1",rack="ams1/r01",role="game"} 1`,
		`plumb_device_blind{device="s\"w\\",region="fra",site="fra1"} 1`,
		`plumb_device_power_watts{device="s1",region="ams",site="ams1",rack="ams1/r01",role="game"} 210.5`,
		`plumb_capacity_used{scope="rack",id="ams1/r01",resource="units",unit="U"} 4`,
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, no := range []string{`sensor="b"`, `sensor="c"`, `plumb_port_out_bytes_total{`, `plumb_capacity_limit{`} { // stale, null, never read
		if strings.Contains(got, no) {
			t.Errorf("the page has %s", no)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// What is older than two of its intervals ends; how a device stands does not.
func TestFleetPageLeavesOutWhatIsOld(t *testing.T) {
	got := pageOf(t, smallFleet(), export.FleetFilter{}, t0.Add(2*time.Minute+time.Second))
	for _, no := range []string{"plumb_sensor_temperature", "plumb_port_up{", "plumb_outlet_on{", "plumb_device_power_watts{", "plumb_device_on{"} {
		if strings.Contains(got, no) {
			t.Errorf("%s is too old", no)
		}
	}
	if !strings.Contains(got, "plumb_device_state{") || !strings.Contains(got, "plumb_device_seen_timestamp_seconds{") {
		t.Error("how devices stand is missing")
	}
}

func TestFleetPageFilters(t *testing.T) {
	only := func(class string) func(string) bool { return func(c string) bool { return c == class } }
	for _, c := range []struct {
		name   string
		filter export.FleetFilter
		has    string
		no     []string
	}{
		{"class", export.FleetFilter{Class: only("temperature")}, "plumb_sensor_temperature_celsius{", []string{"load", "port", "outlet", "device_state", "capacity"}},
		{"port", export.FleetFilter{Class: only("port")}, "plumb_port_up{", []string{"sensor_", "bytes_per_second{device=\"s1", "plumb_port_in_bytes_per_second"}},
		{"region", export.FleetFilter{Region: "ams"}, `device="s1"`, []string{`s\"w`, "capacity_used"}},
		{"device", export.FleetFilter{Device: func(d *fleet.DeviceSpec) bool { return d.ID == "p1" }}, `device="p1"`, []string{`device="s1"`, `s\"w`, "plumb_capacity"}},
	} {
		got := pageOf(t, smallFleet(), c.filter, t0)
		if !strings.Contains(got, c.has) {
			t.Errorf("%s: lacks %s", c.name, c.has)
		}
		for _, no := range c.no {
			if strings.Contains(got, no) {
				t.Errorf("%s: has %s", c.name, no)
			}
		}
	}
}

// A reader that leaves ends the page.
func TestFleetPageEndsWithItsReader(t *testing.T) {
	w := &leaver{}
	if err := export.WriteFleet(w, viewstest.Fleet(), nil, export.FleetFilter{}, viewstest.At); !errors.Is(err, errLeft) || w.writes != 1 {
		t.Errorf("%v after %d writes", err, w.writes)
	}
}

var errLeft = errors.New("left")

type leaver struct{ writes int }

func (l *leaver) Write([]byte) (int, error) { l.writes++; return 0, errLeft }

// TestPeerPromtool has promtool read and lint the page.
func TestPeerPromtool(t *testing.T) {
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("against real peers: make peers")
	}
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("no promtool: apt-get install prometheus")
	}
	for name, s := range map[string]*fleet.Snapshot{"small": smallFleet(), "demo": viewstest.Fleet()} {
		cmd := exec.Command("promtool", "check", "metrics")
		cmd.Stdin = strings.NewReader(pageOf(t, s, export.FleetFilter{}, s.At))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestDiscover(t *testing.T) {
	spec := &fleet.DeviceSpec{ID: "s1", Kind: fleet.KindServer, Region: "ams", Rack: "ams1/r01", Owner: "team",
		Tags:      map[string]string{"Role": "game", "role": "second", "a-b": "c"},
		Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "10.0.0.1:623", Credential: "bmc"}, {Source: fleet.SourceSNMP, Address: "10.0.0.1:161"}}}
	s := &fleet.Snapshot{Devices: fleet.NewTable([]string{"s1"}, []fleet.Device{{Spec: spec}})}
	got := export.Discover(s, fleet.SourceIPMI)
	if len(got) != 1 || len(got[0].Targets) != 1 || got[0].Targets[0] != "10.0.0.1:623" {
		t.Fatalf("%+v", got)
	}
	want := map[string]string{"device": "s1", "kind": "ipmi", "device_kind": "server", "region": "ams", "rack": "ams1/r01", "owner": "team", "tag_role": "game", "tag_a_b": "c"}
	for name, value := range want {
		if got[0].Labels["__meta_plumb_"+name] != value {
			t.Errorf("%s is %q, want %q", name, got[0].Labels["__meta_plumb_"+name], value)
		}
	}
	if len(got[0].Labels) != len(want) || strings.Contains(fmt.Sprint(got), "bmc") {
		t.Errorf("%v", got[0].Labels)
	}
	if all := export.Discover(s, ""); len(all) != 2 {
		t.Errorf("%d targets of all wires", len(all))
	}
	if none := export.Discover(&fleet.Snapshot{}, ""); none == nil {
		t.Error("an empty fleet is null, not []")
	}
}
