package security

import (
	"slices"
	"strings"

	"plumb/fleet"
)

// weakSuites are cipher suites of IPMI 2.0 (table 22-20) without
// confidentiality, without integrity, or with MD5.
var weakSuites = []string{"1", "2", "6", "7", "8", "11"}

// ipmiChecks are those of BMCs, in the order in which they are listed.
var ipmiChecks = []Check{
	{ID: "ipmi.cipher0", Title: "cipher suite 0 is offered", Severity: fleet.SeverityCrit, How: "the BMC's list of cipher suites", Fix: "disable suite 0: ipmitool lan set CHANNEL cipher_privs X...",
		sees: told("bmc.ciphers"), at: doorsAt, look: func(v *view) (string, string) {
			if slices.Contains(strings.Fields(v.fact("bmc.ciphers")), "0") {
				return "0", "cipher suite 0 is offered: anybody who knows a user's name is let in without a password"
			}
			return "", ""
		}},
	{ID: "ipmi.weak-suite", Title: "weak cipher suites are offered", Severity: fleet.SeverityWarn, How: "the BMC's list of cipher suites", Fix: "leave suites 3 and 17, better 17 alone",
		sees: told("bmc.ciphers"), at: doorsAt, look: func(v *view) (string, string) {
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
	{ID: "ipmi.v15", Title: "IPMI 1.5 sessions are allowed", Severity: fleet.SeverityWarn, How: "what the BMC says before a session", Fix: "disable IPMI 1.5 or all of its authentication types",
		sees: told("bmc.auth.v15"), at: doorsAt, look: yes("bmc.auth.v15", "sessions of IPMI 1.5 are allowed: their authentication is weak and nothing is encrypted")},
	{ID: "ipmi.null-user", Title: "a nameless user may log in with a password", Severity: fleet.SeverityCrit, How: "what the BMC says before a session, and its users", Fix: "disable user 1, or give it a name and a password",
		sees: seesNull, look: nullUser},
	{ID: "ipmi.anonymous", Title: "anybody may log in without name and password", Severity: fleet.SeverityCrit, How: "what the BMC says before a session", Fix: "disable the nameless user without a password",
		sees: told("bmc.auth.anonymous"), at: doorsAt, look: yes("bmc.auth.anonymous", "a user without name and password may log in")},
	{ID: "ipmi.default-name", Title: "a factory account is enabled", Severity: fleet.SeverityWarn, How: "the BMC's users", Fix: "disable it, or rename it and give it a password of your own",
		sees: seesUsers, look: factoryUser},
	{ID: "ipmi.admins", Title: "more administrators than intended", Severity: fleet.SeverityWarn, How: "the BMC's users", Fix: "lower their privilege, or raise policies.admin_users",
		sees: seesUsers, look: admins},
}
