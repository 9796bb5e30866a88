package performance

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// told makes records of a module's errors, one each step, the last at noon.
func told(what fleet.MemoryError, n int, step time.Duration, first uint16) (out []fleet.Event) {
	for k := range n {
		out = append(out, fleet.Event{At: noon.Add(-step * time.Duration(n-1-k)), Sensor: "ECC Errors", Text: "Correctable ECC", Asserted: true,
			Memory: &fleet.MemoryEvent{Error: what, Module: "module 3", Epoch: 7, Record: first + uint16(k), Timed: true}})
	}
	return out
}

func TestMemory(t *testing.T) {
	const corrected, bad, limit = fleet.MemoryCorrected, fleet.MemoryUncorrected, fleet.MemoryLimit
	for _, c := range []struct {
		name     string
		events   []fleet.Event
		at       time.Time
		severity string // "": nothing found
		says     string
	}{
		{"nine in a day are what memory does", told(corrected, 9, time.Hour, 1), noon, "", ""},
		{"ten within hours rise", told(corrected, 10, time.Hour, 1), noon, "warn", "ECC Errors module 3: corrected memory errors rise: 10 corrected in 24 h, 0.0 a day before; the first of this week on 2026-11-20 about 03:00Z"},
		{"as many every day keep coming", told(corrected, 144, time.Hour, 1), noon, "info", "keep coming: 24 corrected in 24 h, 20.0 a day before"},
		{"three times as many as before rise", append(told(corrected, 48, 3*time.Hour, 1), told(corrected, 30, time.Minute, 100)...), noon, "warn", "errors rise: 38 corrected in 24 h, 6.7 a day before"},
		{"one that was not corrected", told(bad, 1, 0, 1), noon, "crit", "1 uncorrected memory error within 7 days"},
		{"no more of them are logged", told(limit, 1, 0, 1), noon, "warn", "takes no more of them since 2026-11-20 12:00Z"},
		{"a day later they rise no more", told(corrected, 10, time.Minute, 1), noon.Add(25 * time.Hour), "", ""},
		{"a week later nothing is left", told(bad, 3, time.Minute, 1), noon.Add(170 * time.Hour), "", ""},
		{"a clock that is ahead", told(bad, 1, 0, 1), noon.Add(-48 * time.Hour), "crit", "uncorrected"},
	} {
		m := AgeMemory(CountMemory(nil, c.events, c.at), c.at)
		var f *fleet.Finding
		for _, look := range Memory(m, true, c.at) {
			if !look.Known || !IsMemory(look.Facet) {
				t.Errorf("%s: %+v", c.name, look)
			}
			f = look.Found
		}
		switch {
		case (f == nil) != (c.severity == ""):
			t.Errorf("%s: %+v", c.name, f)
		case f != nil && (f.Severity.String() != c.severity || !strings.Contains(f.Text, c.says) || !strings.Contains(f.Evidence, "h 2026-11-")):
			t.Errorf("%s: %s %q, %q", c.name, f.Severity, f.Text, f.Evidence)
		}
	}
}

// TestMemoryIsCountedOnce: a log that is read again, in whatever pieces, says
// nothing new, and a cleared one goes on.
func TestMemoryIsCountedOnce(t *testing.T) {
	all := told(fleet.MemoryCorrected, 40, time.Hour, 65520) // its numbers go round
	whole := CountMemory(nil, all, noon)
	if again := CountMemory(whole, all, noon); again != whole {
		t.Errorf("read again: %+v, was %+v", again, whole)
	}
	var pieces *fleet.MemoryErrors
	for k := 0; k < len(all); k += 7 {
		pieces = CountMemory(pieces, all[max(0, k-5):min(len(all), k+7)], noon)
	}
	if !reflect.DeepEqual(pieces, whole) {
		t.Errorf("in pieces %+v, whole %+v", pieces, whole)
	}
	untimed := told(fleet.MemoryCorrected, 5, time.Hour, 1)
	for k := range untimed {
		untimed[k].Memory.Timed = false
	}
	first := CountMemory(nil, untimed, noon)
	for k := range untimed {
		untimed[k].At = noon.Add(time.Hour) // it is given the time of the read
	}
	if again := CountMemory(first, untimed, noon.Add(time.Hour)); again != first {
		t.Errorf("records without a time, read again: %+v, was %+v", again, first)
	}
	for _, epoch := range []uint32{7, 8} { // some machines do not say when a log was cleared
		next := told(fleet.MemoryCorrected, 1, 0, 2)
		next[0].Memory.Epoch, next[0].At = epoch, noon.Add(time.Minute)
		after := CountMemory(whole, next, noon.Add(time.Hour))
		if got := tallied(&after.Modules[0], noon).day; got != tallied(&whole.Modules[0], noon).day+1 {
			t.Errorf("epoch %d: %d in a day after the log was cleared", epoch, got)
		}
	}
}

// TestMemoryIsBounded: a machine that makes up modules takes no more room.
func TestMemoryIsBounded(t *testing.T) {
	var m *fleet.MemoryErrors
	for k := range 3000 {
		e := told(fleet.MemoryCorrected, 1, 0, uint16(k+1))
		e[0].Sensor = fmt.Sprint("DIMM ", k)
		m = CountMemory(m, e, noon)
	}
	others := 0
	for _, x := range m.Modules {
		if others += len(x.Records); x.Name == "others" && x.Hours[0].Corrected != 3000-maxModules {
			t.Errorf("%+v", x)
		}
	}
	if len(m.Modules) != maxModules+1 || others > (maxModules+1)*maxRecords {
		t.Errorf("%d modules, %d records", len(m.Modules), others)
	}
}
