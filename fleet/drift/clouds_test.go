package drift

import (
	"slices"
	"strings"
	"testing"

	"plumb/fleet"
)

// sky is a cloud of two instances and a group, read in full and just as it is
// declared.
type sky struct {
	cloud     fleet.Cloud
	instances []*fleet.Instance
	policies  fleet.Policies
	unread    []fleet.TableID
}

func newSky() *sky {
	ssh := fleet.SecurityRule{ID: "r1", Direction: "ingress", Family: "ipv4", Protocol: "tcp", PortMin: fleet.Int(22), PortMax: fleet.Int(22), Remote: "10.0.0.0/8"}
	s := &sky{cloud: fleet.Cloud{
		Spec: &fleet.CloudSpec{Name: "stack", Region: "ams", Declared: &fleet.Declared{Source: "terraform prod.json", Whole: true,
			Instances: []fleet.DeclaredInstance{
				{Resource: "vm.a", ID: "i1", Name: "match-01", Type: "m1.large", Image: "img", Zone: "az1", RunState: "ACTIVE", Groups: []string{"default", "game"}, Tags: map[string]string{"service": "match"}},
				{Resource: "vm.b", ID: "i2", Name: "match-02", Type: "m1.large"},
			},
			Groups: []fleet.DeclaredGroup{{Resource: "sg.game", ID: "g1", Name: "game", Rules: []fleet.SecurityRule{ssh}}},
		}},
		// The cloud tells rules in another order, with one of its own for the way out.
		Groups: []fleet.SecurityGroup{{ID: "g1", Name: "game", Rules: []fleet.SecurityRule{{ID: "x", Direction: "egress", Family: "ipv4"}, {ID: "y", Direction: "egress", Family: "ipv6"}, ssh}}},
	}, instances: []*fleet.Instance{
		{ID: "i1", Name: "match-01", Type: "m1.large", Image: "img", Zone: "az1", RunState: "ACTIVE", SecurityGroups: []string{"game", "default"}, Tags: map[string]string{"service": "match"}},
		{ID: "i2", Name: "match-02", Type: "m1.large", Image: "img", Zone: "az2", RunState: "SHUTOFF", SecurityGroups: []string{"default"}, Tags: map[string]string{"service": "other"}},
	}}
	return s
}

func (s *sky) judge() Judgement {
	return JudgeCloud(CloudCase{Cloud: &s.cloud, Instances: s.instances, Policies: &s.policies, Readable: func(t fleet.TableID) bool { return !slices.Contains(s.unread, t) }})
}

func (s *sky) was(facet, value string) {
	s.cloud.Docket = Note(s.cloud.Docket, fleet.Former{Facet: facet, Value: value, At: t0})
}

func TestJudgeCloud(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(s *sky)
		want string
	}{
		{"as declared", func(*sky) {}, ""},
		{"another type", func(s *sky) { s.instances[1].Type = "m1.xlarge" }, "instance i2 type changed warn high intended=m1.large"},
		{"another image, and it was so last week", func(s *sky) { s.instances[0].Image = "new"; s.was("instance i1 image", "img") },
			"instance i1 image changed warn high intended=img last_week=img"},
		{"stopped", func(s *sky) { s.instances[0].RunState = "SHUTOFF" }, "instance i1 state changed warn high intended=ACTIVE"},
		{"what is not declared of it may be anything", func(s *sky) { s.instances[1].RunState, s.instances[1].Zone = "ACTIVE", "az9" }, ""},
		{"another group", func(s *sky) { s.instances[0].SecurityGroups = []string{"default"} }, "instance i1 groups changed warn high intended=default game"},
		{"groups that are not visible", func(s *sky) { s.instances[0].SecurityGroups = nil }, ""},
		{"gone", func(s *sky) { s.instances = s.instances[1:] }, "instance i1 missing warn high intended=match-01"},
		{"made by hand", func(s *sky) { s.instances = append(s.instances, &fleet.Instance{ID: "i3", Name: "by-hand"}) },
			"instance i3 unmanaged warn high intended="},
		{"made by hand where the tool makes a part only", func(s *sky) {
			s.cloud.Spec.Declared.Whole = false
			s.instances = append(s.instances, &fleet.Instance{ID: "i3", Name: "by-hand"})
		}, ""},
		{"a rule more", func(s *sky) {
			g := &s.cloud.Groups[0]
			g.Rules = append(g.Rules, fleet.SecurityRule{Direction: "ingress", Family: "ipv4", Protocol: "tcp", PortMin: fleet.Int(3389), PortMax: fleet.Int(3389)})
		}, "group g1 rules changed warn high intended=ingress tcp 22 from 10.0.0.0/8"},
		{"a group that is gone", func(s *sky) { s.cloud.Groups = nil }, "group g1 missing warn high intended=game"},
		{"nothing declared, changed within a week", func(s *sky) { s.cloud.Spec.Declared = nil; s.was("instance i2 type", "m1.small") },
			"instance i2 type changed info low last_week=m1.small"},
		{"as declared now, whatever it was", func(s *sky) { s.was("instance i2 type", "m1.small") }, ""},
		{"not of this cloud's policy", func(s *sky) {
			s.instances[1].Type = "m1.xlarge"
			s.policies.Facets = []fleet.FacetPolicy{{Facet: "instance * type", Mode: fleet.ModeIgnored, Select: map[string]string{"cloud": "other"}}}
		}, "instance i2 type changed warn high intended=m1.large"},
		{"a policy for devices", func(s *sky) {
			s.instances[1].Type = "m1.xlarge"
			s.policies.Facets = []fleet.FacetPolicy{{Facet: "*", Mode: fleet.ModeIgnored, Select: map[string]string{"kind": "server"}}}
		}, "instance i2 type changed warn high intended=m1.large"},
		{"ignored", func(s *sky) {
			s.instances[1].Type = "m1.xlarge"
			s.policies.Facets = []fleet.FacetPolicy{{Facet: "instance * type", Mode: fleet.ModeIgnored, Select: map[string]string{"cloud": "stack"}}}
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSky()
			c.set(s)
			if got := told(s.judge()); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestTextsOfClouds(t *testing.T) {
	s := newSky()
	s.instances[1].Type = "m1.xlarge"
	g := &s.cloud.Groups[0]
	g.Rules = append(g.Rules[:2:2], fleet.SecurityRule{Direction: "ingress", Family: "ipv6", Protocol: "udp", PortMin: fleet.Int(27000), PortMax: fleet.Int(27100), Remote: "::/0"})
	var texts []string
	for _, l := range s.judge().Looks {
		if l.Found != nil {
			texts = append(texts, l.Found.Text)
		}
	}
	want := "match-02 type is m1.xlarge: intended m1.large|security group game: new ingress udp 27000-27100 from anywhere (ipv6), gone ingress tcp 22 from 10.0.0.0/8"
	if got := strings.Join(texts, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestWhoChangedAnInstance: where the provider tells, a finding names them.
func TestWhoChangedAnInstance(t *testing.T) {
	s := newSky()
	s.instances[1].Type, s.instances[1].ChangedBy, s.instances[1].ChangedAt = "m1.xlarge", "eve (resize)", t0
	s.instances[1].RunState = "SHUTOFF" // not hers
	for _, l := range s.judge().Looks {
		if l.Found != nil && l.Found.Who != "eve (resize) at "+t0.Format("2006-01-02 15:04Z") {
			t.Errorf("%s by %q", l.Facet, l.Found.Who)
		}
	}
}

// TestCloudsReadInPartSayNothing holds for both tables that without them
// nothing new is found and nothing that stood is over.
func TestCloudsReadInPartSayNothing(t *testing.T) {
	spoil := func(s *sky) {
		s.instances = append(s.instances[1:], &fleet.Instance{ID: "i3", Name: "by-hand"})
		s.instances[0].Type = "m1.xlarge"
		s.cloud.Groups[0].Rules = nil
	}
	s := newSky()
	spoil(s)
	whole := Settle(nil, "stack", s.judge(), t0)
	if len(whole.Begun) != 4 {
		t.Fatalf("%d of 4 found: %s", len(whole.Begun), told(s.judge()))
	}
	for _, c := range []struct {
		unread fleet.TableID
		finds  int
	}{{fleet.TableInstances, 1}, {fleet.TableSecurityGroups, 3}} {
		s := newSky()
		spoil(s)
		s.unread = []fleet.TableID{c.unread}
		first := Settle(nil, "stack", s.judge(), t0)
		if len(first.Begun) != c.finds || first.Docket.Blind == 0 {
			t.Errorf("%v unread: %d found, want %d; blind to %d", c.unread, len(first.Begun), c.finds, first.Docket.Blind)
		}
		healed := newSky()
		healed.unread, healed.cloud.Docket = s.unread, whole.Docket
		if after := Settle(whole.Docket, "stack", healed.judge(), t0); len(after.Ended) != 4-(4-c.finds) {
			t.Errorf("%v unread: %v are over, want %d", c.unread, names(after.Ended), c.finds)
		}
	}
}

func TestNoteInstance(t *testing.T) {
	was := fleet.Instance{ID: "i1", Type: "small", RunState: "ACTIVE", Zone: "", SecurityGroups: []string{"a", "b"}, Tags: map[string]string{"x": "1"}}
	is := fleet.Instance{ID: "i1", Type: "large", RunState: "SHUTOFF", Zone: "az1", SecurityGroups: []string{"b", "a"}, Tags: map[string]string{"x": "2"}}
	var got []string
	NoteInstance(&was, &is, func(facet, value string) { got = append(got, facet+" was "+value) })
	if want := "instance i1 type was small, instance i1 tags was x=1"; strings.Join(got, ", ") != want {
		t.Errorf("noted %v, want %s", got, want)
	}
}

// TestLongValuesDiffer holds that what is cut is still told from what differs
// behind the cut.
func TestLongValuesDiffer(t *testing.T) {
	long := strings.Repeat("x", longest)
	if a, b := bounded(long+"a"), bounded(long+"b"); a == b || len(a) > longest+60 {
		t.Errorf("%d bytes, alike: %v", len(a), a == b)
	}
}
