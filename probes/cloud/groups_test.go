package cloud

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"plumb/fleet"
	sim "plumb/probes/sim/openstack"
)

func TestSecurityGroups(t *testing.T) {
	w := newWorld(1, 2)
	id := uuid(5, 1)
	w.Change(func(r *sim.Region) {
		r.Rules = []sim.SecurityGroup{{ID: id, Name: "game\x1b[2J", ProjectID: sim.ProjectID("admin"), Rules: []sim.Rule{
			{ID: uuid(6, 1), Ingress: true, Protocol: "UDP", PortMin: 27000, PortMax: 27099, Remote: "0.0.0.0/0"},
			{ID: uuid(6, 2), Ingress: true, IPv6: true, RemoteGroup: id},
			{ID: uuid(6, 3), Protocol: "6"},
		}}}
		r.Servers[0].Groups = []string{"web", "default", "web"}
		r.Servers[0].ProjectID = sim.ProjectID("other")
	})
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	obs := observe(t, o, fleet.LaneTables)
	want := []fleet.SecurityGroup{{ID: id, Name: "game[2J", Project: sim.ProjectID("admin"), Rules: []fleet.SecurityRule{
		{ID: uuid(6, 1), Direction: "ingress", Family: "ipv4", Protocol: "udp", PortMin: fleet.Int(27000), PortMax: fleet.Int(27099), Remote: "0.0.0.0/0"},
		{ID: uuid(6, 2), Direction: "ingress", Family: "ipv6", Remote: id},
		{ID: uuid(6, 3), Direction: "egress", Family: "ipv4", Protocol: "tcp"},
	}}}
	if fmt.Sprint(obs.SecurityGroups) != fmt.Sprint(want) || obs.Facts.Get("sees.security_groups") != "seen" || obs.Err != nil {
		t.Errorf("%v\n%v, want\n%v", obs.Err, obs.SecurityGroups, want)
	}
	if got := instance(t, obs, uuid(1, 0)).SecurityGroups; !slices.Equal(got, []string{"default", "web"}) {
		t.Errorf("groups of the server %q", got)
	}
	if got := instance(t, obs, uuid(1, 0)).Project; got != sim.ProjectID("other") {
		t.Errorf("project of the server %q", got)
	}
	if got := instance(t, obs, uuid(1, 1)).SecurityGroups; got != nil {
		t.Errorf("groups of a server that has none: %q", got)
	}
	if _, named := observe(t, o, fleet.LaneFast).Tables[fleet.TableSecurityGroups]; named {
		t.Error("a fast look names security groups, which it did not ask for")
	}
}

// TestSecurityGroupPages: more groups than Neutron puts on a page.
func TestSecurityGroupPages(t *testing.T) {
	w := newWorld(1, 0)
	w.Change(func(r *sim.Region) {
		for i := range 1201 {
			r.Rules = append(r.Rules, sim.SecurityGroup{ID: uuid(5, i), Name: "g", ProjectID: sim.ProjectID("admin")})
		}
	})
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	obs := observe(t, o, fleet.LaneTables)
	if n := w.count("network/v2.0/security-groups"); len(obs.SecurityGroups) != 1201 || n != 3 || obs.Tables[fleet.TableSecurityGroups] != fleet.Complete {
		t.Errorf("%d groups in %d requests, %v", len(obs.SecurityGroups), n, obs.Tables)
	}
}

// TestSecurityGroupsNotVisible: not in the catalog, denied, and broken are
// three things, and none of them is an empty list.
func TestSecurityGroupsNotVisible(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(*OpenStack, *world)
		sees  string
		is    fleet.Completeness
		fails bool
	}{
		{"no network in the catalog", func(o *OpenStack, _ *world) { o.session.network = nil }, "unsupported", fleet.NotAsked, false},
		{"denied", func(_ *OpenStack, w *world) { w.breakWith(network(sim.Fault{Status: http.StatusForbidden})) }, "denied", fleet.Failed, false},
		{"broken", func(_ *OpenStack, w *world) { w.breakWith(network(sim.Fault{Status: http.StatusInternalServerError})) }, "stale", fleet.Failed, true},
		{"no list", func(_ *OpenStack, w *world) { w.breakWith(network(sim.Fault{Body: []byte(`{"security_groups": {}}`)})) }, "stale", fleet.Failed, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(1, 1)
			o := probe(t, config(serve(t, w).AuthURL(), "admin"))
			observe(t, o, fleet.LaneSlow)
			c.set(o, w)
			obs := observe(t, o, fleet.LaneSlow)
			if got := obs.Facts.Get("sees.security_groups"); got != c.sees || obs.Tables[fleet.TableSecurityGroups] != c.is || (obs.Err != nil) != c.fails || len(obs.SecurityGroups) != 0 {
				t.Errorf("sees %q, table %v, error %v", got, obs.Tables[fleet.TableSecurityGroups], obs.Err)
			}
			if len(obs.Instances) != 1 {
				t.Error("the servers went with the groups")
			}
		})
	}
}

func network(f sim.Fault) func(sim.Call) sim.Fault {
	return func(c sim.Call) sim.Fault {
		if c.Service == "network" {
			return f
		}
		return sim.Fault{}
	}
}

// TestSecurityGroupHostile: a row that makes no sense costs that row, rules are
// bounded, and either is said.
func TestSecurityGroupHostile(t *testing.T) {
	rule := `{"id": "r", "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp"}`
	many := strings.Repeat(rule+",", maxRules) + rule
	w := newWorld(1, 0)
	w.breakWith(network(sim.Fault{Body: []byte(`{"security_groups": [7, {"name": "no id"}, {"id": "a b\u0007"}, {"id": "g", "security_group_rules": [` + many + `]}]}`)}))
	obs := observe(t, probe(t, config(serve(t, w).AuthURL(), "admin")), fleet.LaneTables)
	if len(obs.SecurityGroups) != 1 || len(obs.SecurityGroups[0].Rules) != maxRules || obs.Tables[fleet.TableSecurityGroups] != fleet.Partial {
		t.Errorf("%d groups, %v", len(obs.SecurityGroups), obs.Tables)
	}
}

// TestNetworkEndpoint: catalogs name Neutron's root or its version.
func TestNetworkEndpoint(t *testing.T) {
	w := newWorld(1, 0)
	o := probe(t, config(serve(t, w).AuthURL(), "admin"))
	observe(t, o, fleet.LaneTables)
	at := o.session.network.Endpoint
	if again := networkClient(o.session.network).Endpoint; again != at || !strings.HasSuffix(at, "/v2.0/") {
		t.Errorf("%q, then %q", at, again)
	}
	if networkClient(nil) != nil {
		t.Error("a client without a catalog entry")
	}
}

// TestServerGroupsBeyondTheLimit: Nova cuts the list of server groups without a
// word, and an instance in the last one has its group all the same.
func TestServerGroupsBeyondTheLimit(t *testing.T) {
	for _, c := range []struct{ groups, requests int }{{1, 1}, {99, 1}, {1000, 2}, {2050, 3}} {
		w := newWorld(1, 1)
		w.Change(func(r *sim.Region) {
			r.Groups = nil
			for i := range c.groups {
				g := sim.Group{ID: uuid(3, i), Name: fmt.Sprintf("g%d", i), Policy: "affinity", ProjectID: sim.ProjectID("admin")}
				if i == c.groups-1 {
					g.Members = []string{uuid(1, 0)}
				}
				r.Groups = append(r.Groups, g)
			}
		})
		obs := observe(t, probe(t, config(serve(t, w).AuthURL(), "admin")), fleet.LaneTables)
		if got, want := instance(t, obs, uuid(1, 0)).PlacementGroup, fmt.Sprintf("g%d", c.groups-1); got != want || obs.Err != nil {
			t.Errorf("%d groups: %q, want %q, %v", c.groups, got, want, obs.Err)
		}
		if n := w.count("compute/v2.1/os-server-groups"); n != c.requests {
			t.Errorf("%d groups cost %d requests, want %d", c.groups, n, c.requests)
		}
	}
}
