package alert

import (
	"testing"
	"time"

	"plumb/fleet"
)

// starved are supplies without input, as rules look at them.
func starved() fleet.Alerting {
	return fleet.Alerting{Receivers: []string{"pager"}, Route: &fleet.AlertRoute{Receiver: "pager", Wait: time.Second, Interval: time.Minute},
		Rules: []fleet.AlertRule{{Name: "psu", On: "sensor", Problem: `sensor.supply > 0 and sensor.state == "crit"`, Attempts: 1, Summary: "{device.id}"}}}
}

func (h *house) supply(id string, state fleet.State) {
	h.poll(id)
	h.device(id, func(d *fleet.Device) {
		def := &fleet.SensorDef{Key: "p1", Name: "PS1 Status", Class: fleet.ClassState}
		d.Sensors = []fleet.Sensor{{SensorDef: def, State: state}}
	})
}

// TestParentIsAskedFirst: a supply is not told before its PDU was polled, at
// once when that answers, and as it stands when nothing comes back.
func TestParentIsAskedFirst(t *testing.T) {
	const id = "psu:s01/psu1"
	begin := func(t *testing.T) *house {
		h := newHouse(t, starved())
		h.step(time.Minute)
		h.supply("s01", fleet.StateCrit)
		h.step(time.Second)
		h.want(id, "firing")
		if len(h.out.Nudges) == 0 || h.out.Nudges[0] != "pa" {
			t.Errorf("asked are %q, not the PDU", h.out.Nudges)
		}
		h.step(time.Second)
		h.step(time.Second)
		h.told(0, "")
		return h
	}
	t.Run("answers", func(t *testing.T) {
		h := begin(t)
		h.poll("pa")
		h.step(time.Second)
		h.step(time.Second)
		h.told(1, "firing", "s01")
	})
	t.Run("never answers", func(t *testing.T) {
		h := begin(t)
		for range 20 {
			h.step(time.Second)
		}
		h.told(1, "firing", "s01")
	})
	t.Run("falls silent", func(t *testing.T) {
		h := begin(t)
		h.blind("pa")
		h.step(time.Second)
		h.step(awaitChildren - 2*time.Second)
		h.told(0, "")
		h.step(2 * time.Second)
		h.step(time.Second)
		h.told(1, "firing", "s01") // no rule is on causes here
	})
	t.Run("over before", func(t *testing.T) {
		h := begin(t)
		h.supply("s01", fleet.StateOK)
		h.step(time.Second)
		h.poll("pa")
		for range 4 {
			h.step(time.Second)
		}
		h.told(0, "")
	})
}

// A fan stands on nothing that is elsewhere: nobody waits for a PDU.
func TestFanWaitsForNobody(t *testing.T) {
	a := paged(hot())
	a.Route.Wait = time.Second
	h := newHouse(t, a)
	h.temp("s01", 90)
	h.step(2 * time.Second)
	h.step(time.Second)
	h.told(1, "firing", "s01")
}
