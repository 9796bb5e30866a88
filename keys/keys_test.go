package keys

import (
	"errors"
	"strings"
	"testing"

	"plumb/fleet"
)

var everyView = []string{"fleet", "racks", "devices", "device", "network", "switch", "port", "services", "service", "instances", "instance", "events", "alerts", "alert", "silences", "hush", "jobs", "drift", "finding", "capacity", "room", "placement", "whatif-add", "security", "report", "trace", "whatif", "help", "who", "wall", "actions", "actions-outlet", "actions-port", "actions-instance", "actions-group", "confirm", "job", "runbooks", "runbook"}

func TestNoTwoCommandsShareAKeyInOneView(t *testing.T) {
	m, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range everyView {
		seen := map[string]string{}
		for _, c := range m.All() {
			for _, k := range c.Keys.Keys() {
				if !c.Hears(k, v) {
					continue
				}
				if other := seen[k]; other != "" {
					t.Errorf("%s: %q is both %s and %s", v, k, other, c.ID)
				}
				seen[k] = c.ID
				if got, ok := m.Resolve(k, Scene{View: v}); !ok || got.ID != c.ID {
					t.Errorf("%s: %q resolves to %q, want %s", v, k, got.ID, c.ID)
				}
			}
		}
	}
}

func TestEveryCommandIsReachable(t *testing.T) {
	m := Must()
	ids := map[string]bool{}
	for _, c := range m.All() {
		if ids[c.ID] {
			t.Errorf("%s: twice", c.ID)
		}
		ids[c.ID] = true
		if c.Title == "" || c.Help == "" {
			t.Errorf("%s: no words for people", c.ID)
		}
		for _, v := range append(c.where(), c.In...) {
			if !strings.Contains(strings.Join(everyView, " "), v) {
				t.Errorf("%s works in %q, which is no view", c.ID, v)
			}
		}
		if len(c.Keys.Keys()) > 0 || c.ID == "palette" {
			continue
		}
		text := c.name()
		if len(c.Params) > 0 {
			text += " x"
		}
		found := false
		for _, f := range m.Palette(text, Scene{}) {
			found = found || f.Command.ID == c.ID
		}
		if !found {
			t.Errorf("%s has no key and %q does not find it", c.ID, text)
		}
	}
}

func TestOverrides(t *testing.T) {
	for _, tc := range []struct {
		name string
		give map[string][]string
		want string // in the error; "" for none
	}{
		{"another key", map[string][]string{"open.fleet": {"f1"}}, ""},
		{"ctrl-space is NUL on the wire", map[string][]string{"mark": {"ctrl+space"}, "mark.range": {"space"}}, ""},
		{"unknown", map[string][]string{"open.flet": {"x"}}, `the closest is "open.fleet"`},
		{"taken", map[string][]string{"open.fleet": {"2"}}, "both open.fleet and open.racks"},
		{"a view's key against one of everywhere", map[string][]string{"scale": {"q"}}, "both scale and quit"},
		{"one key in views that never meet", map[string][]string{"scale": {"e"}}, ""},
		{"none at all", map[string][]string{"quit": nil}, ""},
		{"empty", map[string][]string{"quit": {""}}, "empty key"},
	} {
		m, err := New(tc.give)
		if tc.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		if !errors.Is(err, ErrOverride) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
		if m == nil {
			t.Errorf("%s: no map beside the error", tc.name)
		}
	}
	m, _ := New(map[string][]string{"mark": {"x"}})
	if c, ok := m.Resolve("x", Scene{View: "devices"}); !ok || c.ID != "mark" || c.Keys.Help().Key != "x" {
		t.Errorf("x is %+v after remapping", c)
	}
	if _, ok := m.Resolve("space", Scene{View: "devices"}); ok {
		t.Error("space still marks after remapping")
	}
}

func scene() Scene {
	ids := []string{"fra1-r01-s03", "fra1-r02-s03", "fra1-r01-sw1"}
	rows := []fleet.Device{
		{Spec: &fleet.DeviceSpec{ID: ids[0], Kind: fleet.KindServer, Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI}}}, Power: fleet.PowerOn},
		{Spec: &fleet.DeviceSpec{ID: ids[1], Kind: fleet.KindServer}, Power: fleet.PowerOn},
		{Spec: &fleet.DeviceSpec{ID: ids[2], Kind: fleet.KindSwitch, Endpoints: []fleet.Endpoint{{Source: fleet.SourceSNMP}}}, Ports: []fleet.Port{{PortDef: &fleet.PortDef{Name: "Ethernet3", Admin: "up"}}}},
	}
	return Scene{Snap: &fleet.Snapshot{Devices: fleet.NewTable(ids, rows)}, Role: fleet.RoleOperator, Live: true, View: "devices", Kind: "device", Target: ids[0]}
}

// job is a scene of anna on the page of a job of somebody's.
func job(by string, state fleet.JobState, role fleet.Role) func(*Scene) {
	return func(s *Scene) {
		s.Snap.Jobs = []fleet.Job{{ID: "j1", Action: fleet.ActOutletOff, By: by, State: state, Targets: []string{"pa/3"}, Steps: []fleet.JobStep{{Name: "act", State: state}}}}
		s.User, s.Role, s.View, s.Kind, s.Target = "anna", role, "job", "job", "j1"
	}
}

// TestTheRequestOfSomebodyElseComesFirst: the oldest of others, and one's own
// only where there is no other.
func TestTheRequestOfSomebodyElseComesFirst(t *testing.T) {
	s := &fleet.Snapshot{Jobs: []fleet.Job{{ID: "j5", By: "anna", State: fleet.JobProposed}, {ID: "j4", By: "raj", State: fleet.JobProposed}, {ID: "j3", By: "raj", State: fleet.JobProposed}, {ID: "j2", By: "raj", State: fleet.JobExpired}, {ID: "j1", By: "anna", State: fleet.JobProposed}}}
	if j := Request(s, "anna"); j == nil || j.ID != "j3" {
		t.Errorf("anna is shown %+v", j)
	}
	if j := Request(s, "raj"); j == nil || j.ID != "j1" {
		t.Errorf("raj is shown %+v", j)
	}
	s.Jobs = s.Jobs[3:4]
	if j := Request(s, "anna"); j != nil {
		t.Errorf("%+v does not wait", j)
	}
}

func TestPaletteTakesArguments(t *testing.T) {
	m, s := Must(), scene()
	for _, tc := range []struct{ text, id, arg string }{
		{"device fra1-r01-s03", "go.device", "fra1-r01-s03"},
		{"dev r02", "go.device", "fra1-r02-s03"},
		{"theme ascii", "theme", "ascii"},
		{"port sw1 eth", "go.port", "fra1-r01-sw1/Ethernet3"},
		{"fleet", "open.fleet", ""},
		{"power off", "act.power-off", ""},
	} {
		got := m.Palette(tc.text, s)
		if len(got) == 0 || got[0].Command.ID != tc.id || got[0].Command.Arg(0) != tc.arg {
			t.Errorf("%q: %+v, want %s %q", tc.text, got, tc.id, tc.arg)
		}
	}
	s.Snap = &fleet.Snapshot{Services: fleet.NewTable([]string{"match", "lobby"}, make([]fleet.Service, 2)), Jobs: []fleet.Job{{ID: "j7"}}}
	for text, arg := range map[string]string{"services mat": "match", "services state:crit": "state:crit", "services nosuch": "nosuch", "services": "", "jobs j7": "j7", "jobs j1": "j1"} {
		got := m.Palette(text, s)
		if len(got) == 0 || !strings.HasPrefix(got[0].Command.ID, "open.") || got[0].Command.Arg(0) != arg {
			t.Errorf("%q: %+v, want %q", text, got, arg)
		}
	}
	s.Since = s.Since.Add(1)
	if got := m.Palette("at -2h", s); len(got) == 0 || got[0].Command.ID != "time.at" || got[0].Command.Arg(0) != "-2h" || got[0].Why != "" {
		t.Errorf("at -2h: %+v", got)
	}
}

// What is typed over a question is no command, but for the keys that it names.
func TestTypingOverAQuestionDoesNothing(t *testing.T) {
	m := Must()
	for _, chord := range []string{"a", "q", "t", "x", "A", "1", "9", "-", "p", "space", "y", "H", "backspace", "w"} {
		if c, ok := m.Resolve(chord, Scene{View: "confirm"}); ok {
			t.Errorf("%q means %s", chord, c.ID)
		}
	}
	for chord, id := range map[string]string{"e": "confirm.reason", "=": "confirm.arg", "!": "confirm.break", "?": "help", ":": "palette", "enter": "enter", "esc": "back", "down": "move.down", "ctrl+c": "cancel", "<": "time.big-back", "0": "time.live"} {
		if c, ok := m.Resolve(chord, Scene{View: "confirm"}); !ok || c.ID != id {
			t.Errorf("%q means %q, want %s", chord, c.ID, id)
		}
	}
	if c, ok := m.Resolve("q", Scene{View: "devices"}); !ok || c.ID != "quit" {
		t.Errorf("q on a list means %q", c.ID)
	}
}

// Nobody is offered what works elsewhere only; who asks for it by name reads where.
func TestThePaletteOffersWhatWorksHere(t *testing.T) {
	m, s := Must(), scene()
	for _, x := range m.Palette("", s) {
		if !x.Command.Works(s.View) {
			t.Errorf("offered on %s: %s, %s", s.View, x.Text, x.Why)
		}
	}
	for text, why := range map[string]string{"approve": "only in job", "waive": "only in drift, finding", "silence": "", "sort": ""} {
		if got := m.Palette(text, s); len(got) == 0 || got[0].Why != why {
			t.Errorf("%s: %+v, want %q", text, got, why)
		}
	}
	if c, _ := m.Get("filter"); c.Why(Scene{View: "fleet"}) != "only in device, jobs, devices ..." {
		t.Errorf("filter: %s", c.Why(Scene{View: "fleet"}))
	}
}

func TestWhy(t *testing.T) {
	m := Must()
	for _, tc := range []struct {
		name, id, want string
		change         func(*Scene)
	}{
		{"may", "act.power-off", "", nil},
		{"viewer", "act.power-off", "needs role operator", func(s *Scene) { s.Role = fleet.RoleViewer }},
		{"history", "act.power-off", "HIST", func(s *Scene) { s.Live = false }},
		{"already on", "act.power-on", "it is on", nil},
		{"no bmc", "act.reset", "no BMC", func(s *Scene) { s.Target = "fra1-r02-s03" }},
		{"a switch", "act.reset", "only servers", func(s *Scene) { s.Target = "fra1-r01-sw1" }},
		{"nothing", "act.reset", "nothing is selected", func(s *Scene) { s.Target = "" }},
		{"a port goes down", "act.port-down", "", func(s *Scene) { s.Kind, s.Target = "port", "fra1-r01-sw1/Ethernet3" }},
		{"a port that is up", "act.port-up", "administratively up", func(s *Scene) { s.Kind, s.Target = "port", "fra1-r01-sw1/Ethernet3" }},
		{"elsewhere", "scale", "only in racks", nil},
		{"a trunk", "act.port-vlan", "may be a trunk", func(s *Scene) { s.Kind, s.Target = "port", "fra1-r01-sw1/Ethernet3" }},
		{"an outlet nobody read", "act.outlet-off", "has not been read", func(s *Scene) { s.Kind, s.Target = "outlet", "fra1-r01-sw1/3" }},
		{"a server is no outlet", "act.outlet-off", "only outlets", nil},
		{"many are judged by the plan", "act.power-on", "", func(s *Scene) { s.Marks = []string{"fra1-r01-s03", "fra1-r02-s03"} }},
		{"no request", "job.next", "no job waits", nil},
		{"approve", "job.approve", "", job("bob", fleet.JobProposed, fleet.RoleAdmin)},
		{"approve as operator", "job.approve", "needs role admin", job("bob", fleet.JobProposed, fleet.RoleOperator)},
		{"approve one's own", "job.approve", "a second person", job("anna", fleet.JobProposed, fleet.RoleAdmin)},
		{"approve what is over", "job.approve", "it is expired", job("bob", fleet.JobExpired, fleet.RoleAdmin)},
		{"refuse", "job.refuse", "", job("bob", fleet.JobProposed, fleet.RoleOperator)},
		{"cancel another's", "job.cancel", "it is bob's", job("bob", fleet.JobRunning, fleet.RoleOperator)},
		{"cancel one's own", "job.cancel", "", job("anna", fleet.JobRunning, fleet.RoleOperator)},
		{"cancel what was sent", "job.cancel", "nothing left to stop", job("anna", fleet.JobAccepted, fleet.RoleOperator)},
		{"undo", "job.undo", "", job("anna", fleet.JobVerified, fleet.RoleOperator)},
		{"undo what was refused", "job.undo", "nothing was done", func(s *Scene) {
			job("anna", fleet.JobRefused, fleet.RoleOperator)(s)
			s.Snap.Jobs[0].Steps = nil
		}},
		{"undo what waits", "job.undo", "nothing was done yet", job("anna", fleet.JobProposed, fleet.RoleOperator)},
		{"no past", "time.at", "past", nil},
	} {
		s := scene()
		if tc.change != nil {
			tc.change(&s)
		}
		c, ok := m.Get(tc.id)
		if got := c.Why(s); !ok || got != tc.want && (tc.want == "" || !strings.Contains(got, tc.want)) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestNoSingleKeyWritesFromAList(t *testing.T) {
	for _, c := range All() {
		if _, act := c.Action(); act && len(c.KeysIn) == 0 {
			t.Errorf("%s has a key outside of the menu", c.ID)
		}
	}
}

func TestMarkdownNamesEveryCommand(t *testing.T) {
	md := Must().Markdown()
	for _, c := range All() {
		if !strings.Contains(md, "`"+c.ID+"`") {
			t.Errorf("%s is not in the key map's page", c.ID)
		}
	}
}
