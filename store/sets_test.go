package store

import (
	"fmt"
	"testing"
	"time"

	"plumb/fleet"
)

func sensorRows(target string, at time.Time, version int) (out []fleet.Change) {
	for i := range 5 {
		out = append(out, fleet.Change{Target: target, Table: fleet.TableSensors, Row: fmt.Sprintf("20.0.%02d", i), At: at, Value: []byte(fmt.Sprintf(`{"name":"Temp %d","v":%d}`, i, version))})
	}
	return out
}

// Servers of one model keep one set of sensors, in the file and in memory; who
// changes leaves it, and the last to leave takes it along.
func TestTablesOfOneContentShareIt(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	sets := func(want int) {
		t.Helper()
		if r := verifyClean(t, o.Store); r.Records["state/sets"] != want || r.Records["state/set-refs"] != want {
			t.Errorf("%v, want %d sets", r.Records, want)
		}
	}
	for i := range 8 {
		o.apply(t, payload{Changes: sensorRows(fmt.Sprint("s", i), day0.Add(time.Duration(i)*time.Second), 1)})
	}
	sets(1)
	m, err := o.Memory(t.Context())
	if err != nil || len(m.Tables) != 8 || m.Tables[0].RowSet != m.Tables[7].RowSet || !m.Tables[3].Newest.Equal(day0.Add(3*time.Second)) {
		t.Fatalf("%+v, %v", m.Tables, err)
	}
	o.apply(t, payload{Changes: sensorRows("s0", day0.Add(time.Minute), 2)})
	sets(2)
	past, err := o.At(t.Context(), day0.Add(30*time.Second))
	if err != nil || len(past.Tables) != 8 || string(past.Tables[0].Values[0]) != `{"name":"Temp 0","v":1}` {
		t.Errorf("%+v, %v", past.Tables, err)
	}
	for i := 1; i < 8; i++ {
		o.apply(t, payload{Changes: sensorRows(fmt.Sprint("s", i), day0.Add(time.Minute), 2)})
	}
	sets(1)
	var gone []fleet.Change
	for i := range 8 {
		for _, c := range sensorRows(fmt.Sprint("s", i), day0.Add(2*time.Minute), 0) {
			c.Value = nil
			gone = append(gone, c)
		}
	}
	o.apply(t, payload{Changes: gone})
	sets(0)
	if past, err = o.At(t.Context(), day0.Add(90*time.Second)); err != nil || len(past.Latest()) != 40 {
		t.Errorf("%d rows before they went, %v", len(past.Latest()), err)
	}
}
