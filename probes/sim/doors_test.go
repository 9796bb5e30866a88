package sim

import (
	"strings"
	"testing"

	"plumb/fleet"
)

// doors are the facts of a BMC's doors, as the ordinary probe reads them.
func doors(o *fleet.Observation) map[string]string {
	m := map[string]string{}
	for _, x := range o.Facts {
		for _, p := range []string{"bmc.auth.", "bmc.cipher", "bmc.user", "bmc.lan.", "bmc.sees."} {
			if strings.HasPrefix(x.Name, p) {
				m[x.Name] = x.Value
			}
		}
	}
	return m
}

// A healthy fleet has shut doors, and each fault opens one that is then seen
// over the wire.
func TestDoorsOverTheWire(t *testing.T) {
	f := startFleet(t, Options{Racks: 1, Fault: "default-user@fra1-r01-s02,cipher-zero@fra1-r01-s03"})
	var ask []probe
	for _, p := range f.probes(t) {
		if strings.HasPrefix(p.target, "fra1-r01-s") && !strings.HasPrefix(p.target, "fra1-r01-sw") {
			ask = append(ask, p)
		} else {
			_ = p.Close()
		}
	}
	seen := observeAll(t, ask, fleet.LaneSlow)
	for i := range f.World.Servers {
		sv := &f.World.Servers[i]
		o := seen[sv.Name]
		if o == nil || o.Err != nil || o.Tables[fleet.TableFacts] != fleet.Complete {
			t.Errorf("%s: %+v", sv.Name, o)
			continue
		}
		want := map[string]string{
			"bmc.auth.v15": "no", "bmc.auth.types": "-", "bmc.auth.anonymous": "no", "bmc.auth.null_user": "no", "bmc.auth.per_message": "yes", "bmc.auth.kg": "unset",
			"bmc.ciphers": "3 17", "bmc.sees.users": "yes", "bmc.users.enabled": "2", "bmc.users.admins": "1",
			"bmc.user.2": "plumb operator enabled lan", "bmc.user.3": "plumb-act administrator enabled lan",
			"bmc.sees.lan": "yes", "bmc.lan.source": "static", "bmc.lan.vlan": "off", "bmc.lan.netmask": "255.255.255.0",
			"bmc.lan.address": f.World.BMCLAN(i).Address.String(), "bmc.lan.gateway": f.World.BMCLAN(i).Gateway.String(),
			"bmc.lan.cipher_privileges": "3=administrator 17=administrator",
		}
		switch sv.Name {
		case "fra1-r01-s02":
			want["bmc.user.9"], want["bmc.users.enabled"], want["bmc.users.admins"] = "ADMIN administrator enabled lan", "3", "2"
		case "fra1-r01-s03":
			want["bmc.ciphers"], want["bmc.lan.cipher_privileges"] = "0 3 17", "0=administrator 3=administrator 17=administrator"
		}
		got := doors(o)
		for name, v := range want {
			if got[name] != v {
				t.Errorf("%s: %s is %q, want %q", sv.Name, name, got[name], v)
			}
			delete(got, name)
		}
		if len(got) > 0 {
			t.Errorf("%s: and %v", sv.Name, got)
		}
	}
}
