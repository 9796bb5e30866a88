package store

import (
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
)

// fixtureDir, where set, makes TestWriteFixture write a store of the present
// schema there. It is run once before a schema is left behind; the tests of the
// migrations open what it wrote for ever after.
const fixtureDir = "PLUMB_FIXTURE"

// fixtureDay is when the things in a fixture happened.
var fixtureDay = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func TestWriteFixture(t *testing.T) {
	to := os.Getenv(fixtureDir)
	if to == "" {
		t.Skip("writes a store of the present schema only where " + fixtureDir + " names a directory")
	}
	dir := t.TempDir()
	s, err := Open(t.Context(), crashConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{rows: 4, spread: 1, age: time.Hour, grace: 0, house: 4, journal: 16 << 10}
	o := run(t, s, dir, testStep)
	fillFixture(t, o)
	o.stop()
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range filesOf(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(to, name+".gz"))
		if err != nil {
			t.Fatal(err)
		}
		z, _ := gzip.NewWriterLevel(f, gzip.BestCompression)
		if _, err := z.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// fillFixture says one of everything: a firmware that changed ten times, a
// serial number said ten times, an optic that came and went, eight hours of
// polls of every kind of series, events, jobs, entries, an import, an origin.
func fillFixture(t *testing.T, o *opened) {
	t.Helper()
	for i := range 48 {
		at := fixtureDay.Add(time.Duration(i) * 10 * time.Minute)
		p := payload{Readings: []fleet.Readings{
			reading("server-one", at, fleet.Dec(int64(200+i), -1), fleet.Int(int64(i)<<33)),
			{Target: "server-two", At: at, Keys: []fleet.SeriesKey{gauge, health, octets}, Values: []fleet.Num{fleet.Dec(int64(i%7), -1), fleet.Int(int64(i % 3)), {}}},
		}}
		if i < 10 {
			p.Changes = []fleet.Change{
				{Target: "server-one", Row: "firmware", At: at, Value: []byte(fmt.Sprintf(`"2.19.%d"`, i))},
				{Target: "server-one", Row: "serial", At: at, Value: []byte(`"X7"`)},
				{Target: "server-one", Table: fleet.TableSensors, Row: "20.0.01", At: fixtureDay, Value: []byte(`{"id":"1","key":"20.0.01","name":"Inlet Temp","class":"temperature","unit":"C","limits":{"low_crit":null,"low_warn":null,"high_warn":38,"high_crit":42.5}}`)},
				{Target: "switch-one", Table: fleet.TablePorts, Row: "Ethernet1", At: fixtureDay, Value: []byte(`{"index":1,"name":"Ethernet1","alias":"to server-one","descr":"Ethernet1","type":"ethernetCsmacd","speed_bps":25000000000,"mtu":9000,"mac":"52:54:00:00:00:01","admin":"up","oper":"up","vlan":208}`)},
			}
			optic := fleet.Change{Target: "server-one", Table: fleet.TableEntities, Row: "7", At: at}
			if i%2 == 0 {
				optic.Value = []byte(`{"index":7,"class":"module"}`)
			}
			p.Changes = append(p.Changes, optic)
			p.Events = []fleet.Event{{ID: fmt.Sprintf("event-%04d", i), Target: "server-one", At: at, Severity: fleet.SeverityWarn, Text: "fan failure"}}
			p.Jobs = []fleet.Job{{ID: fmt.Sprintf("job-%04d", i), Began: at, State: fleet.JobVerified}}
			p.Audit = []fleet.AuditEntry{{Who: fmt.Sprintf("operator-%04d", i), Action: "login", Outcome: "done", At: at}}
		}
		o.apply(t, p)
	}
	if err := o.Apply(t.Context(), &fleet.Observation{Facts: fleet.Facts{{Name: "payload", Value: "{}"}}, Origin: fleet.Origin{Cell: "amsterdam", Epoch: 77, Seq: 1234567}}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Backfill(t.Context(), "sim-history", slices.Values([]fleet.Readings{reading("server-one", fixtureDay.Add(-time.Hour), fleet.Int(1))})); err != nil {
		t.Fatal(err)
	}
}
