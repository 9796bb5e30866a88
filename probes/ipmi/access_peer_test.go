package ipmi

import (
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"plumb/fleet"
)

// The sim leaves cipher 0, a user without name and password and 1.5 sessions
// without a password open on purpose: all three are seen, and all else is what
// ipmitool says. A null user without a password counts as anonymous (table
// 22-15): the bit of null users is for those that have one.
func TestPeerDoors(t *testing.T) {
	s := startSim(t, 27210)
	b := s.probe("ADMIN", "ADMIN")
	o := well(t, look(t, b, fleet.LaneSlow))
	if o.Tables[fleet.TableFacts] != fleet.Complete {
		t.Errorf("facts are %v", o.Tables[fleet.TableFacts])
	}
	for fact, want := range map[string]string{
		"bmc.auth.v15": "yes", "bmc.auth.types": "none md2 md5 password", "bmc.auth.anonymous": "yes", "bmc.auth.null_user": "no",
		"bmc.auth.kg": "unset", "bmc.sees.users": "yes", "bmc.sees.lan": "yes", "bmc.user.1": `"" user enabled lan`,
		"bmc.users.enabled": "3", "bmc.users.admins": "1",
	} {
		if got := o.Facts.Get(fact); got != want {
			t.Errorf("%s is %q, want %q", fact, got, want)
		}
	}
	s.sameSuites(o)
	s.sameUsers(o)
	s.sameLAN(o)
	per := regexp.MustCompile(`Per-message Auth *: (\w+)`).FindStringSubmatch(s.tool("channel", "info", "1"))
	if per == nil || (per[1] == "enabled") != (o.Facts.Get("bmc.auth.per_message") == "yes") {
		t.Errorf("per message: %q; ipmitool: %q", o.Facts.Get("bmc.auth.per_message"), per)
	}
	sent := b.sent.Load()
	again := well(t, look(t, b, fleet.LaneSlow))
	t.Logf("a slow poll of %d sensors, 63 slots: %d datagrams", len(again.Sensors), b.sent.Load()-sent)
	if got, want := accessOf(again), accessOf(o); !maps.Equal(got, want) {
		t.Errorf("the second look: %v\nthe first: %v", got, want)
	}
}

func (s *sim) sameSuites(o *fleet.Observation) {
	s.t.Helper()
	ours := strings.Fields(o.Facts.Get("bmc.ciphers"))
	if !slices.Contains(ours, "0") || !slices.Contains(ours, "3") {
		s.t.Errorf("suites %q: 0 and 3 are offered", ours)
	}
	for _, m := range regexp.MustCompile(`(?m)^(\d+) +N/A`).FindAllStringSubmatch(s.tool("channel", "getciphers", "ipmi"), -1) {
		if !slices.Contains(ours, m[1]) {
			s.t.Errorf("suites %q, ipmitool lists %s", ours, m[1])
		}
	}
}

// sameUsers compares every named user. ipmitool's columns are Callin, Link
// Auth, IPMI Msg and the limit.
func (s *sim) sameUsers(o *fleet.Observation) {
	s.t.Helper()
	rows := regexp.MustCompile(`(?m)^(\d+) +(\w+) +(true|false) +(true|false) +(true|false) +(\w+)$`).FindAllStringSubmatch(s.tool("user", "list", "1"), -1)
	if len(rows) != 3 {
		s.t.Fatalf("ipmitool lists %d named users", len(rows))
	}
	for _, r := range rows {
		want := r[2] + " " + strings.ToLower(r[6]) + " " + word(r[5] == "true", "enabled lan", "disabled nolan")
		if got := o.Facts.Get("bmc.user." + r[1]); got != want {
			s.t.Errorf("user %s is %q, ipmitool %q", r[1], got, want)
		}
	}
	n := 0
	for _, f := range o.Facts {
		if strings.HasPrefix(f.Name, "bmc.user.") {
			n++
		}
	}
	if n != len(rows)+1 {
		s.t.Errorf("%d users, ipmitool has %d named ones and the null user", n, len(rows))
	}
}

func (s *sim) sameLAN(o *fleet.Observation) {
	s.t.Helper()
	out := s.tool("lan", "print", "1")
	said := func(label string) string {
		m := regexp.MustCompile(`(?m)^` + label + ` *: (.*)$`).FindStringSubmatch(out)
		if m == nil {
			s.t.Errorf("ipmitool says no %q", label)
			return ""
		}
		return strings.TrimSpace(m[1])
	}
	for fact, label := range map[string]string{"address": "IP Address", "netmask": "Subnet Mask", "gateway": "Default Gateway IP"} {
		if got, want := o.Facts.Get("bmc.lan."+fact), said(label); got != want {
			s.t.Errorf("%s is %q, ipmitool %q", fact, got, want)
		}
	}
	if got, want := o.Facts.Get("bmc.lan.source"), said("IP Address Source"); !strings.HasPrefix(strings.ToLower(want), got) || got == "" {
		s.t.Errorf("source is %q, ipmitool %q", got, want)
	}
	if got, want := o.Facts.Get("bmc.lan.vlan"), said("802.1q VLAN ID"); got != "off" || want != "Disabled" {
		s.t.Errorf("vlan is %q, ipmitool %q", got, want)
	}
	letters := map[string]string{"X": "unspecified", "c": "callback", "u": "user", "o": "operator", "a": "administrator", "O": "oem"}
	ids, limits := strings.Split(said(`RMCP\+ Cipher Suites`), ","), said("Cipher Suite Priv Max")
	var want []string
	for i, id := range ids {
		if i < len(limits) {
			want = append(want, id+"="+letters[limits[i:i+1]])
		}
	}
	if got := o.Facts.Get("bmc.lan.cipher_privileges"); got != strings.Join(want, " ") {
		s.t.Errorf("cipher privileges %q, ipmitool %q", got, want)
	}
}

// As USER both are refused by a BMC in C, to us as to ipmitool. The sim grants
// OPERATOR to any account that asks, so the role is set here.
func TestPeerDoorsAsUser(t *testing.T) {
	s := startSim(t, 27212)
	b := s.probe("mon", "monpw")
	b.role = privUser
	o := well(t, look(t, b, fleet.LaneSlow))
	for _, fact := range []string{"bmc.sees.users", "bmc.sees.lan"} {
		if got := o.Facts.Get(fact); got != "denied" {
			t.Errorf("%s is %q", fact, got)
		}
	}
	for _, f := range o.Facts {
		if strings.HasPrefix(f.Name, "bmc.user") || strings.HasPrefix(f.Name, "bmc.lan.") {
			t.Errorf("%s = %q was not ours to see", f.Name, f.Value)
		}
	}
	if o.Facts.Get("bmc.ciphers") == "" || o.Facts.Get("bmc.auth.types") == "" || o.Tables[fleet.TableFacts] != fleet.Complete {
		t.Errorf("the outside is not seen: %v, facts %v", accessOf(o), o.Tables[fleet.TableFacts])
	}
	out, err := exec.Command("ipmitool", "-I", "lanplus", "-C", "3", "-L", "USER", "-H", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "mon", "-P", "monpw", "raw", "6", "0x44", "0xe", "1").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "rsp=0xd4") {
		t.Errorf("ipmitool as USER: %v\n%s", err, out)
	}
}
