package snmp

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

func TestIntegers(t *testing.T) {
	for _, n := range []int64{0, 1, 127, 128, 255, 256, -1, -128, -129, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64} {
		var w writer
		w.reset()
		w.int(n)
		got, rest, err := takeInt(w.bytes())
		if err != nil || got != n || len(rest) != 0 {
			t.Errorf("%d: got %d, %v", n, got, err)
		}
	}
	if b := func() []byte { var w writer; w.reset(); w.int(128); return w.bytes() }(); !bytes.Equal(b, []byte{2, 2, 0, 128}) {
		t.Errorf("128 is % x", b)
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		name string
		v    value
		want uint64
		ok   bool
	}{
		{"counter64 keeps all bits", value{tagCounter64, []byte{0, 255, 255, 255, 255, 255, 255, 255, 255}}, math.MaxUint64, true},
		{"counter32 without the leading zero", value{tagCounter32, []byte{255, 255, 255, 255}}, math.MaxUint32, true},
		{"gauge", value{tagGauge32, []byte{0, 255, 255, 255, 255}}, math.MaxUint32, true},
		{"negative integer is no count", value{tagInteger, []byte{255}}, 0, false},
		{"empty", value{tagCounter32, nil}, 0, false},
		{"too long", value{tagCounter64, make([]byte, 10)}, 0, false},
		{"no such object", value{tagNoSuchObject, nil}, 0, false},
	} {
		if got, ok := c.v.uint(); ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %d %v", c.name, got, ok)
		}
	}
}

func TestOIDs(t *testing.T) {
	for _, s := range []string{"1.3.6.1.2.1.1.3.0", "0.0", "2.999.4294967295", "1.0.8802.1.1.2", "1.3.6.1.4.1.318.127.128.16383.16384"} {
		var w writer
		w.reset()
		w.oid(parseOID(s))
		content, _, err := expect(tagOID, w.bytes())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeOID(nil, content); err != nil || got.String() != s {
			t.Errorf("%s: got %s, %v", s, got, err)
		}
	}
	for _, bad := range [][]byte{nil, {0x80}, {0x2b, 0xff}, {0x2b, 0x90, 0x80, 0x80, 0x80, 0x80, 0x00}, append([]byte{0x2b}, make([]byte, 200)...)} {
		if _, err := decodeOID(nil, bad); err == nil {
			t.Errorf("% x is no OID", bad)
		}
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{"abc": "abc", "abc\x00\x00": "abc", "Z\xfcrich": "Zürich", "机房": "机房", "a\x1b[31mb": "a[31mb"} {
		if got := text([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"\x8c\x60\x4f\x19\x16\x21": "8c:60:4f:19:16:21", "8C-60-4F-19-16-21": "8c:60:4f:19:16:21", "8c:60:4f:19:16:2x": "", "abc": ""} {
		if got := macOf([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSpeed(t *testing.T) {
	for _, c := range []struct {
		name        string
		speed, high uint64
		want        string
	}{
		{"100G: ifSpeed at its ceiling", 4294967295, 100000, "100000000000"},
		{"1G", 1000000000, 1000, "1000000000"},
		{"nothing known", 0, 0, "null"},
		{"ceiling alone says nothing", 4294967295, 0, "null"},
		{"no ifXTable", 10000000, 0, "10000000"},
		{"only ifHighSpeed", 0, 25000, "25000000000"},
		{"T1 is exact in ifSpeed", 1544000, 2, "1544000"},
		{"64 kbit/s rounds to 0 Mbit/s", 64000, 0, "64000"},
		{"10G that wrapped ifSpeed", 1410065408, 10000, "10000000000"},
		{"ifHighSpeed in another unit", 1000000000, 1, "1000000000"},
		{"ifHighSpeed in bits/s", 1000000000, 1000000000, "1000000000"},
	} {
		if got := speed(c.speed, c.high).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestSensorScales(t *testing.T) {
	for _, c := range []struct {
		name                         string
		value                        int64
		kind, scale, precision, stat int
		units, want, unit            string
		class                        fleet.SensorClass
		state                        fleet.State
	}{
		{"tenths of a degree", 282, 8, 9, 1, 1, "Celsius", "28.2", "C", fleet.ClassTemperature, fleet.StateOK},
		{"fan", 4618, 10, 9, 0, 1, "rpm", "4618", "rpm", fleet.ClassFan, fleet.StateOK},
		{"millivolts with a digit", 33012, 4, 8, 1, 1, "", "3.3012", "V", fleet.ClassVoltage, fleet.StateOK},
		{"kilowatts", 12, 6, 10, 0, 1, "", "12000", "W", fleet.ClassPower, fleet.StateOK},
		{"negative precision scales nothing", 1234, 5, 9, -2, 1, "", "1234", "A", fleet.ClassCurrent, fleet.StateOK},
		{"below zero", -55, 8, 9, 1, 1, "", "-5.5", "C", fleet.ClassTemperature, fleet.StateOK},
		{"exa is 14", 1, 7, 14, 0, 1, "", "1000000000000000000", "Hz", fleet.ClassFrequency, fleet.StateOK},
		{"peta is 15", 1, 7, 15, 0, 1, "", "1000000000000000", "Hz", fleet.ClassFrequency, fleet.StateOK},
		{"yocto fits no decimal", 5, 5, 1, 0, 1, "", "null", "A", fleet.ClassCurrent, fleet.StateUnknown},
		{"overflow", 1000000000, 8, 9, 0, 1, "", "null", "C", fleet.ClassTemperature, fleet.StateUnknown},
		{"underflow", -1000000000, 8, 9, 0, 1, "", "null", "C", fleet.ClassTemperature, fleet.StateUnknown},
		{"unavailable", 5, 8, 9, 0, 2, "", "null", "C", fleet.ClassTemperature, fleet.StateUnknown},
		{"nonoperational", 5, 8, 9, 0, 3, "", "null", "C", fleet.ClassTemperature, fleet.StateUnknown},
		{"dBm by its unit", -254, 1, 9, 2, 1, "dBm", "-2.54", "dBm", fleet.ClassDBm, fleet.StateOK},
		{"truth", 1, 12, 9, 0, 1, "", "1", "", fleet.ClassState, fleet.StateOK},
	} {
		r := sensorRow{value: c.value, known: true, status: c.stat, kind: c.kind, scale: c.scale, precision: c.precision, units: c.units}
		s := r.define(7, nil)
		got := s.read(&r)
		if got.Value.String() != c.want || got.Unit != c.unit || got.Class != c.class || got.State != c.state {
			t.Errorf("%s: %s %s %s %s", c.name, got.Value, got.Unit, got.Class, got.State)
		}
	}
}

func TestSensorKeys(t *testing.T) {
	r := sensorRow{kind: 8, scale: 9}
	for _, c := range []struct {
		part      *fleet.Entity
		key, name string
	}{
		{&fleet.Entity{Name: "inlet", Descr: "d"}, "entPhySensor:inlet", "inlet"},
		{&fleet.Entity{Descr: "Cpu temp sensor"}, "entPhySensor:42", "Cpu temp sensor"},
		{nil, "entPhySensor:42", "temperature 42"},
	} {
		d := r.define(42, map[int]*fleet.Entity{42: c.part}).def
		if d.Key != c.key || d.Name != c.name || d.ID != "1.3.6.1.2.1.99.1.1.1.4.42" {
			t.Errorf("%+v", *d)
		}
	}
}

func TestJoin(t *testing.T) {
	for _, c := range [][3]fleet.Completeness{
		{fleet.Complete, fleet.Absent, fleet.Complete}, {fleet.Absent, fleet.Absent, fleet.Absent}, {fleet.Complete, fleet.Failed, fleet.Partial},
		{fleet.Failed, fleet.Absent, fleet.Failed}, {fleet.Partial, fleet.Complete, fleet.Partial}, {fleet.Failed, fleet.Failed, fleet.Failed},
	} {
		if a, b := join(c[0], c[1]), join(c[1], c[0]); a != c[2] || b != c[2] {
			t.Errorf("%v + %v = %v, %v", c[0], c[1], a, b)
		}
	}
}

func TestLink(t *testing.T) {
	l := link{repetitions: maxRepetitions, width: maxWidth}
	if got := l.wait(0, 2*time.Second); got != time.Second {
		t.Errorf("first wait %v", got)
	}
	l.measured(3 * time.Millisecond)
	if got := l.wait(0, 2*time.Second); got != minWait {
		t.Errorf("wait %v", got)
	}
	if got := l.wait(9, 2*time.Second); got != 2*time.Second {
		t.Errorf("backed off to %v", got)
	}
	n := 0
	for l.shrink() {
		n++
	}
	if l.repetitions != 1 || l.width != 1 || n > 10 {
		t.Errorf("%+v after %d", l, n)
	}
	l.grow() // one poll of trouble
	l.grow()
	if l.repetitions != 2 {
		t.Errorf("grown to %d", l.repetitions)
	}
}

func TestValidate(t *testing.T) {
	good := Config{Target: "t", Address: "h", Community: secret("c")}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	if got := good.withDefaults().Address; got != "h:161" {
		t.Error(got)
	}
	if got := withPort("::1"); got != "[::1]:161" {
		t.Error(got)
	}
	for want, c := range map[string]Config{
		"target":        {Address: "h", Community: secret("c")},
		"address":       {Target: "t", Community: secret("c")},
		"community":     {Target: "t", Address: "h"},
		"version":       {Target: "t", Address: "h", Version: "1"},
		"user":          {Target: "t", Address: "h", Version: "3"},
		"auth:":         {Target: "t", Address: "h", Version: "3", User: "u", Auth: "ROT13"},
		"priv:":         {Target: "t", Address: "h", Version: "3", User: "u", Priv: "AES", PrivPassword: secret("x")},
		"auth_password": {Target: "t", Address: "h", Version: "3", User: "u", Auth: "SHA"},
		"quirks":        {Target: "t", Address: "h", Community: secret("c"), Quirks: []string{"fast"}},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("New took an empty config")
	}
}

func TestErrorKinds(t *testing.T) {
	for _, c := range []struct {
		err, want error
	}{
		{errorStatus(16), fleet.ErrAuth}, {errorStatus(17), fleet.ErrUnsupported}, {errorStatus(13), fleet.ErrBusy}, {statusGenErr, fleet.ErrProtocol}, {errorStatus(99), fleet.ErrProtocol},
		{&report{counter: statsWrongDigests}, fleet.ErrAuth}, {&report{counter: statsUnknownUserNames}, fleet.ErrAuth}, {&report{counter: statsDecryptionErrors}, fleet.ErrAuth},
		{&report{counter: statsUnsupportedSecLevels}, fleet.ErrAuth}, {&report{counter: statsNotInTimeWindows}, fleet.ErrProtocol},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%v is not %v", c.err, c.want)
		}
	}
}
