package ipmi

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"plumb/fleet"

	"github.com/bougou/go-ipmi/pkg/types"
	"github.com/google/go-cmp/cmp"
)

func TestFactorsAreExact(t *testing.T) {
	for _, c := range []struct {
		f    factors
		x    int64
		want string
		dec  int
	}{
		{factors{m: 1}, 24, "24", 0},
		{factors{m: 60}, 120, "7200", 0},
		{factors{m: 6, rExp: 1}, 12, "720", 0},
		{factors{m: 6, rExp: -2}, 201, "12.06", 2},
		{factors{m: 2, b: -5, bExp: 1, rExp: -1}, 100, "15", 1},
		{factors{m: 1, b: -128, rExp: 0}, 100, "-28", 0},
		{factors{m: 1, b: 5, bExp: -1, rExp: 0}, 10, "10.5", 1},
		{factors{m: 195, rExp: -4}, 199, "3.8805", 3},
		{factors{m: -1, b: 511, bExp: 7, rExp: 7}, 255, "51099997450000000", 0},
		{factors{m: 511, b: 511, bExp: -8, rExp: -8}, 255, "0.0013030500000511", 7},
		{factors{}, 255, "0", 0},
	} {
		if got := c.f.exact(c.x).String(); got != c.want {
			t.Errorf("%+v of %d is %s, want %s", c.f, c.x, got, c.want)
		}
		if got := c.f.decimals(); got != c.dec {
			t.Errorf("%+v has %d decimals, want %d", c.f, got, c.dec)
		}
	}
}

// Every exponent and factor agrees with go-ipmi's floating point.
func TestFactorsAgreeWithTheLibrary(t *testing.T) {
	for _, m := range []int16{-512, -7, 0, 1, 60, 511} {
		for _, b := range []int16{-512, 0, 3, 511} {
			for bExp := int8(-8); bExp < 8; bExp++ {
				for rExp := int8(-8); rExp < 8; rExp++ {
					f := factors{m: m, b: b, bExp: bExp, rExp: rExp}
					want := types.ConvertReading(200, 0, types.ReadingFactors{M: m, B: b, B_Exp: bExp, R_Exp: rExp}, 0)
					if got := f.exact(200).Float(); math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
						t.Fatalf("%+v: %v, the library says %v", f, got, want)
					}
				}
			}
		}
	}
}

func TestRawFormats(t *testing.T) {
	for _, c := range []struct {
		raw, format byte
		want        int64
	}{{200, 0, 200}, {0xfe, 1, -1}, {0x7f, 1, 127}, {0xff, 2, -1}, {0x80, 2, -128}, {0xff, 3, 255}} {
		if got := rawValue(c.raw, c.format); got != c.want {
			t.Errorf("%02x in format %d is %d, want %d", c.raw, c.format, got, c.want)
		}
	}
	f := parseFactors([6]byte{0xff, 0xc0, 0x01, 0x80, 0, 0xf1})
	if f != (factors{m: -1, b: -511, bExp: 1, rExp: -1}) {
		t.Errorf("%+v", f)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		unit  [3]byte
		kind  uint8
		raw   uint8
		class fleet.SensorClass
		word  string
		want  string
	}{
		{[3]byte{0, 1, 0}, 1, 30, fleet.ClassTemperature, "C", "30"},
		{[3]byte{0, 2, 0}, 1, 212, fleet.ClassTemperature, "C", "100"},
		{[3]byte{0, 3, 0}, 1, 255, fleet.ClassTemperature, "C", "-18.15"},
		{[3]byte{1, 0, 0}, 4, 50, fleet.ClassFan, "%", "50"},
		{[3]byte{1, 0, 0}, 0x0b, 50, fleet.ClassPercent, "%", "50"},
		{[3]byte{0, 18, 0}, 4, 9, fleet.ClassFan, "rpm", "9"},
		{[3]byte{0, 17, 0}, 0x0b, 9, fleet.ClassAirflow, "CFM", "9"},
		{[3]byte{0, 23, 0}, 0x0b, 2, fleet.ClassRuntime, "s", "120"},
		{[3]byte{0, 0, 0}, 2, 2, fleet.ClassVoltage, "", "2"},
		{[3]byte{0, 89, 0}, 0x0c, 2, fleet.ClassCount, "correctable error", "2"},
	} {
		r := record{analogue: true, unit: c.unit, kind: c.kind, factors: factors{m: 1}}
		class, word := r.classify()
		if class != c.class || word != c.word || r.value(c.raw).String() != c.want {
			t.Errorf("unit %v: %s %q %v; want %s %q %s", c.unit, class, word, r.value(c.raw), c.class, c.word, c.want)
		}
	}
}

func TestJudge(t *testing.T) {
	list, _, err := parseSDR(fullSDR(1, 1, "T"))
	if err != nil {
		t.Fatal(err)
	}
	r := list[0]
	l := r.limits(r.threshold, r.readMask)
	bare := r
	bare.compares = 0
	slot := r
	slot.ifPresent = true
	for _, c := range []struct {
		name string
		r    record
		x    raw
		q    quirks
		off  bool
		want fleet.State
	}{
		{"fine", r, raw{value: 20, scanning: true, hasStates: true}, 0, false, fleet.StateOK},
		{"the BMC's comparison counts", r, raw{value: 85, scanning: true, hasStates: true}, 0, false, fleet.StateOK},
		{"warn bit", r, raw{value: 20, scanning: true, hasStates: true, states: bitUNC}, 0, false, fleet.StateWarn},
		{"crit bit", r, raw{value: 20, scanning: true, hasStates: true, states: bitLNC | bitLC}, 0, false, fleet.StateCrit},
		{"non-recoverable bit", r, raw{value: 20, scanning: true, hasStates: true, states: bitUNR}, 0, false, fleet.StateCrit},
		{"no comparison promised", bare, raw{value: 85, scanning: true, hasStates: true}, 0, false, fleet.StateWarn},
		{"no comparison sent", r, raw{value: 95, scanning: true}, 0, false, fleet.StateCrit},
		{"unavailable", r, raw{value: 20, scanning: true, unavailable: true}, 0, false, fleet.StateUnknown},
		{"unavailable, host off", r, raw{value: 20, scanning: true, unavailable: true}, 0, true, fleet.StateOff},
		{"unavailable, an empty slot", slot, raw{value: 20, scanning: true, unavailable: true}, 0, false, fleet.StateOff},
		{"not scanning", r, raw{value: 20}, 0, false, fleet.StateUnknown},
		{"not scanning, quirk", r, raw{value: 20, hasStates: true}, quirkIgnoreScanning, false, fleet.StateOK},
	} {
		if _, got, _ := c.r.judge(c.x, c.r.factors, l, c.q, c.off); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestLimitsFallBackToNonRecoverable(t *testing.T) {
	r := record{analogue: true, factors: factors{m: 1}}
	raw := [6]byte{3, 2, 1, 40, 50, 60}
	for _, c := range []struct {
		mask uint8
		want string
	}{
		{0x3f, "2 3 40 50"}, {bitLNR | bitUNR, "1 null null 60"}, {0, "null null null null"}, {bitUNC | bitUNR, "null null 40 60"},
	} {
		l := r.limits(raw, c.mask)
		got := strings.Join([]string{l.LowCrit.String(), l.LowWarn.String(), l.HighWarn.String(), l.HighCrit.String()}, " ")
		if got != c.want {
			t.Errorf("mask %02x: %s, want %s", c.mask, got, c.want)
		}
	}
}

func TestDiscrete(t *testing.T) {
	for _, c := range []struct {
		kind, reading uint8
		states        uint16
		want          fleet.State
		text          string
	}{
		{8, readingSpecific, 1, fleet.StateOK, "Presence detected"},
		{8, readingSpecific, 1 | 1<<3, fleet.StateCrit, "Presence detected, Power Supply input lost (AC/DC)"},
		{0x0c, readingSpecific, 1, fleet.StateWarn, "Correctable ECC / other correctable memory error"},
		{5, readingSpecific, 0, fleet.StateOK, ""},
		{0xc0, 0x70, 1 << 2, fleet.StateOK, "state 2"},
	} {
		r := record{kind: c.kind, reading: c.reading}
		n, got, text := r.discrete(c.states)
		if got != c.want || text != c.text || n != fleet.Int(int64(c.states)) {
			t.Errorf("type %02x states %04x: %v %q", c.kind, c.states, got, text)
		}
	}
}

func TestSharedRecords(t *testing.T) {
	b := make([]byte, 32, 40)
	b[0], b[2], b[3], b[5], b[7], b[12], b[13] = 12, 0x51, sdrCompact, addrBMC, 0x10, 8, readingSpecific
	b[23], b[24] = 3, 0x80|4
	b[31] = 0xc3
	b = append(b, "PSU"...)
	b[4] = byte(len(b) - sdrHeaderSize)
	list, _, err := parseSDR(b)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range list {
		got = append(got, r.id+" "+r.key()+" "+r.name)
	}
	if d := cmp.Diff([]string{"12.1 20.0.10 PSU4", "12.2 20.0.11 PSU5", "12.3 20.0.12 PSU6"}, got); d != "" {
		t.Error(d)
	}
	b[23] = 1<<4 | 2
	list, _, _ = parseSDR(b)
	if list[1].name != "PSUF" {
		t.Errorf("by letter: %q", list[1].name)
	}
}

func TestTexts(t *testing.T) {
	for _, c := range []struct {
		code byte
		in   []byte
		want string
	}{
		{textLatin, []byte("Fan 1\x00xx"), "Fan 1"},
		{textLatin, []byte{0xb0, 'C'}, "\u00b0C"},
		{textBCD, []byte{0x12, 0x3b}, "123-"},
		{textPacked, []byte{0x29, 0xdc, 0xa6}, "IPMI"},
		{textCode0, []byte{'A', 0, 0xb5, 3}, "A\u03b5"},
	} {
		if got := sdrText(c.code, c.in); got != c.want {
			t.Errorf("code %d %x: %q, want %q", c.code, c.in, got, c.want)
		}
	}
}

func TestGUIDText(t *testing.T) {
	want := "4c4c4544-0038-4af0-8054-b4c04f4e5331"
	rfc := [16]byte{0x4c, 0x4c, 0x45, 0x44, 0x00, 0x38, 0x4a, 0xf0, 0x80, 0x54, 0xb4, 0xc0, 0x4f, 0x4e, 0x53, 0x31}
	smbios := [16]byte{0x44, 0x45, 0x4c, 0x4c, 0x38, 0x00, 0xf0, 0x4a, 0x80, 0x54, 0xb4, 0xc0, 0x4f, 0x4e, 0x53, 0x31}
	var ipmi [16]byte
	for i := range rfc {
		ipmi[i] = rfc[15-i]
	}
	for name, g := range map[string][16]byte{"rfc": rfc, "smbios": smbios, "ipmi": ipmi} {
		if got := guidText(g); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if guidText([16]byte{}) != "" {
		t.Error("the null GUID has a text")
	}
}

func TestSELTimes(t *testing.T) {
	for _, c := range []struct {
		stamp uint32
		want  bool
	}{{0, false}, {1000, false}, {noStamp, false}, {preInitStamp, true}, {1_700_000_000, true}} {
		r, err := parseSEL(selEntry(1, c.stamp, 1))
		if err != nil || r.hasStamp != c.want {
			t.Errorf("stamp %08x: %v, %v", c.stamp, r.hasStamp, err)
		}
	}
	b := selEntry(1, 1_700_000_000, 1)
	b[12] |= 0x80
	r, _ := parseSEL(b)
	e := r.event("s01", "g", 7, nil, time.Unix(0, 0))
	if e.Asserted || e.Severity != fleet.SeverityInfo || !strings.HasSuffix(e.Text, ": ended") {
		t.Errorf("a deassertion: %+v", e)
	}
	b[2] = 0xe0
	r, _ = parseSEL(b)
	if e := r.event("s01", "g", 7, nil, time.Unix(0, 0)); e.Type != "oem" || r.hasStamp {
		t.Errorf("an OEM record: %+v", e)
	}
}

// TestRedundancyIsGraded: that the next failure is an outage is no outage yet.
func TestRedundancyIsGraded(t *testing.T) {
	const info, warn, crit = fleet.SeverityInfo, fleet.SeverityWarn, fleet.SeverityCrit
	for kind, what := range map[uint8]string{0x04: "fans", 0x08: "supplies", 0x09: "power unit"} {
		for offset, want := range []fleet.Severity{info, warn, warn, warn, warn, crit, warn, warn} {
			if text, got := eventWords(readingRedundant, kind, uint8(offset), true); got != want {
				t.Errorf("%s: %s is %s, want %s", what, text, got, want)
			}
		}
	}
}

// TestSELMemory: byte 3 names a module only where byte 1 says that it does.
func TestSELMemory(t *testing.T) {
	rec := func(kind, sensor, dir, d1, d2, d3 byte) []byte {
		b := selEntry(9, 1_700_000_000, 1)
		b[2], b[10], b[12], b[13], b[14], b[15] = kind, sensor, dir, d1, d2, d3
		return b
	}
	for _, c := range []struct {
		name string
		b    []byte
		want fleet.MemoryError // "": none
		part string
	}{
		{"correctable", rec(2, 0x0c, 0x6f, 0x00, 0xff, 0xff), fleet.MemoryCorrected, ""},
		{"of a module", rec(2, 0x0c, 0x6f, 0x30, 0xff, 3), fleet.MemoryCorrected, "module 3"},
		{"of no module", rec(2, 0x0c, 0x6f, 0x30, 0xff, 0xff), fleet.MemoryCorrected, ""},
		{"with a vendor's byte", rec(2, 0x0c, 0x6f, 0x20, 0xff, 3), fleet.MemoryCorrected, ""},
		{"uncorrectable", rec(2, 0x0c, 0x6f, 0x31, 0xff, 12), fleet.MemoryUncorrected, "module 12"},
		{"logging limit", rec(2, 0x0c, 0x6f, 0x35, 0xff, 12), fleet.MemoryLimit, "module 12"},
		{"presence", rec(2, 0x0c, 0x6f, 0x36, 0xff, 12), "", ""},
		{"a threshold", rec(2, 0x0c, 0x01, 0x00, 0xff, 0xff), "", ""},
		{"another sensor", rec(2, 0x08, 0x6f, 0x01, 0xff, 0xff), "", ""},
		{"a vendor's record", rec(0xc0, 0x0c, 0x6f, 0x00, 0xff, 0xff), "", ""},
	} {
		r, err := parseSEL(c.b)
		if err != nil {
			t.Fatal(err)
		}
		m := r.event("s01", "g", 7, nil, r.time()).Memory
		switch {
		case m == nil && c.want == "":
		case m == nil || m.Error != c.want || m.Module != c.part || m.Epoch != 7 || m.Record != 9 || !m.Timed:
			t.Errorf("%s: %+v", c.name, m)
		}
	}
}

func TestSequenceWindow(t *testing.T) {
	var w window
	for _, c := range []struct {
		n    uint32
		want bool
	}{{1, true}, {1, false}, {3, true}, {2, true}, {2, false}, {100, true}, {69, true}, {68, false}, {100, false}, {99, true}, {1 << 20, true}, {100, false}} {
		if got := w.take(c.n); got != c.want {
			t.Errorf("sequence %d: %v, want %v", c.n, got, c.want)
		}
	}
	w = window{}
	for _, n := range []uint32{0xfffffffe, 0xffffffff, 0, 1} { // it begins where it likes, and wraps
		if !w.take(n) || w.take(n) {
			t.Errorf("sequence %x", n)
		}
	}
}

func TestQuirkNames(t *testing.T) {
	for _, q := range Quirks() {
		if set, err := parseQuirks([]string{q[0]}); err != nil || set == 0 {
			t.Errorf("%s: %v", q[0], err)
		}
	}
	_, err := parseQuirks([]string{"opensespriv"})
	if !errors.Is(err, ErrQuirk) || !strings.Contains(err.Error(), `did you mean "opensesspriv"?`) {
		t.Errorf("%v", err)
	}
}

func TestConfigValidate(t *testing.T) {
	good := referenceConfig("bmc.example")
	if err := good.Validate(); err != nil {
		t.Errorf("a good config: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"target: missing":                            func(c *Config) { c.Target = "" },
		"address: missing":                           func(c *Config) { c.Address = "" },
		`address: "70000" is not a port`:             func(c *Config) { c.Address = "h:70000" },
		"username: missing":                          func(c *Config) { c.Username = "" },
		"longer than 16 bytes":                       func(c *Config) { c.Username = strings.Repeat("x", 17) },
		"password: missing":                          func(c *Config) { c.Password = nil },
		`act password: missing for user "root"`:      func(c *Config) { c.ActUsername = "root" },
		"cipher: suite 8 is not one of":              func(c *Config) { c.Cipher = 8 },
		"timeout: -1s is negative":                   func(c *Config) { c.Timeout = -time.Second },
		`quirks: unknown quirk: "x"; did you mean "`: func(c *Config) { c.Quirks = []string{"x"} },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
		if _, err := New(c); err == nil {
			t.Errorf("%q: New accepts it", want)
		}
	}
	for in, want := range map[string]string{"h": "h:623", "10.0.0.1:6230": "10.0.0.1:6230", "::1": "[::1]:623", "[::1]": "[::1]:623", "[::1]:7": "[::1]:7"} {
		if got, err := endpoint(in); got != want || err != nil {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}
