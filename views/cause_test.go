package views

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

func TestEventsThatSayTheSameAreOneLine(t *testing.T) {
	at := viewstest.At
	event := func(target, text string, ago time.Duration, sev fleet.Severity) fleet.Event {
		return fleet.Event{Target: target, Text: text, At: at.Add(-ago), Severity: sev, Source: "plumb"}
	}
	got := fold([]fleet.Event{
		event("s01", "ok → warn: PSU 2 lost, outlet pb/1", 0, fleet.SeverityWarn),
		event("s02", "ok → warn: PSU 2 lost, outlet pb/12", time.Second, fleet.SeverityWarn),
		event("s03", "ok → warn: PSU 2 lost, outlet pb/3", 3*time.Second, fleet.SeverityCrit),
		event("s01", "ok → warn: PSU 2 lost, outlet pb/1", 4*time.Second, fleet.SeverityWarn),
		event("s04", "ok → warn: fan 2 slow", 5*time.Second, fleet.SeverityWarn),
		event("s05", "ok → warn: PSU 2 lost, outlet pb/5", 10*time.Minute, fleet.SeverityWarn),
	}, 10)
	var who []string
	for _, e := range got {
		who = append(who, e.who())
	}
	// A second time of the same target, another severity and one much later
	// each stand alone.
	if s := strings.Join(who, ", "); s != "s01 +1, s03, s01, s04, s05" {
		t.Error(s)
	}
	if s := happening(got[0].Event); s != "PSU 2 lost, outlet pb/1" {
		t.Error(s)
	}
	if n := len(fold(viewstest.Events(), 3)); n != 3 {
		t.Errorf("%d lines where there is room for 3", n)
	}
}

// TestWhatOthersTellOfABlindDevice: a silent PDU whose servers all lost their
// input is dead, and says so instead of "blind".
func TestWhatOthersTellOfABlindDevice(t *testing.T) {
	f := frame(160, 50)
	f.Snap = viewstest.Fleet()
	d := f.Snap.Devices.Get("fra1-r03-pb")
	d.State, d.BlindSince, d.Reasons = fleet.StateCrit, f.At.Add(-time.Minute), []string{"no output: 17 of 17 have no input"}
	if text, _ := verdict(f, d); text != d.Reasons[0] {
		t.Errorf("it says %q", text)
	}
	if text := compose(t, f, NewRacks("fra", "fra1/r03"), Chrome{}); !strings.Contains(text, "one feed is lost: fra1-r03-pb") {
		t.Errorf("the rack says nothing of its dead PDU:\n%s", text)
	}
	d.State, d.Reasons = fleet.StateUnknown, nil
	if text, _ := verdict(f, d); !strings.HasPrefix(text, "blind 1m") {
		t.Errorf("with nobody to tell it says %q", text)
	}
}

func TestASiteSpeaksForItsRacks(t *testing.T) {
	f := frame(160, 50)
	f.Snap = viewstest.Fleet()
	why := []string{"path lost: 180 of 180 devices silent"}
	site := f.Snap.Sites.Get("fra1")
	site.State, site.Reasons, site.SilentSince = fleet.StateCrit, why, f.At
	f.Snap.Racks.Get("fra1/r03").Reasons = []string{"path lost: 22 of 22 devices silent"}
	f.Snap.Regions.Get("fra").Reasons = why
	f.Snap.Racks.Get("ams1/r01").Reasons = []string{"inlet air too warm"}
	var tr troubles
	var said []string
	for _, c := range tr.of(f).rest {
		if c.what == "site" || c.what == "rack" || c.what == "region" {
			said = append(said, c.what+" "+c.where)
		}
	}
	if s := strings.Join(said, ", "); s != "site fra1, rack ams1/r01" && s != "rack ams1/r01, site fra1" {
		t.Error(s)
	}
}

func TestPowerOfARegionIsTheSumOfItsUPSes(t *testing.T) {
	at := viewstest.At
	points := func(shift time.Duration, watts ...int64) (out []fleet.Point) {
		for i, w := range watts {
			out = append(out, fleet.Point{Ms: at.Add(time.Duration(i)*3*time.Minute + shift).UnixMilli(), Mean: fleet.Int(w)})
		}
		return out
	}
	b := points(20*time.Second, 10, 20, 30, 40)
	got := addPoints(points(0, 1, 2, 3, 4), append(b[:1:1], b[2:]...)) // one is missing
	if len(got) != 3 || got[0].Mean.Float() != 11 || got[1].Mean.Float() != 33 || got[2].Mean.Float() != 44 {
		t.Errorf("%v", got)
	}
}

func TestTheRearShowsCordsUnderTheirPDU(t *testing.T) {
	f := frame(160, 50)
	f.Snap = viewstest.Fleet()
	d := f.Snap.Devices.Get("fra1-r03-s01")
	spec := *d.Spec
	spec.Power = spec.Power[1:] // only the cord to B
	d.Spec = &spec
	b := widget.NewBuffer(60, 1)
	v := NewRacks("fra", "fra1/r03").(Racks)
	v.drawCords(f, b.Canvas(), d)
	if s := b.Plain(); strings.Index(s, "pb/") != cordW || strings.Contains(s, "pa/") {
		t.Errorf("%q", s)
	}
}
