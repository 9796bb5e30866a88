package ipmi

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"plumb/fleet"

	"github.com/google/go-cmp/cmp"
)

// testTimeout is how long a command of the tests may stay unanswered.
const testTimeout = 400 * time.Millisecond

// look observes once, with a deadline that no test should meet.
func look(t *testing.T, b *BMC, lane fleet.Lane) *fleet.Observation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	o, err := b.Observe(ctx, lane)
	if err != nil {
		t.Fatalf("Observe: %v", err)
	}
	return o
}

// well fails the test unless the observation has no error.
func well(t *testing.T, o *fleet.Observation) *fleet.Observation {
	t.Helper()
	if o.Err != nil {
		t.Fatalf("observation: %v", o.Err)
	}
	return o
}

func TestObserveReadsEverythingFirst(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) {
		f.sel = [][]byte{selEntry(1, 1_700_000_100, 1), selEntry(2, 7, 2)}
		f.readings[2] = []byte{85, 0x40, bitUNC, 0}
		f.readings[3] = []byte{0, 0x60, 0, 0}
	})
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if o.Target != "s01" || o.Source != fleet.SourceIPMI || o.Took <= 0 {
		t.Errorf("head: %q %q %v", o.Target, o.Source, o.Took)
	}
	facts := map[string]string{}
	for _, f := range o.Facts {
		facts[f.Name] = f.Value
	}
	want := map[string]string{
		"bmc.auth.anonymous": "no", "bmc.auth.kg": "unset", "bmc.auth.null_user": "yes", "bmc.auth.per_message": "yes",
		"bmc.auth.types": "md5", "bmc.auth.v15": "yes", "bmc.ciphers": "3 17", "bmc.sees.lan": "yes",
		"asset": "asset-1", "bmc.mac": "02:00:00:00:00:42", "bmc.product_id": "0f02", "bmc.vendor": "Supermicro",
		"board.name": "Board One", "board.part": "BPN-1", "board.serial": "BSN-1", "board.vendor": "Maker",
		"firmware": "2.35", "guid": "42000000-0000-0000-0000-000000000000", "identify": "off", "model": "Model One", "power": "on",
		"product.part": "PPN-1", "product.version": "v2", "sel.entries": "2",
		"sel.overflow": "no", "sel.used_percent": "0.8", "serial": "SN-1", "vendor": "Maker",
	}
	want["guid"] = facts["guid"] // TestGUIDText judges it
	want[fleet.FactDoorsAt] = facts[fleet.FactDoorsAt]
	if d := cmp.Diff(want, facts); d != "" {
		t.Errorf("facts (-want +got):\n%s", d)
	}
	type row struct {
		ID, Key, Name, Unit, Value string
		State                      fleet.State
		Limits                     string
	}
	var rows []row
	for _, s := range o.Sensors {
		l, _ := json.Marshal(s.Limits)
		rows = append(rows, row{s.ID, s.Key, s.Name, s.Unit, s.Value.String(), s.State, string(l)})
	}
	const limits = `{"low_crit":5,"low_warn":10,"high_warn":80,"high_crit":90}`
	if d := cmp.Diff([]row{
		{"1", "20.0.01", "Temp A", "C", "20", fleet.StateOK, limits},
		{"2", "20.0.02", "Temp B", "C", "85", fleet.StateWarn, limits},
		{"3", "20.0.03", "Temp C", "C", "null", fleet.StateUnknown, limits},
	}, rows); d != "" {
		t.Errorf("sensors (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[fleet.TableID]fleet.Completeness{fleet.TableFacts: fleet.Complete, fleet.TableSensors: fleet.Complete, fleet.TableEvents: fleet.Complete, fleet.TableEntities: fleet.Complete}, o.Tables); d != "" {
		t.Errorf("tables (-want +got):\n%s", d)
	}
	if len(o.Events) != 2 {
		t.Fatalf("%d events", len(o.Events))
	}
	e := o.Events[0]
	if e.Sensor != "Temp A" || e.Severity != fleet.SeverityCrit || !e.Asserted || e.Source != "sel" || !e.At.Equal(time.Unix(1_700_000_100, 0)) {
		t.Errorf("event: %+v", e)
	}
	if !o.Events[1].At.Equal(e.At) || !strings.Contains(o.Events[1].Text, "not set") {
		t.Errorf("an event without a time stands at %v: %q", o.Events[1].At, o.Events[1].Text)
	}
}

// A kept session costs N sensors and three more commands, no login.
func TestFastPollIsNPlusTwo(t *testing.T) {
	f := startFake(t)
	b := f.probe()
	well(t, look(t, b, fleet.LaneSlow))
	for range 3 {
		asked, sent := f.total(), b.sent.Load()
		o := well(t, look(t, b, fleet.LaneFast))
		if n := f.total() - asked; n != 3+2 {
			t.Errorf("a fast poll of 3 sensors asked %d commands, want 5", n)
		}
		if n := b.sent.Load() - sent; n != 2*(3+2) {
			t.Errorf("it took %d datagrams, want 10", n)
		}
		if _, named := o.Tables[fleet.TableEvents]; named {
			t.Error("a fast poll without news names the events table")
		}
		if o.Facts.Get(fleet.FactSerial) != "SN-1" {
			t.Error("the identity is missing from a fast poll")
		}
	}
	if f.logged() != 1 {
		t.Errorf("%d logins", f.logged())
	}
}

func TestNewEventsOnly(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.sel = [][]byte{selEntry(1, 1_700_000_100, 1)} })
	b := f.probe()
	first := well(t, look(t, b, fleet.LaneTables))
	if len(first.Events) != 1 {
		t.Fatalf("%d events at first", len(first.Events))
	}
	if o := well(t, look(t, b, fleet.LaneTables)); len(o.Events) != 0 || o.Tables[fleet.TableEvents] != fleet.Complete {
		t.Errorf("nothing new: %d events, %v", len(o.Events), o.Tables[fleet.TableEvents])
	}
	f.set(func() { f.sel = append(f.sel, selEntry(2, 1_700_000_200, 2), selEntry(3, 1_700_000_300, 3)) })
	o := well(t, look(t, b, fleet.LaneFast))
	if len(o.Events) != 2 || o.Events[0].Sensor != "Temp B" || o.Events[1].Sensor != "Temp C" {
		t.Errorf("two are new: %+v", o.Events)
	}
	f.set(func() { f.sel, f.erased = [][]byte{selEntry(1, 1_700_000_100, 1)}, f.erased+9 })
	o = well(t, look(t, b, fleet.LaneTables))
	if len(o.Events) != 1 || o.Events[0].ID == first.Events[0].ID {
		t.Errorf("after a clear the same record is another event: %+v", o.Events)
	}
}

func TestLongLogComesInPieces(t *testing.T) {
	const n = logBudget + 50
	f := startFake(t, func(f *fakeBMC) {
		for i := range n {
			f.sel = append(f.sel, selEntry(uint16(i+1), 1_700_000_000+uint32(i), 1))
		}
	})
	b := f.probe()
	ids := map[string]bool{}
	o := well(t, look(t, b, fleet.LaneTables))
	if o.Tables[fleet.TableEvents] != fleet.Partial {
		t.Errorf("first piece is %v", o.Tables[fleet.TableEvents])
	}
	for _, e := range o.Events {
		ids[e.ID] = true
	}
	o = well(t, look(t, b, fleet.LaneTables))
	for _, e := range o.Events {
		ids[e.ID] = true
	}
	if o.Tables[fleet.TableEvents] != fleet.Complete || len(ids) != n {
		t.Errorf("second piece is %v, %d of %d events", o.Tables[fleet.TableEvents], len(ids), n)
	}
}

func TestEmptyLogIsNoError(t *testing.T) {
	f := startFake(t)
	o := well(t, look(t, f.probe(), fleet.LaneTables))
	if o.Tables[fleet.TableEvents] != fleet.Complete || len(o.Events) != 0 {
		t.Errorf("%v, %d events", o.Tables[fleet.TableEvents], len(o.Events))
	}
}

// While the host is off, a sensor that does not read is off, not unknown.
func TestHostOff(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) {
		f.power = false
		f.readings[2] = []byte{0, 0xe0, 0, 0}
		delete(f.readings, 3)
	})
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if o.Facts.Get(fleet.FactPower) != "off" || o.Tables[fleet.TableSensors] != fleet.Complete {
		t.Errorf("power %q, sensors %v", o.Facts.Get(fleet.FactPower), o.Tables[fleet.TableSensors])
	}
	for i, want := range []fleet.State{fleet.StateOK, fleet.StateOff, fleet.StateOff} {
		if o.Sensors[i].State != want {
			t.Errorf("sensor %d is %v, want %v", i+1, o.Sensors[i].State, want)
		}
	}
}

func TestOneSensorFails(t *testing.T) {
	f := startFake(t)
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		return ccUnspecified, nil, fn == fnSensor && cmd == 0x2d && data[0] == 2
	}
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if o.Tables[fleet.TableSensors] != fleet.Partial {
		t.Errorf("sensors are %v", o.Tables[fleet.TableSensors])
	}
	if s := o.Sensors[1]; s.State != fleet.StateUnknown || s.Text != "unspecified error" {
		t.Errorf("the one that failed: %v %q", s.State, s.Text)
	}
	if o.Sensors[2].State != fleet.StateOK {
		t.Error("the one behind it is lost")
	}
}

func TestSDRsAreReadAgainOnlyWhenTheyChanged(t *testing.T) {
	f := startFake(t)
	b := f.probe()
	well(t, look(t, b, fleet.LaneSlow))
	n := f.count(fnStorage, 0x23)
	well(t, look(t, b, fleet.LaneSlow))
	if f.count(fnStorage, 0x23) != n {
		t.Error("records were read again although nothing changed")
	}
	f.set(func() { f.sdrs = append(f.sdrs, fullSDR(9, 9, "New")); f.readings[9] = []byte{1, 0x40, 0}; f.stamp++ })
	o := well(t, look(t, b, fleet.LaneSlow))
	if len(o.Sensors) != 4 || o.Sensors[3].Name != "New" {
		t.Errorf("%d sensors after the change", len(o.Sensors))
	}
}

// A BMC that is busy in the middle of its records is read from there on in
// the next poll; what was read serves meanwhile.
func TestWalkGoesOn(t *testing.T) {
	f := startFake(t)
	busy := true
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		return ccNodeBusy, nil, busy && fn == fnStorage && cmd == 0x23 && data[2] == 2
	}
	b := f.probe()
	o := look(t, b, fleet.LaneFast)
	if o.Tables[fleet.TableSensors] != fleet.Partial || len(o.Sensors) != 1 {
		t.Fatalf("first: %v, %d sensors", o.Tables[fleet.TableSensors], len(o.Sensors))
	}
	f.set(func() { busy = false; clear(f.asked) })
	o = well(t, look(t, b, fleet.LaneFast))
	if len(o.Sensors) != 3 || o.Tables[fleet.TableSensors] != fleet.Complete {
		t.Errorf("then: %v, %d sensors", o.Tables[fleet.TableSensors], len(o.Sensors))
	}
	if n := f.count(fnStorage, 0x23); n != 2 {
		t.Errorf("%d records read, want the 2 that were missing", n)
	}
}

func TestDCMIPower(t *testing.T) {
	f := startFake(t)
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		if fn == fnGroup {
			return 0, []byte{dcmi, 0x2c, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40}, true
		}
		return 0, nil, false
	}
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	s := o.Sensors[len(o.Sensors)-1]
	if s.Key != "dcmi.power" || s.Value != fleet.Int(300) || s.Unit != "W" || s.Class != fleet.ClassPower || s.State != fleet.StateOK {
		t.Errorf("%+v %+v", s, s.SensorDef)
	}
}

// Limits that anyone can set are asked for, not taken from the records.
func TestSettableLimitsAreAsked(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) {
		for _, r := range f.sdrs {
			r[11] = 2 << 2
		}
	})
	high := byte(60)
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		return 0, []byte{bitLNC | bitLC | bitUNC | bitUC, 1, 2, 0, high, 70, 0}, fn == fnSensor && cmd == 0x27
	}
	b := f.probe()
	before := well(t, look(t, b, fleet.LaneSlow)).Sensors[0]
	if before.Limits.HighWarn != fleet.Int(60) || before.Limits.LowCrit != fleet.Int(2) {
		t.Errorf("limits: %+v", before.Limits)
	}
	f.set(func() { high = 65 })
	after := well(t, look(t, b, fleet.LaneSlow)).Sensors[0]
	if after.Limits.HighWarn != fleet.Int(65) || before.Limits.HighWarn != fleet.Int(60) {
		t.Errorf("new limits %+v; the definition in use changed to %+v", after.Limits, before.Limits)
	}
}

func TestUserPrivilegeOnly(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.maxRole = 2 })
	b := f.probe()
	well(t, look(t, b, fleet.LaneSlow))
	if b.role != privUser {
		t.Errorf("role %d", b.role)
	}
	if _, err := b.Act(t.Context(), fleet.Action{Kind: fleet.ActIdentify}); !errors.Is(err, fleet.ErrAuth) {
		t.Errorf("acting as USER: %v", err)
	}
	well(t, look(t, b, fleet.LaneFast)) // and that stops no reading
}

func TestObservationSurvivesJSON(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.sel = [][]byte{selEntry(1, 1_700_000_100, 1)} })
	o := well(t, look(t, f.probe(), fleet.LaneSlow))
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var back fleet.Observation
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(&back)
	if string(again) != string(raw) {
		t.Errorf("changed on the way:\n%s\n%s", raw, again)
	}
}
