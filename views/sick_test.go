package views

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/viewstest"
)

// sick is a fleet whose devices are all well while the workload of a service
// fails, with the alert that calls for it.
func sick(w, h int) Frame {
	f := frame(w, h)
	s := *f.Snap
	since := viewstest.At.Add(-7 * time.Minute)
	devices, racks, regions, services := s.Devices.Edit(), s.Racks.Edit(), s.Regions.Edit(), s.Services.Edit()
	for n := range devices.Len() {
		d := devices.At(n)
		d.State, d.Reasons, d.About, d.BlindSince, d.Err, d.DriftOpen, d.Maintenance = fleet.StateOK, nil, nil, time.Time{}, nil, 0, false
	}
	for n := range racks.Len() {
		racks.At(n).State, racks.At(n).Reasons = fleet.StateOK, nil
	}
	for n := range regions.Len() {
		r := regions.At(n)
		r.State, r.Reasons, r.Blind, r.DriftOpen, r.By = fleet.StateOK, nil, 0, 0, [fleet.NumStates]int{fleet.StateOK: r.Devices}
	}
	match := services.Get("match")
	spec := *match.Spec
	spec.Health = &fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "http://127.0.0.1:45200/match/healthz"}
	match.Spec, match.State = &spec, fleet.StateCrit
	match.Health = &fleet.Health{State: fleet.StateCrit, Said: fleet.StateCrit, Hard: fleet.StateCrit, Bad: 5, Since: since, SaidAt: viewstest.At.Add(-4 * time.Second),
		Text: "HTTP 500 Internal Server Error: deadlock in the session pool", LatencyMs: fleet.Dec(38, -1)}
	match.Reasons = []string{"workload says: " + match.Health.Text}
	s.Devices, s.Racks, s.Regions, s.Services = devices.Done(), racks.Done(), regions.Done(), services.Done()
	s.Counts = fleet.Counts{}
	s.Counts.By[fleet.KindOfDevice][fleet.StateOK] = s.Devices.Len()
	s.Counts.By[fleet.KindOfService] = [fleet.NumStates]int{fleet.StateCrit: 1, fleet.StateOK: s.Services.Len() - 1}
	alert := &fleet.Alert{Rule: "service-unhealthy", Target: "match", State: fleet.AlertFiring, Severity: fleet.SeverityCrit, Since: since, Fired: since.Add(30 * time.Second), Hard: true,
		Labels: map[string]string{"rule": "service-unhealthy", "target": "match"}, Summary: "service match: its workload says " + match.Health.Text}
	s.Alerts = &fleet.AlertBook{List: []*fleet.Alert{alert}, Settled: true, Counts: [3]int{fleet.SeverityCrit: 1}, Waiting: [3]int{fleet.SeverityCrit: 1}, Newest: [3]*fleet.Alert{fleet.SeverityCrit: alert}}
	f.Snap, f.Answers = &s, given{judged{snap: &s}, &Causes{}}
	return f
}

func TestSickServiceGoldens(t *testing.T) {
	goldens(t, []screen{
		{"sick-fleet", func(testing.TB, Frame) View { return NewFleet() }},
		{"sick-service", func(testing.TB, Frame) View { return NewService("match") }},
		{"sick-wall", func(testing.TB, Frame) View { return NewWall() }},
	}, sick)
}

// A fleet whose devices are all well is not healthy while a service is down: the
// header and the verdict say so at every width, and whose number it is.
func TestASickServiceStandsBesideHealthyDevices(t *testing.T) {
	for _, size := range append(sizes, [2]int{100, 30}) {
		f := sick(size[0], size[1])
		text := compose(t, f, NewFleet(), Chrome{})
		head, _, _ := strings.Cut(text, "\n")
		if !strings.Contains(head, "svc ✖1 ") && !strings.Contains(head, "services ✖1 ") {
			t.Errorf("%v: the header counts no service: %q", size, head)
		}
		if !strings.Contains(text, "✖ 1 service crit") {
			t.Errorf("%v: no service in the verdict:\n%s", size, text)
		}
		if !strings.Contains(text, "of 518 devices healthy") {
			t.Errorf("%v: it does not say what is healthy:\n%s", size, text)
		}
	}
}

// The palette takes a service by its name or a filter, and says where nothing matches.
func TestServicesByNameOrFilter(t *testing.T) {
	f := sick(80, 24)
	open := func(words string) Intent {
		c, _ := f.Keys.Get("open.services")
		_, in := Dispatch(f, NewFleet(), c.With(words))
		return in
	}
	if o, ok := open("match").(Open); !ok || o.View.ID() != "service" {
		t.Errorf("a name opens %+v", open("match"))
	}
	if o, ok := open("state:crit").(Open); !ok || o.View.ID() != "services" || strings.Contains(compose(t, f, o.View, Chrome{}), "lobby") {
		t.Errorf("a filter opens %+v", open("state:crit"))
	}
	if x, ok := open("nosuch").(Toast); !ok || !strings.Contains(x.Text, "no service matches nosuch") {
		t.Errorf("nothing says %+v", open("nosuch"))
	}
}

// The page of a service says since when it is ill, how fast it answers, what is
// left without each part, and which alert stands on it.
func TestTheServicePageIsWholeOnASmallScreen(t *testing.T) {
	f := sick(80, 24)
	text := compose(t, f, NewService("match"), Chrome{})
	for _, want := range []string{"HTTP 500 Internal Server Error: deadlock in the session pool", "crit for 7m", "3.8 ms", "without it 46 run: below floor", "alert ✖ service-unhealthy 7m"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if text := compose(t, sick(60, 18), NewService("match"), Chrome{}); !strings.Contains(text, "alert ✖ service-unhealthy 7m") {
		t.Errorf("no alert in\n%s", text)
	}
}

// Its alert is followed and acknowledged from there, and the caret finds back to
// the replicas.
func TestTheAlertOfAServiceIsReached(t *testing.T) {
	f := sick(80, 24)
	for _, to := range []string{"pane.next", "move.up"} {
		v := press(t, f, NewService("match"), to)
		if kind, id := v.Selected(f); kind != KindAlert || id != "service-unhealthy:match" {
			t.Errorf("%s leads to %s %s", to, kind, id)
		}
		if v := press(t, f, v, "enter"); v.ID() != "alert" {
			t.Errorf("enter on the alert opens %s", v.ID())
		}
		if kind, _ := press(t, f, v, "move.down").Selected(f); kind != KindInstance {
			t.Errorf("below the alert stands %s", kind)
		}
	}
	v := press(t, f, NewService("match"), "move.down", "move.down") // a replica that has none of its own
	_, in := give(t, f, v, "alert.ack")
	if ask, ok := in.(Ask); !ok || ask.With != "service-unhealthy:match" {
		t.Errorf("A does %+v", in)
	}
}

// A service in the list of what needs a person is named in whole, also where the
// screen is small.
func TestAServiceThatNeedsAPersonIsNamed(t *testing.T) {
	for _, size := range sizes {
		text := compose(t, sick(size[0], size[1]), NewFleet(), Chrome{})
		if !strings.Contains(text, "service match ") {
			t.Errorf("%v: no whole name in\n%s", size, text)
		}
	}
}

// A sentence is not cut while the columns beside it are empty.
func TestWhyUsesTheRoomThereIs(t *testing.T) {
	for _, v := range []View{NewFleet(), NewServices()} {
		text := compose(t, sick(240, 67), v, Chrome{})
		for _, row := range strings.Split(text, "\n") {
			if strings.Contains(row, "deadlock in the") && strings.Contains(row, "match") && !strings.Contains(row, "alert") && !strings.Contains(row, "deadlock in the session pool") {
				t.Errorf("%s cuts %q", v.ID(), row)
			}
		}
	}
}
