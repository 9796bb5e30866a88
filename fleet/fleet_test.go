package fleet

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestRollUpOrder(t *testing.T) {
	order := []State{StateOff, StateOK, StateUnknown, StateWarn, StateCrit}
	for i, low := range order {
		for _, high := range order[i+1:] {
			if !high.Worse(low) || low.Worse(high) || Worst(low, high) != high {
				t.Errorf("%s must outrank %s", high, low)
			}
		}
	}
}

func TestNumIsExact(t *testing.T) {
	for _, c := range []struct {
		n    Num
		want string
	}{
		{Num{}, "null"}, {Int(0), "0"}, {Int(-7), "-7"}, {Dec(214, -1), "21.4"}, {Dec(-5, -3), "-0.005"}, {Dec(2100, -2), "21"},
		{Dec(3, 3), "3000"}, {Int(1<<63 - 1), "9223372036854775807"}, {Dec(-1<<63, -2), "-92233720368547758.08"},
	} {
		if got := c.n.String(); got != c.want {
			t.Errorf("%+v prints %s, want %s", c.n, got, c.want)
		}
		var back Num
		if err := json.Unmarshal([]byte(c.want), &back); err != nil || back.String() != c.want {
			t.Errorf("%s came back as %s (%v)", c.want, back, err)
		}
	}
	for _, bad := range []string{"", "1e9", "-", "1.-2", "0x10", "NaN", "1.2.3", "99999999999999999999"} {
		if n, err := ParseNum(bad); err == nil {
			t.Errorf("%q was read as %s", bad, n)
		}
	}
	if got := Dec(1250, -3).Rescale(-2).String(); got != "1.25" {
		t.Errorf("rescale gave %s", got)
	}
}

func TestLimits(t *testing.T) {
	l := Limits{LowCrit: Int(5), LowWarn: Int(8), HighWarn: Dec(405, -1), HighCrit: Int(50)}
	for v, want := range map[int64]State{5: StateCrit, 7: StateWarn, 9: StateOK, 40: StateOK, 41: StateWarn, 50: StateCrit, 51: StateCrit} {
		if got := l.Judge(Int(v)); got != want {
			t.Errorf("%d is %s, want %s", v, got, want)
		}
	}
	if (Limits{}).Judge(Num{}) != StateUnknown || (Limits{}).Judge(Int(3)) != StateOK {
		t.Error("no value is unknown, a value without limits is ok")
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                         "plain",
		"\x1b[31mred\x1b[0m":            "[31mred[0m",
		"a\x00b\x07c\r\nd":              "abcd",
		"c1 \u009b31m":                  "c1 31m",
		"bidi \u202eevil\u2066":         "bidi evil",
		"  padded \t":                   "padded",
		"sep\u2028arated":               "separated",
		"bad \xff utf8":                 "bad \uFFFD utf8",
		"zürich 東京":                     "zürich 東京",
		strings.Repeat("x", MaxText+50): strings.Repeat("x", MaxText),
	} {
		if got := Clean(in, MaxText); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b]0;x\x07", 10)
	f.Add("東京", 4)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = limit & 1023
		got := Clean(s, limit)
		if len(got) > limit && len(got) > 0 {
			t.Fatalf("%d bytes, limit %d", len(got), limit)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("invalid UTF-8: %q", got)
		}
		for _, r := range got {
			if drop(r) {
				t.Fatalf("kept %U", r)
			}
		}
	})
}

func TestTableCopiesOnlyTouchedPages(t *testing.T) {
	const n = 3*pageSize + 5
	ids, rows := make([]string, n), make([]int, n)
	for i := range ids {
		ids[i], rows[i] = "d"+strings.Repeat("x", i), i
	}
	before := NewTable(ids, rows)
	e := before.Edit()
	*e.At(pageSize + 3) = -1
	after := e.Done()
	if *before.At(pageSize + 3) != pageSize+3 || *after.At(pageSize + 3) != -1 {
		t.Error("the earlier version was written, or the later one was not")
	}
	if before.pages[0] != after.pages[0] || before.pages[2] != after.pages[2] || before.pages[1] == after.pages[1] {
		t.Error("not exactly the touched page was copied")
	}
	if after.Get(ids[n-1]) == nil || after.Get("no such") != nil || after.Number(ids[7]) != 7 || after.Number("") != -1 {
		t.Error("lookups")
	}
}

func TestSeriesKeyText(t *testing.T) {
	for text, k := range map[string]SeriesKey{
		"20.0.1":                      {Table: TableSensors, Row: "20.0.1"},
		"entPhysical:Fan 1":           {Table: TableSensors, Row: "entPhysical:Fan 1"},
		"sensors:20.0.7:state":        {Table: TableSensors, Row: "20.0.7", Field: FieldState},
		"ports:Ethernet1/1:in_octets": {Table: TablePorts, Row: "Ethernet1/1", Field: FieldCounter},
		"outlets:3:current_a":         {Table: TableOutlets, Row: "3", Field: FieldCurrent},
		"facts:power_w:power_w":       {Table: TableFacts, Row: "power_w", Field: FieldPower},
	} {
		if got := k.String(); got != text {
			t.Errorf("%+v prints %q, want %q", k, got, text)
		}
		if got := ParseSeriesKey(text); got != k {
			t.Errorf("%q read as %+v, want %+v", text, got, k)
		}
	}
}

func TestFactsStaySortedAndNamed(t *testing.T) {
	var f Facts
	f.Set("vendor", "Acme")
	f.Set("model", "R1")
	f.Set("model", "R2")
	f.Set("empty", "")
	f.SetNum(FactUptime, Dec(1234567, -2), true)
	b, err := json.Marshal(f)
	if err != nil || string(b) != `{"model":"R2","uptime_s":12345.67,"vendor":"Acme"}` {
		t.Errorf("%s %v", b, err)
	}
	var back Facts
	if err := json.Unmarshal(b, &back); err != nil || back.Get("model") != "R2" || back.Num(FactUptime).N != 1234567 || !back[1].Volatile {
		t.Errorf("came back as %+v (%v)", back, err)
	}
}

func TestServiceSelectsAllOrNothing(t *testing.T) {
	s := ServiceSpec{Select: map[string]string{"a": "1", "b": "2"}}
	if s.Matches(map[string]string{"a": "1"}) || !s.Matches(map[string]string{"a": "1", "b": "2", "c": "3"}) {
		t.Error("a service selects what carries all of its tags")
	}
	if (&ServiceSpec{}).Matches(map[string]string{"a": "1"}) {
		t.Error("a service that selects nothing matches nothing")
	}
}

func TestAuditEntryKeepsNineDecimals(t *testing.T) {
	e := AuditEntry{Seq: 7, At: time.Date(2026, 11, 22, 14, 0, 0, 500_000_000, time.UTC), Who: "ann"}
	b, err := json.Marshal(e)
	if err != nil || !strings.Contains(string(b), `"at":"2026-11-22T14:00:00.500000000Z"`) || strings.Count(string(b), `"at"`) != 1 {
		t.Errorf("%s %v", b, err)
	}
	var back AuditEntry
	if err := json.Unmarshal(b, &back); err != nil || back != e {
		t.Errorf("came back as %+v (%v)", back, err)
	}
}

func TestJobAsJSON(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 0, 0, 0, time.FixedZone("", 3600))
	b, err := json.Marshal(Job{ID: "j1", State: JobRunning, Began: at})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"ended":null`, `"began":"2026-11-22T13:00:00Z"`, `"steps":[]`, `"targets":[]`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is not in %s", want, b)
		}
	}
	var back Job
	if err := json.Unmarshal(b, &back); err != nil || !back.Ended.IsZero() || !back.Began.Equal(at) {
		t.Errorf("read back: %+v %v", back, err)
	}
}

func TestInputOfASupply(t *testing.T) {
	for name, want := range map[string]int{"PS1 Input Power": 1, "PSU2 Power In": 2, "PS1 Output Power": 0, "Pwr Consumption": 0, "PS10 Input Power": 0, "Power Supply 2 Input": 2} {
		if got := (&Sensor{SensorDef: &SensorDef{Name: name, Class: ClassPower, Unit: "W"}}).Input(); got != want {
			t.Errorf("%s is of supply %d, want %d", name, got, want)
		}
	}
	if got := (&Sensor{SensorDef: &SensorDef{Name: "PS1 Input Voltage", Class: ClassVoltage, Unit: "V"}}).Input(); got != 0 {
		t.Errorf("volts are told as the watts of supply %d", got)
	}
}

func TestSideOfASupply(t *testing.T) {
	for _, c := range []struct {
		name, in string
		class    SensorClass
		unit     string
		n        int
		output   bool
	}{
		{"PSU1 Pin", "", ClassPower, "W", 1, false}, {"PSU1_POUT", "", ClassPower, "W", 1, true}, {"PS2 Output Power", "", ClassPower, "W", 2, true},
		{"PSU2 InputPower", "", ClassPower, "W", 2, false}, {"PSU1 Vin", "", ClassVoltage, "V", 1, false}, {"PSU1 Iout", "", ClassCurrent, "A", 1, true},
		{"Output current sensor", "PowerSupply2", ClassCurrent, "A", 2, true}, {"Input voltage sensor", "PowerSupply1", ClassVoltage, "V", 1, false},
		{"Input voltage sensor", "", ClassVoltage, "V", 0, false}, {"PSU1 Main 12V", "", ClassVoltage, "V", 0, false}, {"PS1 Curr Out %", "", ClassCurrent, "%", 0, false},
		{"PS1 Inlet", "", ClassTemperature, "C", 0, false}, {"PSU1 Out/In", "", ClassPower, "W", 0, false}, {"PS1 Power", "", ClassPower, "W", 0, false},
	} {
		n, output := (&Sensor{SensorDef: &SensorDef{Name: c.name, In: c.in, Class: c.class, Unit: c.unit}}).SupplySide()
		if n != c.n || n > 0 && output != c.output {
			t.Errorf("%s in %q (%s): supply %d, output %v", c.name, c.in, c.class, n, output)
		}
	}
}

func TestCount(t *testing.T) {
	for _, c := range []struct {
		n          int
		noun, want string
	}{
		{1, "power supply", "1 power supply"}, {2, "power supply", "2 power supplies"}, {0, "rack", "0 racks"},
		{3, "switch", "3 switches"}, {2, "ups", "2 upses"}, {7, "day", "7 days"},
	} {
		if got := Count(c.n, c.noun); got != c.want {
			t.Errorf("Count(%d, %q) is %q, want %q", c.n, c.noun, got, c.want)
		}
	}
}
