package trace

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

func causeNamed(t *testing.T, list []Cause, id string) *Cause {
	t.Helper()
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	t.Fatalf("%s is no cause: %+v", id, list)
	return nil
}

// TestACauseQuotesWhatConcernsIt: a machine with a broken fan on a dead PDU is a
// cause for its fan, and says nothing of the power supply that the PDU explains.
func TestACauseQuotesWhatConcernsIt(t *testing.T) {
	s := hall(2).snap(both(losePDU("r01", "a"), only("r01-s01", func(d *fleet.Device) { say(d, fleet.StateCrit, "sensor fan1", "fan1 stopped") })))
	x := causeNamed(t, Causes(s, t0), "r01-s01")
	if got := strings.Join(x.Evidence, "; "); got != "fan1 stopped" {
		t.Errorf("evidence %q", got)
	}
}

// nearLimit lets a PDU with 2 A at each outlet say that its bank carries too much.
func nearLimit(d *fleet.Device) {
	d.Sensors = append(d.Sensors,
		fleet.Sensor{SensorDef: &fleet.SensorDef{Key: "bank1", Name: "bank 1 current", Class: fleet.ClassCurrent, Unit: "A"}, State: fleet.StateWarn},
		fleet.Sensor{SensorDef: &fleet.SensorDef{Key: "bank1.state", Name: "bank 1 load state", Class: fleet.ClassState}, State: fleet.StateWarn})
	for i := range d.Outlets {
		d.Outlets[i].CurrentA = fleet.Int(2)
	}
	say(d, fleet.StateWarn, "sensor bank1", "bank 1 current 13.6 A (warn 13)")
	say(d, fleet.StateWarn, "sensor bank1.state", "bank 1 load state: near overload")
}

// TestLoadThatMovedIsAnEffect: a PDU that carries too much because another one
// died is explained by what killed that one; without that it is a cause itself.
func TestLoadThatMovedIsAnEffect(t *testing.T) {
	s := hall(2).snap(both(losePDU("r01", "a"), only("r01-pb", nearLimit)))
	list := Causes(s, t0)
	x := causeNamed(t, list, "r01-pa")
	if len(list) != 1 || !strings.Contains(strings.Join(x.Explains, " "), "r01-pb") {
		t.Errorf("%d causes, the first explains %q", len(list), x.Explains)
	}
	// Three machines, two switches and the two spines took over half of 2 A each.
	if got := strings.Join(x.Evidence, "; "); !strings.Contains(got, "r01-pb carries about 7.0 A more since: bank 1 current 13.6 A (warn 13)") {
		t.Errorf("evidence %q", got)
	}
	if alone := Causes(hall(2).snap(only("r01-pb", nearLimit)), t0); len(alone) != 1 || alone[0].ID != "r01-pb" {
		t.Errorf("with all cords alive: %+v", alone)
	}
}

// TestCrossedCordsAreNamedAsSuch: the first PDU died, and of one machine it is
// the second supply that starves: its cords are in each other's outlets.
func TestCrossedCordsAreNamedAsSuch(t *testing.T) {
	cross := func(d *fleet.Device) {
		d.State, d.About, d.Reasons = fleet.StateOK, nil, nil
		d.Sensors[0].State = fleet.StateOK
		starve(d, "r01-pb")
	}
	s := hall(10).snap(both(losePDU("r01", "a"), only("r01-s02", cross)))
	x := causeNamed(t, Causes(s, t0), "r01-s02/psu2")
	if x.Kind != PSU || x.Hangs != "r01-pa" || len(x.Explains) != 1 || !strings.HasPrefix(x.Evidence[0], "crossed cords: r01-pb/2 gives 100 W, but PSU 2, meant to be in it, has no input; PSU 1 runs") {
		t.Errorf("%+v", x)
	}
	well := hall(10).snap(only("r01-s02", cross))
	if list := Causes(well, t0); len(list) != 1 || list[0].ID != "r01-s02/psu2" || list[0].Hangs != "" {
		t.Errorf("nothing shows where the cords are, and the cause is %+v", list)
	}
}

// TestACauseBeganWithWhatItExplains where nothing dates the part itself.
func TestACauseBeganWithWhatItExplains(t *testing.T) {
	s := hall(3).snap(both(losePDU("r01", "a"), losePDU("r02", "a"), losePDU("r03", "a")))
	if x := causeNamed(t, Causes(s, t0), "A"); !x.Since.Equal(t0.Add(-time.Minute)) {
		t.Errorf("since %v", x.Since)
	}
}

// TestACauseCountsWhoIsOnTheLastPath: three of four servers of each rack had two
// cords, and lost one.
func TestACauseCountsWhoIsOnTheLastPath(t *testing.T) {
	s := hall(2).snap(both(losePDU("r01", "a"), losePDU("r02", "a")))
	if x := causeNamed(t, Causes(s, t0), "A"); x.LastPath != 6 {
		t.Errorf("%d of them stand on their last path", x.LastPath)
	}
}

// TestSinceIsWhenTheTroubleBegan: more of it, or worse, is no beginning.
func TestSinceIsWhenTheTroubleBegan(t *testing.T) {
	s := hall(1).snap(only("r01-s01", func(d *fleet.Device) { say(d, fleet.StateCrit, "host", "its compute service is down") }))
	event := func(ago time.Duration, kind, text string) fleet.Event {
		return fleet.Event{At: t0.Add(-ago), Target: "r01-s01", Type: kind, Text: text, Asserted: true}
	}
	s.Recent = []fleet.Event{
		event(time.Minute, "state", "also: no light on any of its cables"), event(3*time.Minute, "state", "warn → crit: its compute service is down"),
		event(4*time.Minute, "state", "ok → warn: BMC says on"), event(time.Hour, "state", "ok → warn: fan1 is slow"),
	}
	if x := causeNamed(t, Causes(s, t0), "r01-s01"); !x.Since.Equal(t0.Add(-4 * time.Minute)) {
		t.Errorf("since %v", x.Since)
	}
}
