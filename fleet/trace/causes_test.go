package trace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// say gives a device a state and one reason more.
func say(d *fleet.Device, st fleet.State, about, text string) {
	d.State = fleet.Worst(d.State, st)
	d.About, d.Reasons = append(d.About, about), append(d.Reasons, text)
}

// mute makes a device silent for a minute.
func mute(d *fleet.Device) {
	d.BlindSince, d.SeenAt = t0.Add(-time.Minute), t0.Add(-time.Minute)
	d.State = fleet.StateUnknown
	say(d, fleet.StateUnknown, "sight", "not seen since 13:59")
}

// starve takes the input from the supplies that hang on a PDU.
func starve(d *fleet.Device, pdu string) {
	for k, c := range d.Spec.Power {
		if !strings.HasPrefix(c.Outlet, pdu+"/") {
			continue
		}
		say(d, fleet.StateWarn, fmt.Sprintf("PSU %d", c.PSU), "redundancy lost")
		if k < len(d.Sensors) {
			d.Sensors[k].State = fleet.StateCrit
		}
	}
}

// losePDU is what the engine shows of a PDU that is dead: it is silent, the
// supplies on it starve, and s04, which hangs on the first one alone, is down.
func losePDU(rack, side string) func(*fleet.Device) {
	return func(d *fleet.Device) {
		name := rack + "-p" + side
		switch id := d.Spec.ID; {
		case id == name:
			mute(d)
			say(d, fleet.StateCrit, "power", "no output: 3 of 3 power supplies on it have no input")
		case id == rack+"-s04" && side == "a":
			mute(d)
			say(d, fleet.StateCrit, "power", "no power: its only cord is dead")
		case d.Spec.Kind == fleet.KindServer:
			starve(d, name)
		}
	}
}

func both(list ...func(*fleet.Device)) func(*fleet.Device) {
	return func(d *fleet.Device) {
		for _, f := range list {
			f(d)
		}
	}
}

func only(id string, f func(*fleet.Device)) func(*fleet.Device) {
	return func(d *fleet.Device) {
		if d.Spec.ID == id {
			f(d)
		}
	}
}

// loseSwitch makes the first switch of a rack silent, and dark at the spines.
func loseSwitch(d *fleet.Device) {
	switch {
	case d.Spec.ID == "r01-swa":
		mute(d)
		say(d, fleet.StateCrit, "light", "down: no light on sp1/E2, sp2/E2")
	case d.Spec.ID == "sp1" || d.Spec.ID == "sp2":
		say(d, fleet.StateWarn, "port E2", "E2 down (cabled to r01-swa E49)")
	case strings.HasPrefix(d.Spec.ID, "r01-s0"):
		mute(d) // its BMC hangs on the switch
	}
}

func TestCauses(t *testing.T) {
	none := func(*fleet.Device) {}
	for _, c := range []struct {
		name   string
		racks  int
		live   func(*fleet.Device)
		more   func(*house)
		want   string // causes in order
		sure   fleet.Confidence
		count  int    // parts the first one explains
		quotes string // of its evidence
	}{
		{"nothing wrong", 1, none, nil, "", 0, 0, ""},
		{"a feed lost", 3, both(losePDU("r01", "a"), losePDU("r02", "a"), losePDU("r03", "a")), func(h *house) {
			f := &h.feeds[1]
			f.State, f.Reasons = fleet.StateCrit, []string{"feed A lost: no output on 3 of its 3 PDUs"}
		}, "A", fleet.ConfidenceHigh, 1 + 3*5, "feed A lost"},
		{"a feed lost, seen at its PDUs alone", 3, both(losePDU("r01", "a"), losePDU("r02", "a"), losePDU("r03", "a")), nil, "A", fleet.ConfidenceHigh, 3 * 5, "3 of 3 parts on it dead"},
		{"a PDU lost", 2, losePDU("r01", "a"), nil, "r01-pa", fleet.ConfidenceHigh, 5, "no output"},
		{"a supply lost", 1, only("r01-s01", func(d *fleet.Device) { starve(d, "r01-pb") }), nil, "r01-s01/psu2", fleet.ConfidenceHigh, 1, "redundancy lost"},
		{"a switch lost", 2, loseSwitch, nil, "r01-swa", fleet.ConfidenceHigh, 7, "down: no light"},
		{"a host dead with its instances", 1, only("r01-s01", func(d *fleet.Device) {
			mute(d)
			say(d, fleet.StateCrit, "light", "down: no light on r01-swa/E1, r01-swb/E1")
		}), func(h *house) {
			h.guests[0].State = fleet.StateCrit
			h.services[0].State = fleet.StateWarn
		}, "r01-s01", fleet.ConfidenceHigh, 3, "down: no light"},
		{"a site path lost", 1, mute, func(h *house) {
			h.sites[0].State, h.sites[0].SilentSince, h.sites[0].Reasons = fleet.StateCrit, t0.Add(-time.Minute), []string{"site path lost: 12 of 12 devices silent"}
		}, "ams1", fleet.ConfidenceLow, 13, "path lost"},
		{"a site path lost with its cloud", 1, mute, func(h *house) {
			h.sites[0].State, h.sites[0].SilentSince = fleet.StateCrit, t0.Add(-time.Minute)
			h.clouds[0].State = fleet.StateUnknown
			for i := range h.guests {
				h.guests[i].State = fleet.StateUnknown
			}
		}, "ams1", fleet.ConfidenceLow, 18, "path lost"},
		{"a warm rack", 1, func(d *fleet.Device) {
			if d.Spec.Kind == fleet.KindServer {
				d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Key: "inlet", Name: "Inlet Temp", Class: fleet.ClassTemperature}, State: fleet.StateWarn})
				say(d, fleet.StateWarn, "sensor inlet", "Inlet Temp 38 C")
			}
		}, nil, "ams1/r01", fleet.ConfidenceMedium, 4, "inlet air too warm"},
		{"a warm rack, and what is warm inside of its servers", 1, func(d *fleet.Device) {
			if d.Spec.Kind == fleet.KindServer {
				for _, key := range []string{"inlet", "cpu1"} {
					name := map[string]string{"inlet": "Inlet Temp", "cpu1": "CPU1 Temp"}[key]
					d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Key: key, Name: name, Class: fleet.ClassTemperature}, State: fleet.StateWarn})
					say(d, fleet.StateWarn, "sensor "+key, name+" 85 C")
				}
			}
		}, nil, "ams1/r01", fleet.ConfidenceMedium, 4, "inlet air too warm"},
		{"a warm CPU in a warm rack, behind a cool inlet", 1, only("r01-s01", func(d *fleet.Device) {
			d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Key: "cpu1", Name: "CPU1 Temp", Class: fleet.ClassTemperature}, State: fleet.StateWarn})
			say(d, fleet.StateWarn, "sensor cpu1", "CPU1 Temp 85 C")
		}), nil, "r01-s01", fleet.ConfidenceHigh, 1, "CPU1 Temp"},
		{"a BMC silent", 1, only("r01-s01", mute), nil, "r01-s01/bmc", fleet.ConfidenceLow, 1, "path lost"},
		{"a cable out", 1, only("r01-swa", func(d *fleet.Device) { say(d, fleet.StateWarn, "port E1", "E1 down (cabled to r01-s01 eth1)") }), nil, "r01-swa/E1", fleet.ConfidenceMedium, 1, "E1 down"},
		{"an outlet off", 1, both(only("r01-pa", func(d *fleet.Device) {
			d.Outlets[0].State = "off"
			for i := range d.Outlets {
				if d.Outlets[i].Index == 1 {
					d.Outlets[0], d.Outlets[i] = d.Outlets[i], d.Outlets[0]
				}
			}
			for i := range d.Outlets {
				d.Outlets[i].State = map[bool]string{true: "off", false: "on"}[d.Outlets[i].Index == 1]
			}
			say(d, fleet.StateWarn, "outlet 1", "outlet 1 is off (feeds r01-s01 PSU 1)")
		}), only("r01-s01", func(d *fleet.Device) { starve(d, "r01-pa") })), nil, "r01-pa/1", fleet.ConfidenceHigh, 2, "outlet 1 is off"},
		{"a hypervisor that people took out of use", 1, only("r01-s01", func(d *fleet.Device) { say(d, fleet.StateWarn, "host", "os-ams: disabled as a hypervisor: new DIMMs") }), func(h *house) {
			h.drained = "r01-s01"
			h.guests[0].Told, h.guests[0].State = fleet.StateOK, fleet.StateWarn // no greener than its host
		}, "", 0, 0, ""},
		{"an instance alone", 1, none, func(h *house) { h.guests[2].State = fleet.StateCrit }, "vm-1-3", fleet.ConfidenceHigh, 1, ""},
		{"two causes at once", 2, both(losePDU("r01", "a"), only("r02-s02", func(d *fleet.Device) { say(d, fleet.StateCrit, "sensor fan1", "fan1 stopped") })), nil, "r01-pa r02-s02", fleet.ConfidenceHigh, 5, "no output"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hall(c.racks)
			if c.more != nil {
				c.more(h)
			}
			s := h.snap(c.live)
			if strings.Contains(c.name, "a warm ") {
				s.Racks.At(0).Reasons = []string{"inlet air too warm at 4 of 4 servers"}
			}
			list := Causes(s, t0)
			var got []string
			share := 0.0
			for _, x := range list {
				got = append(got, x.ID)
				share += x.Share
			}
			if strings.Join(got, " ") != c.want {
				t.Fatalf("causes %q, want %q\n%+v", got, c.want, list)
			}
			if len(list) == 0 {
				return
			}
			if math.Abs(share-1) > 1e-9 {
				t.Errorf("the shares sum up to %f", share)
			}
			x := list[0]
			if x.Confidence != c.sure || len(x.Explains) != c.count || !strings.Contains(strings.Join(x.Evidence, "; "), c.quotes) {
				t.Errorf("%s: %s, explains %q, evidence %q", x.ID, x.Confidence, x.Explains, x.Evidence)
			}
		})
	}
}

// TestCausesExplainEverythingOnce breaks things at random: every part that is
// not well is explained, no part that is well is blamed for it, and when all is
// well again no cause is left.
func TestCausesExplainEverythingOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	for range 200 {
		h := hall(3)
		s := h.snap(func(d *fleet.Device) {
			switch r.IntN(6) {
			case 0:
				mute(d)
			case 1:
				starve(d, d.Spec.ID[:3]+"-p"+string("ab"[r.IntN(2)]))
			case 2:
				say(d, fleet.StateCrit, "sensor fan1", "fan1 stopped")
			}
		})
		var bad, got []string
		for id, d := range s.Devices.All() {
			if d.State != fleet.StateOK {
				bad = append(bad, id)
			}
		}
		share := 0.0
		for _, c := range Causes(s, t0) {
			got = append(got, c.Explains...)
			share += c.Share
			name, _, _ := strings.Cut(c.ID, "/")
			if d := s.Devices.Get(name); d != nil && d.State == fleet.StateOK {
				t.Errorf("%s is well and blamed for %q", c.ID, c.Explains)
			}
		}
		slices.Sort(bad)
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, bad) || math.Abs(share-1) > 1e-9 {
			t.Fatalf("explained %q (%f)\nof        %q", got, share, bad)
		}
		well := h.snap(func(d *fleet.Device) {
			d.State, d.About, d.Reasons, d.BlindSince, d.SeenAt = fleet.StateOK, nil, nil, time.Time{}, t0
		})
		if left := Causes(well, t0); len(left) > 0 {
			t.Fatalf("all is well, and %s is a cause", left[0].ID)
		}
	}
}

// TestOneCrossedCordAcquitsNobody: of ten PDUs on a dead feed the supplies of
// one have input, because its cords are in other outlets than intended.
func TestOneCrossedCordAcquitsNobody(t *testing.T) {
	for live, want := range map[int]string{1: "A", 2: "r01-pa"} {
		var faults []func(*fleet.Device)
		for k := 1; k <= 10; k++ {
			name := fmt.Sprintf("r%02d", k)
			if k > 10-live {
				faults = append(faults, only(name+"-pa", mute))
				continue
			}
			faults = append(faults, losePDU(name, "a"))
		}
		list := Causes(hall(10).snap(both(faults...)), t0)
		if len(list) == 0 || list[0].ID != want {
			t.Errorf("%d PDUs give power: %+v, want %s first", live, list, want)
		}
	}
}

// TestStaleWitnessesAcquitNobody: in the first seconds after a feed went, most of
// what hangs on it was read last when all was well. That is neither a supply that
// has input now nor a PDU that answers.
func TestStaleWitnessesAcquitNobody(t *testing.T) {
	// The PDUs of two racks are silent since ago, and of the four servers of each
	// two were read since. All else was read before.
	const ago = 10 * time.Second
	struck := t0.Add(-ago)
	world := func(others time.Time) *fleet.Snapshot {
		var faults []func(*fleet.Device)
		for k := 1; k <= 10; k++ {
			rack := fmt.Sprintf("r%02d", k)
			if k > 2 {
				faults = append(faults, only(rack+"-pa", func(d *fleet.Device) { d.SeenAt = others }))
				continue
			}
			faults = append(faults, losePDU(rack, "a"), only(rack+"-pa", func(d *fleet.Device) {
				d.Reasons, d.About = nil, nil // nobody said yet that it gives no power
				mute(d)
				d.BlindSince, d.SeenAt = struck, struck.Add(-50*time.Second)
			}))
			for n := 3; n <= 4; n++ {
				faults = append(faults, only(fmt.Sprintf("%s-s%02d", rack, n), func(d *fleet.Device) {
					d.SeenAt = struck.Add(-20 * time.Second) // after its PDU was last seen, before it was lost
					d.State, d.Reasons, d.About = fleet.StateOK, nil, nil
					for i := range d.Sensors {
						d.Sensors[i].State, d.Sensors[i].Text = fleet.StateOK, "Presence detected"
					}
				}))
			}
		}
		return hall(10).snap(both(faults...))
	}
	for name, c := range map[string]struct {
		others time.Time // when the PDUs of the other racks were last seen
		want   []string
	}{
		"the others were seen before": {struck.Add(-5 * time.Second), []string{"A"}},
		"the others were seen after":  {struck.Add(5 * time.Second), []string{"r01-pa", "r02-pa"}},
		"one that was lost later":     {struck, []string{"r01-pa", "r02-pa"}},
	} {
		var got []string
		for _, x := range Causes(world(c.others), t0) {
			if x.Kind == Feed || x.Kind == PDU {
				got = append(got, x.ID)
			}
		}
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestWhatIsNoLongerReadIsNotBroken: a table that a device stopped to answer
// shows nothing about the device, and is said with little confidence.
func TestWhatIsNoLongerReadIsNotBroken(t *testing.T) {
	h := hall(1)
	id := "r01-s01"
	s := h.snap(only(id, func(d *fleet.Device) { say(d, fleet.StateUnknown, "table sensors", "sensors not read since 13:59") }))
	got := Causes(s, t0)
	if len(got) != 1 || got[0].ID != id || got[0].Confidence != fleet.ConfidenceLow {
		t.Errorf("%+v", got)
	}
}

// TestCausesDateWhatIsDated: silence has a beginning, and an event has a time.
func TestCausesDateWhatIsDated(t *testing.T) {
	s := hall(1).snap(both(losePDU("r01", "a"), only("sp1", func(d *fleet.Device) { say(d, fleet.StateCrit, "sensor fan1", "fan1 stopped") }),
		only("sp2", func(d *fleet.Device) { say(d, fleet.StateCrit, "sensor fan1", "fan1 stopped") })))
	s.Recent = []fleet.Event{
		{Target: "sp1", At: t0.Add(-time.Minute), Text: "fan1 is back"},
		{Target: "sp1", At: t0.Add(-2 * time.Minute), Text: "fan1 stopped", Asserted: true},
	}
	got := map[string]time.Time{}
	for _, c := range Causes(s, t0) {
		got[c.ID] = c.Since
	}
	for id, want := range map[string]time.Time{"r01-pa": t0.Add(-time.Minute), "sp1": t0.Add(-2 * time.Minute), "sp2": {}} {
		if since, ok := got[id]; !ok || !since.Equal(want) {
			t.Errorf("%s since %v (%v), want %v", id, since, ok, want)
		}
	}
}

// TestACauseTellsWhatElseItTakes: a silent switch is not known to be dead;
// what hangs on it would go with it.
func TestACauseTellsWhatElseItTakes(t *testing.T) {
	s := hall(1).snap(both(only("r01-swa", mute), only("r01-s01", mute), only("r01-s02", mute), only("r01-s03", mute), only("r01-s04", mute)))
	list := Causes(s, t0)
	if len(list) != 1 || list[0].ID != "r01-swa" || list[0].Confidence != fleet.ConfidenceLow {
		t.Fatalf("%+v", list)
	}
	if got := ids(list[0].Also, Server, Instance); got != "vm-1-3" {
		t.Errorf("also %q: want what hangs on it and is not named yet", got)
	}
}
