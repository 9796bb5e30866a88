package fleet

import "testing"

func TestInletIsATemperatureInFront(t *testing.T) {
	for _, c := range []struct {
		name  string
		class SensorClass
		want  bool
	}{
		{"Inlet Temp", ClassTemperature, true}, {"Ambient", ClassTemperature, true}, {"inlet humidity", ClassHumidity, false},
		{"Exhaust Temp", ClassTemperature, false}, {"CPU1 Temp", ClassTemperature, false},
	} {
		if got := (&Sensor{SensorDef: &SensorDef{Name: c.name, Class: c.class}}).Inlet(); got != c.want {
			t.Errorf("%s (%s): %v", c.name, c.class, got)
		}
	}
}
