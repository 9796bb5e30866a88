package security

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// Check is one question about a door.
type Check struct {
	ID       string
	Title    string
	Severity fleet.Severity
	Needs    []string // facts, any of which makes it visible
	How      string   // how it was tried
	Fix      string
	// look says what is wrong, "" where nothing is. observed is what a ruling
	// is held against.
	look func(v *view) (observed, text string)
}

// view is a device as a check sees it.
type view struct {
	d        *fleet.Device
	policies *fleet.Policies
}

func (v *view) fact(name string) string { return v.d.Facts.Get(name) }

// Bounds of the defaults.
const defaultAdmins = 2

// weakSuites are cipher suites of IPMI 2.0 (table 22-20) without
// confidentiality, without integrity, or with MD5.
var weakSuites = []string{"1", "2", "6", "7", "8", "11"}

// factoryNames are accounts that BMCs come with, in lower case.
var factoryNames = []string{"admin", "administrator", "root", "userid", "anonymous"}

// Checks are all checks of devices, in the order in which they are listed.
var Checks = []Check{
	{"ipmi.cipher0", "cipher suite 0 is offered", fleet.SeverityCrit, []string{"bmc.ciphers"}, "the BMC's list of cipher suites", "disable suite 0: ipmitool lan set CHANNEL cipher_privs X...",
		func(v *view) (string, string) {
			if slices.Contains(strings.Fields(v.fact("bmc.ciphers")), "0") {
				return "0", "cipher suite 0 is offered: anybody who knows a user's name is let in without a password"
			}
			return "", ""
		}},
	{"ipmi.weak-suite", "weak cipher suites are offered", fleet.SeverityWarn, []string{"bmc.ciphers"}, "the BMC's list of cipher suites", "leave suites 3 and 17, better 17 alone",
		func(v *view) (string, string) {
			var weak []string
			for _, suite := range strings.Fields(v.fact("bmc.ciphers")) {
				if slices.Contains(weakSuites, suite) {
					weak = append(weak, suite)
				}
			}
			if len(weak) > 0 {
				list := strings.Join(weak, " ")
				return list, "cipher suites without encryption or with MD5 are offered: " + list
			}
			return "", ""
		}},
	{"ipmi.v15", "IPMI 1.5 sessions are allowed", fleet.SeverityWarn, []string{"bmc.auth.v15"}, "what the BMC says before a session", "disable IPMI 1.5 or all of its authentication types",
		yes("bmc.auth.v15", "sessions of IPMI 1.5 are allowed: their authentication is weak and nothing is encrypted")},
	{"ipmi.null-user", "a nameless user may log in", fleet.SeverityCrit, []string{"bmc.auth.null_user", "bmc.sees.users"}, "what the BMC says before a session, and its users", "disable user 1, or give it a name and a password", nullUser},
	{"ipmi.anonymous", "anybody may log in without name and password", fleet.SeverityCrit, []string{"bmc.auth.anonymous"}, "what the BMC says before a session", "disable the nameless user without a password",
		yes("bmc.auth.anonymous", "a user without name and password may log in")},
	{"ipmi.default-name", "a factory account is enabled", fleet.SeverityWarn, []string{"bmc.sees.users"}, "the BMC's users", "disable it, or rename it and give it a password of your own", factoryUser},
	{"ipmi.admins", "more administrators than intended", fleet.SeverityWarn, []string{"bmc.users.admins"}, "the BMC's users", "lower their privilege, or raise policies.admin_users", admins},
	{"snmp.default-community", "the default community answers", fleet.SeverityCrit, []string{"snmp.community"}, "the community that is configured here", "set another community, or use SNMP v3",
		func(v *view) (string, string) {
			if v.fact("snmp.community") == "default" {
				return "default", "it answers to the community public or private"
			}
			return "", ""
		}},
	{"snmp.v2c-write", "writes go by a community in clear", fleet.SeverityWarn, []string{"snmp.access"}, "the credential for actions that is configured here", "act over SNMP v3 with authPriv",
		func(v *view) (string, string) {
			if w := v.fact("snmp.write"); strings.HasPrefix(w, "v2c") || strings.HasPrefix(w, "v1") {
				return w, "writes are allowed to a community that goes over the network in clear"
			}
			return "", ""
		}},
	{"snmp.noauth", "SNMP v3 without authentication", fleet.SeverityCrit, []string{"snmp.access"}, "the access that answered", "give the user an authentication key",
		func(v *view) (string, string) {
			if a := v.fact("snmp.access"); strings.HasSuffix(a, "noAuthNoPriv") {
				return a, "SNMP v3 answers without authentication"
			}
			return "", ""
		}},
	{"snmp.weak-crypto", "SNMP v3 with MD5 or DES", fleet.SeverityWarn, []string{"snmp.access"}, "the access that answered", "use SHA-256 and AES",
		func(v *view) (string, string) {
			var weak []string
			if v.fact("snmp.auth") == "MD5" {
				weak = append(weak, "MD5")
			}
			if v.fact("snmp.priv") == "DES" {
				weak = append(weak, "DES")
			}
			if len(weak) > 0 {
				list := strings.Join(weak, " and ")
				return list, "SNMP v3 uses " + list
			}
			return "", ""
		}},
}

func yes(fact, text string) func(*view) (string, string) {
	return func(v *view) (string, string) {
		if v.fact(fact) == "yes" {
			return "yes", text
		}
		return "", ""
	}
}

// User is a slot of a BMC's user list, as the fact bmc.user.N writes it:
// NAME PRIVILEGE enabled|disabled lan|nolan. A name may hold blanks.
type User struct {
	Slot, Name, Privilege string
	Enabled, LAN          bool
}

// usersOf reads the users of a device off its facts.
func usersOf(d *fleet.Device) []User {
	var out []User
	for _, f := range d.Facts {
		slot, ok := strings.CutPrefix(f.Name, "bmc.user.")
		if !ok {
			continue
		}
		words := strings.Fields(f.Value)
		if len(words) < 3 {
			continue
		}
		n := len(words) - 3
		name := strings.Join(words[:n], " ")
		if name == `""` {
			name = ""
		}
		out = append(out, User{Slot: slot, Name: name, Privilege: words[n], Enabled: words[n+1] == "enabled", LAN: words[n+2] == "lan"})
	}
	return out
}

func nullUser(v *view) (string, string) {
	if v.fact("bmc.auth.null_user") == "yes" {
		return "yes", "a user without a name may log in"
	}
	for _, u := range usersOf(v.d) {
		if u.Enabled && u.LAN && u.Name == "" {
			return "user " + u.Slot, "user " + u.Slot + " has no name and may log in as " + u.Privilege
		}
	}
	return "", ""
}

func factoryUser(v *view) (string, string) {
	var found []string
	for _, u := range usersOf(v.d) {
		if u.Enabled && u.LAN && slices.Contains(factoryNames, strings.ToLower(u.Name)) {
			found = append(found, u.Name)
		}
	}
	if found == nil {
		return "", ""
	}
	slices.Sort(found)
	list := strings.Join(found, " ")
	return list, "accounts with names from the factory are enabled over the network: " + list
}

func admins(v *view) (string, string) {
	most := v.policies.AdminUsers
	if most == 0 {
		most = defaultAdmins
	}
	n, err := strconv.Atoi(v.fact("bmc.users.admins"))
	if err != nil || n <= most {
		return "", ""
	}
	return strconv.Itoa(n), strconv.Itoa(n) + " users are administrators over the network, intended are at most " + strconv.Itoa(most)
}
