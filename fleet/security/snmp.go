package security

import (
	"strings"

	"plumb/fleet"
)

// snmpChecks are those of what speaks SNMP, in the order in which they are
// listed.
var snmpChecks = []Check{
	{ID: "snmp.default-community", Title: "the default community answers", Severity: fleet.SeverityCrit, How: "the community that is configured here", Fix: "set another community, or use SNMP v3",
		about: speaks(false), sees: told("snmp.community"), look: func(v *view) (string, string) {
			if v.fact("snmp.community") == "default" {
				return "default", "it answers to the community public or private"
			}
			return "", ""
		}},
	{ID: "snmp.v2c-write", Title: "writes go by a community in clear", Severity: fleet.SeverityWarn, How: "the credential for actions that is configured here", Fix: "act over SNMP v3 with authPriv",
		about: writes, sees: told("snmp.write"), look: func(v *view) (string, string) {
			if w := v.fact("snmp.write"); strings.HasPrefix(w, "v2c") || strings.HasPrefix(w, "v1") {
				return w, "writes are allowed to a community that goes over the network in clear"
			}
			return "", ""
		}},
	{ID: "snmp.noauth", Title: "SNMP v3 without authentication", Severity: fleet.SeverityCrit, How: "the access that answered", Fix: "give the user an authentication key",
		about: speaks(true), sees: told("snmp.access"), look: func(v *view) (string, string) {
			if a := v.fact("snmp.access"); strings.HasSuffix(a, "noAuthNoPriv") {
				return a, "SNMP v3 answers without authentication"
			}
			return "", ""
		}},
	{ID: "snmp.weak-crypto", Title: "SNMP v3 with MD5 or DES", Severity: fleet.SeverityWarn, How: "the access that answered", Fix: "use SHA-256 and AES",
		about: speaks(true), sees: told("snmp.access"), look: func(v *view) (string, string) {
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

// speaks picks what is spoken to in SNMP v3, or in a version before it: a
// community is no door of the one, and a user's keys none of the other. What is
// not known yet may be either.
func speaks(v3 bool) func(*view) bool {
	return func(v *view) bool {
		access := v.fact("snmp.access")
		return access == "" || strings.HasPrefix(access, "v3") == v3
	}
}

// writes picks what a credential of its own writes to. Where there is none,
// nobody here knows which community would.
func writes(v *view) bool { return v.fact("snmp.access") == "" || v.fact("snmp.write") != "" }
