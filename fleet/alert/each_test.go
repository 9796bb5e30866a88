package alert

import (
	"fmt"
	"testing"
	"time"

	"plumb/fleet"
)

// TestEveryEndIsToldWhereEachCounts: of 120 alerts of one group an Alertmanager
// hears each begin and end, in notices of bounded size with keys of their own; a
// pager hears the worst 50 and how many more there are.
func TestEveryEndIsToldWhereEachCounts(t *testing.T) {
	const parts = 120
	for receiver, each := range map[string][]string{"am": {"am"}, "pager": nil} {
		h := newHouse(t, fleet.Alerting{Receivers: []string{receiver}, Each: each, Route: &fleet.AlertRoute{Receiver: receiver, Wait: time.Second, Interval: time.Second},
			Rules: []fleet.AlertRule{{Name: "hot", On: "sensor", Problem: "sensor.value > 40", Attempts: 1, Severity: fleet.SeverityWarn, Graded: true, Summary: "{sensor.value}"}}})
		heat := func(c int64) {
			h.poll("s01")
			h.device("s01", func(d *fleet.Device) {
				d.Sensors = nil
				for i := range parts {
					def := &fleet.SensorDef{Key: fmt.Sprintf("t%03d", i), Name: fmt.Sprintf("Temp %d", i), Class: fleet.ClassTemperature, Unit: "C"}
					d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: def, Value: fleet.Int(c), State: fleet.StateOK})
				}
			})
		}
		heat(50)
		h.step(2 * time.Second)
		h.step(2 * time.Second)
		heat(20)
		h.step(2 * time.Second)
		h.step(2 * time.Second)
		heard, more, keys := map[string]int{}, 0, map[string]bool{}
		for i, p := range h.notices {
			if len(p.Alerts) > maxPages {
				t.Errorf("%s: %d alerts in one notice", receiver, len(p.Alerts))
			}
			for _, a := range p.Alerts {
				heard[a.ID+" "+a.Status]++
			}
			more += p.More
			keys[h.keys[i]] = true
		}
		if len(keys) != len(h.notices) {
			t.Errorf("%s: %d notices have %d keys", receiver, len(h.notices), len(keys))
		}
		wantHeard, wantMore := 2*parts, 0
		if each == nil {
			wantHeard, wantMore = 2*maxPages, 2*(parts-maxPages)
		}
		if len(heard) != wantHeard || more != wantMore {
			t.Errorf("%s: heard %d begin and end, and of %d more; want %d and %d", receiver, len(heard), more, wantHeard, wantMore)
		}
	}
}
