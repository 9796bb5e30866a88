package alert

import (
	"errors"
	"strings"
	"testing"

	"plumb/fleet"
)

func reading(value fleet.Num) *scene {
	def := &fleet.SensorDef{Key: "20.0.1", Name: "Inlet Temp", Class: fleet.ClassTemperature, Unit: "C", Limits: fleet.Limits{HighWarn: fleet.Int(40)}}
	d := &fleet.Device{Spec: &fleet.DeviceSpec{ID: "s01", Kind: fleet.KindServer, Tags: map[string]string{"role": "game"}}, State: fleet.StateWarn, About: []string{"sensor 20.0.1"}}
	d.Facts.Set("bios.version", "2.1")
	d.Facts.SetNum("sel.used_percent", fleet.Int(80), true)
	return &scene{device: d, seen: true, sensor: &fleet.Sensor{SensorDef: def, Value: value, State: fleet.StateOK}, s: &fleet.Snapshot{Topology: &fleet.Topology{}}}
}

func TestTruthHasThreeValues(t *testing.T) {
	for _, c := range []struct {
		source string
		value  fleet.Num
		want   Truth
	}{
		{`sensor.value > 80`, fleet.Int(81), True},
		{`sensor.value > 80`, fleet.Int(80), False},
		{`sensor.value > 80`, fleet.Num{}, Unknown},
		{`not (sensor.value > 80)`, fleet.Num{}, Unknown},
		{`sensor.value != 80`, fleet.Num{}, Unknown},
		{`sensor.value > 80 or device.kind == "server"`, fleet.Num{}, True},
		{`sensor.value > 80 and device.kind == "pdu"`, fleet.Num{}, False},
		{`sensor.value > 80 and device.kind == "server"`, fleet.Num{}, Unknown},
		{`sensor.value - sensor.high_crit > 0`, fleet.Int(99), Unknown},
		{`abs(sensor.value - 50) > 2 * 3`, fleet.Int(43), True},
		{`sensor.value / 0 > 1`, fleet.Int(1), Unknown},
		{`sensor.class == "temperature" && sensor.value >= sensor.high_warn`, fleet.Dec(405, -1), True},
		{`fact("bios.version") == "2.1"`, fleet.Num{}, True},
		{`fact("nothing") == "2.1"`, fleet.Num{}, Unknown},
		{`fact("nothing") == ""`, fleet.Num{}, True},
		{`device.owner == ""`, fleet.Num{}, True},
		{`device.owner != "ann"`, fleet.Num{}, True},
		{`num("sel.used_percent") >= 75`, fleet.Num{}, True},
		{`tag("role") in ["game", "web"]`, fleet.Num{}, True},
		{`sensor.name matches "^Inlet"`, fleet.Num{}, True},
		{`sensor.name startsWith "CPU" or sensor.name contains "let"`, fleet.Num{}, True},
		{`about("sensor ")`, fleet.Num{}, True},
		{`device.power == "on"`, fleet.Num{}, Unknown},
		{`device.power == "unknown"`, fleet.Num{}, True},
		{`device.blind == false`, fleet.Num{}, True},
	} {
		e, err := parse("sensor", c.source)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		if got := e.of(reading(c.value)); got != c.want {
			t.Errorf("%s with %s: %s, want %s", c.source, c.value, got, c.want)
		}
	}
}

// TestExpressionsAreBounded: what would loop, read a clock, reach into Go or
// compare what is not alike is an error when the rules are read.
func TestExpressionsAreBounded(t *testing.T) {
	for _, source := range []string{
		``, `1`, `sensor.value`, `sensor.volts > 1`, `port.oper == "up"`, `sensor.value > "a"`, `sensor.name > "a"`,
		`now().Unix() > 0`, `date("2026-01-01").Year() > 1`, `all(1..1000000, # > 0)`, `len(1..10) > 1`, `sum([1,2]) > 1`,
		`let x = 1; x > 0`, `sensor.value > 1 ? true : false`, `sensor["value"] > 1 and sensor?.value ?? 1 > 0`, `sensor.name matches sensor.unit`,
		`sensor.name matches "("`, `fact(sensor.name) == "x"`, `fact("a", "b") == "x"`, `"a" in ["a"] and true and $env != nil`,
		strings.Repeat("sensor.value > 1 and ", 120) + "true", strings.Repeat("(", 5000) + "true" + strings.Repeat(")", 5000),
	} {
		if _, err := parse("sensor", source); !errors.Is(err, ErrExpression) {
			t.Errorf("%.60s: %v", source, err)
		}
	}
	if e, err := parse("sensor", `sensor.class == "fan" and sensor.value < 1000`); err != nil || e.class != "fan" {
		t.Error("rules on one class of sensors are not asked of others", err)
	}
	if e, err := parse("sensor", `sensor.class == "fan" or sensor.value < 1000`); err != nil || e.class != "" {
		t.Error("a class that need not hold was taken for one that must", err)
	}
}

func TestTexts(t *testing.T) {
	x := reading(fleet.Dec(4125, -2))
	x.device.Spec.ID = "s01"
	for source, want := range map[string]string{
		"{sensor.name} of {device.id} at {sensor.value} {sensor.unit}": "Inlet Temp of s01 at 41.25 C",
		"limit {sensor.high_crit}":                                     "limit unknown",
		"{device.reason}; bios {fact(bios.version)} {tag(role)}":       "no reason known; bios 2.1 game",
		"": "",
	} {
		tpl, err := parseText("sensor", source)
		if got := tpl.of(x); err != nil || got != want {
			t.Errorf("%q, want %q, %v", got, want, err)
		}
	}
	for _, bad := range []string{"{sensor.name", "{sensor.volts}", "{}", "{port.name}", "{{sensor.name}}"} {
		if _, err := parseText("sensor", bad); !errors.Is(err, ErrExpression) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	x.sensor.SensorDef.Name = "\x1b[31mred" + strings.Repeat("x", 5000)
	tpl, _ := parseText("sensor", "{sensor.name}")
	if got := tpl.of(x); strings.Contains(got, "\x1b") || len(got) > 2*fleet.MaxText {
		t.Error("a device's text is not cleaned or bounded")
	}
}

func TestReferenceNamesEveryField(t *testing.T) {
	all := strings.Join(Reference(), "\n")
	for on, list := range fields {
		for name := range list {
			if !strings.Contains(all, on+"."+name+" ") {
				t.Errorf("%s.%s is missing", on, name)
			}
		}
	}
}
