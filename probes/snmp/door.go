package snmp

import "strings"

// Facts of the door that a poll came in by: what a check of the agent's
// security judges. They name kinds of secrets and never hold one.
const (
	factAccess    = "snmp.access"    // v2c, or v3 with its security level
	factAuth      = "snmp.auth"      // v3: MD5 SHA SHA-224 ...
	factPriv      = "snmp.priv"      // v3: DES AES AES-192 ...
	factCommunity = "snmp.community" // v2c: default where everybody knows it, else own
	factWrite     = "snmp.write"     // v2c or v3: there is a credential that writes
)

// tellDoor says how this poll was let in, once the device has answered: a
// credential that opens nothing is no door.
func (p *poll) tellDoor() {
	f := &p.obs.Facts
	f.Set(factAccess, p.cfg.access())
	if p.cfg.Version == "3" {
		f.Set(factAuth, spelled[protocol(p.cfg.Auth)])
		f.Set(factPriv, spelled[protocol(p.cfg.Priv)])
	} else if c, ok := p.sec.(community); ok {
		f.Set(factCommunity, c.kind())
	}
	if p.cfg.Act != nil {
		f.Set(factWrite, versionWord(p.cfg.Act.Version))
	}
}

func versionWord(version string) string {
	if version == "3" {
		return "v3"
	}
	return "v2c"
}

// access names the version and, for v3, the security level (RFC 3411 section
// 3.4.3).
func (c *Config) access() string {
	switch {
	case c.Version != "3":
		return "v2c"
	case c.Auth == "":
		return "v3 noAuthNoPriv"
	case c.Priv == "":
		return "v3 authNoPriv"
	}
	return "v3 authPriv"
}

// kind tells the communities that every agent ships with from one of its own.
func (c community) kind() string {
	switch strings.ToLower(string(c)) {
	case "public", "private":
		return "default"
	}
	return "own"
}

// spelled are the protocols as people write them, by their names in a config.
var spelled = map[string]string{
	"MD5": "MD5", "SHA": "SHA", "SHA1": "SHA", "SHA224": "SHA-224", "SHA256": "SHA-256", "SHA384": "SHA-384", "SHA512": "SHA-512",
	"DES": "DES", "AES": "AES", "AES128": "AES", "AES192": "AES-192", "AES256": "AES-256", "AES192C": "AES-192-C", "AES256C": "AES-256-C",
}
