package security

import (
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

func bmc(facts map[string]string) *fleet.Device {
	d := &fleet.Device{Spec: &fleet.DeviceSpec{ID: "s1", Kind: fleet.KindServer, Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI}, {Source: fleet.SourceSNMP}}}}
	for _, e := range d.Spec.Endpoints {
		d.Sources = append(d.Sources, fleet.SourceState{Source: e.Source, Facts: fleet.Complete, FactsAt: now})
	}
	for k, v := range facts {
		d.Facts.Set(k, v)
	}
	if facts["bmc.ciphers"] != "" {
		d.Attached, d.AttachedAt = &fleet.Attached{BMC: fleet.Sighting{Switch: "sw", Port: "Ethernet32", VLAN: 900}}, now
	}
	return d
}

var now = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// scene is one minute after everything was read.
func scene(p *fleet.Policies) *Scene {
	return &Scene{Now: now.Add(time.Minute), Intervals: [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute}, Policies: p,
		Cohorts: map[string]fleet.Tally{SiteKey(""): {factBMC: {"900": 10}}}}
}

// fine is a device with nothing wrong and everything visible.
func fine() map[string]string {
	return map[string]string{
		"bmc.ciphers": "3 17", "bmc.auth.v15": "no", "bmc.auth.null_user": "no", "bmc.auth.anonymous": "no", "bmc.sees.users": "yes",
		"bmc.user.2": "ann administrator enabled lan", "bmc.user.7": "bob administrator enabled lan", "bmc.user.3": "root administrator disabled lan", "bmc.user.4": "ADMIN user enabled nolan",
		"snmp.access": "v3 authPriv", "snmp.auth": "SHA-256", "snmp.priv": "AES", "snmp.community": "own", "snmp.write": "v3",
	}
}

// others is how many checks are not about a server: those of switches and of
// segments that nobody named, and those of a version of SNMP that it is not
// spoken to in.
func others(facts map[string]string) int {
	switch access := facts["snmp.access"]; {
	case access == "":
		return 2
	case access == "v2c":
		return 2 + 2
	}
	return 2 + 1
}

// TestEachCheckFinds changes one fact of a device in order at a time.
func TestEachCheckFinds(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range []struct{ fact, value, check, observed string }{
		{"bmc.ciphers", "0 3 17", "ipmi.cipher0", "0"},
		{"bmc.ciphers", "3 10 17", "", ""}, // 10 holds a 1 and a 0, and is neither
		{"bmc.ciphers", "1 3 8", "ipmi.weak-suite", "1 8"},
		{"bmc.auth.v15", "yes", "ipmi.v15", "yes"},
		{"bmc.auth.null_user", "yes", "ipmi.null-user", "yes"},
		{"bmc.user.1", `"" user enabled lan`, "ipmi.null-user", "user 1"},
		{"bmc.user.1", `"" user disabled lan`, "", ""},
		{"bmc.auth.anonymous", "yes", "ipmi.anonymous", "yes"},
		{"bmc.user.3", "root user enabled lan", "ipmi.default-name", "root"},
		{"bmc.user.5", "not root user enabled lan", "", ""}, // a name with a blank
		{"bmc.user.6", "eve administrator enabled lan", "ipmi.admins", "3"},
		{"bmc.user.6", "eve administrator disabled lan", "", ""},
		{"bmc.user.6", "eve administrator enabled nolan", "", ""},
		{"snmp.community", "default", "snmp.default-community", "default"},
		{"snmp.write", "v2c", "snmp.v2c-write", "v2c"},
		{"snmp.access", "v3 noAuthNoPriv", "snmp.noauth", "v3 noAuthNoPriv"},
		{"snmp.auth", "MD5", "snmp.weak-crypto", "MD5"},
		{"snmp.priv", "DES", "snmp.weak-crypto", "DES"},
	} {
		facts := fine()
		facts[c.fact] = c.value
		if c.fact == "snmp.community" {
			facts["snmp.access"] = "v2c"
		}
		looks, looked, blind := Judge(bmc(facts), scene(nil))
		var found []string
		for _, l := range looks {
			if l.Found != nil {
				found = append(found, l.Facet)
				tried[l.Facet] = true
				if l.Found.Observed != c.observed || l.Found.Fix == "" || l.Found.Evidence == "" {
					t.Errorf("%s=%q: %+v", c.fact, c.value, l.Found)
				}
			}
		}
		want := []string{c.check}
		if c.check == "" {
			want = nil
		}
		if !slices.Equal(found, want) || looked != len(Checks)-others(facts) || blind != 0 {
			t.Errorf("%s=%q: found %v, want %v; looked at %d, blind to %d", c.fact, c.value, found, want, looked, blind)
		}
	}
	for _, c := range Checks {
		if !tried[c.ID] && c.all == nil {
			t.Errorf("no case finds %s", c.ID)
		}
	}
}

// TestUnreadIsNeverPassed holds that what could not be read is known neither as
// found nor as in order.
func TestUnreadIsNeverPassed(t *testing.T) {
	part, old, failed := bmc(fine()), bmc(fine()), bmc(fine())
	for i := range part.Sources {
		part.Sources[i].Facts = fleet.Partial
		old.Sources[i].FactsAt = now.Add(-10 * time.Minute)
		failed.Sources[i] = fleet.SourceState{Source: failed.Sources[i].Source}
	}
	for name, d := range map[string]*fleet.Device{"nothing read": bmc(nil), "read in part": part, "read long ago": old, "never read to the end": failed,
		"users denied": bmc(map[string]string{"bmc.sees.users": "denied"})} {
		looks, looked, blind := Judge(d, scene(nil))
		if looked != blind || looked != len(Checks)-others(map[string]string{"snmp.access": d.Facts.Get("snmp.access")}) {
			t.Errorf("%s: looked at %d, blind to %d", name, looked, blind)
		}
		for _, l := range looks {
			if l.Known || l.Found != nil {
				t.Errorf("%s: %+v", name, l)
			}
		}
	}
}

// TestHalfAListNeverPasses holds that a user list which was shown in part finds
// what it shows, and clears nothing; and that one which is denied finds nothing
// of what it held when it was not.
func TestHalfAListNeverPasses(t *testing.T) {
	const passed, found, unseen = "passed", "found", "not visible"
	for _, c := range []struct {
		sees, null, user       string
		nameless, factory, adm string
	}{
		{"yes", "no", "", passed, passed, passed},
		{"yes", "", "", passed, passed, passed},
		{"partial", "no", "", passed, unseen, unseen}, // the BMC's own no is of all users
		{"partial", "", "", unseen, unseen, unseen},
		{"partial", "yes", "", found, unseen, unseen},
		{"partial", "", `"" user enabled lan`, found, unseen, unseen},
		{"partial", "no", `"" user enabled lan`, found, unseen, unseen}, // its list says otherwise
		{"partial", "no", "root user enabled lan", passed, found, unseen},
		{"partial", "no", "eve administrator enabled lan", passed, unseen, found},
		{"denied", "no", "root administrator enabled lan", passed, unseen, unseen},
		{"denied", "", "root administrator enabled lan", unseen, unseen, unseen},
		{"", "", "", unseen, unseen, unseen},
	} {
		facts := fine()
		facts["bmc.sees.users"], facts["bmc.auth.null_user"], facts["bmc.user.9"] = c.sees, c.null, c.user
		looks, _, _ := Judge(bmc(facts), scene(nil))
		for check, want := range map[string]string{"ipmi.null-user": c.nameless, "ipmi.default-name": c.factory, "ipmi.admins": c.adm} {
			i := slices.IndexFunc(looks, func(l fleet.Look) bool { return l.Facet == check })
			is := passed
			switch {
			case i < 0 || !looks[i].Known:
				is = unseen
			case looks[i].Found != nil:
				is = found
			}
			if is != want {
				t.Errorf("list %q, null user %q, %q: %s is %s, want %s", c.sees, c.null, c.user, check, is, want)
			}
		}
	}
}

func TestPolicies(t *testing.T) {
	facts := fine()
	facts["bmc.ciphers"], facts["bmc.user.8"], facts["bmc.user.9"] = "0", "eve administrator enabled lan", "joe administrator enabled lan"
	p := &fleet.Policies{AdminUsers: 4, Checks: map[string]fleet.CheckPolicy{"ipmi.cipher0": {Severity: fleet.SeverityInfo, Graded: true}, "ipmi.v15": {Off: true}}}
	looks, looked, _ := Judge(bmc(facts), scene(p))
	if looked != len(Checks)-others(facts)-1 {
		t.Errorf("looked at %d: one is off", looked)
	}
	for _, l := range looks {
		switch {
		case l.Facet == "ipmi.cipher0" && (l.Found == nil || l.Found.Severity != fleet.SeverityInfo):
			t.Errorf("not regraded: %+v", l.Found)
		case l.Facet != "ipmi.cipher0" && l.Found != nil:
			t.Errorf("%s is within the policy: %+v", l.Facet, l.Found)
		}
	}
}

// TestEachWireIsReadByItself holds that what SNMP told lately makes nothing of
// what the BMC told long ago.
func TestEachWireIsReadByItself(t *testing.T) {
	d := bmc(fine())
	d.Sources[0].FactsAt = now.Add(-time.Hour)
	looks, _, _ := Judge(d, scene(nil))
	for _, l := range looks {
		if l.Known != strings.HasPrefix(l.Facet, "snmp.") {
			t.Errorf("%+v", l)
		}
	}
}

// TestADoorThatIsNotThere holds that a device is judged by the SNMP it is spoken
// to in, and that what is not known is not passed.
func TestADoorThatIsNotThere(t *testing.T) {
	for _, c := range []struct{ access, write, passed, unseen string }{
		{"v2c", "", "snmp.default-community", ""},
		{"v2c", "v3", "snmp.default-community snmp.v2c-write", ""},
		{"v3 authPriv", "", "snmp.noauth snmp.weak-crypto", ""},
		{"v3 authPriv", "v3", "snmp.noauth snmp.v2c-write snmp.weak-crypto", ""},
		{"", "", "", "snmp.default-community snmp.noauth snmp.v2c-write snmp.weak-crypto"},
	} {
		facts := fine()
		facts["snmp.access"], facts["snmp.write"] = c.access, c.write
		if c.access == "" {
			facts["snmp.community"], facts["snmp.auth"], facts["snmp.priv"] = "", "", ""
		}
		d := bmc(facts)
		d.Spec.Endpoints = d.Spec.Endpoints[1:]
		looks, _, _ := Judge(d, scene(nil))
		var passed, unseen []string
		for _, l := range looks {
			if l.Known && l.Found == nil {
				passed = append(passed, l.Facet)
			} else {
				unseen = append(unseen, l.Facet)
			}
		}
		slices.Sort(passed)
		slices.Sort(unseen)
		if got := strings.Join(passed, " "); got != c.passed {
			t.Errorf("%q, writes %q: passed %q, want %q", c.access, c.write, got, c.passed)
		}
		if got := strings.Join(unseen, " "); got != c.unseen {
			t.Errorf("%q, writes %q: not visible or found %q, want %q", c.access, c.write, got, c.unseen)
		}
	}
}

// TestOtherWiresAreNotAskedFor holds that a switch has no doors of a BMC.
func TestOtherWiresAreNotAskedFor(t *testing.T) {
	d := bmc(fine())
	d.Spec.Endpoints = d.Spec.Endpoints[1:]
	looks, _, _ := Judge(d, scene(nil))
	for _, l := range looks {
		if l.Facet[:4] == "ipmi" {
			t.Errorf("%s of a device without a BMC", l.Facet)
		}
	}
}
