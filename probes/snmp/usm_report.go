package snmp

import "plumb/fleet"

// report is an engine's complaint about a request (RFC 3414 section 3.2).
type report struct {
	counter uint32 // usmStats sub-identifier, 0 for anything else
	name    string // the counter's OID
	signed  bool
	engine  engine
}

// usmStats counters (RFC 3414 section 5: 1.3.6.1.6.3.15.1.1).
const (
	statsUnsupportedSecLevels = 1
	statsNotInTimeWindows     = 2
	statsUnknownUserNames     = 3
	statsUnknownEngineIDs     = 4
	statsWrongDigests         = 5
	statsDecryptionErrors     = 6
)

var usmStats = parseOID("1.3.6.1.6.3.15.1.1")

func (r *report) Error() string {
	switch r.counter {
	case statsUnsupportedSecLevels:
		return "the agent has no such security level for this user"
	case statsNotInTimeWindows:
		return "the agent's clock does not agree with itself"
	case statsUnknownUserNames:
		return "the agent does not know this user"
	case statsUnknownEngineIDs:
		return "the agent changes its engine id"
	case statsWrongDigests:
		return "wrong authentication password or protocol"
	case statsDecryptionErrors:
		return "wrong privacy password or protocol"
	}
	return "the agent reports " + r.name
}

// Unwrap says what the report means to the fleet.
func (r *report) Unwrap() error {
	switch r.counter {
	case statsUnsupportedSecLevels, statsUnknownUserNames, statsWrongDigests, statsDecryptionErrors:
		return fleet.ErrAuth
	}
	return fleet.ErrProtocol
}

// reportOf reads a Report PDU.
func reportOf(r *response, h *header, signed bool) error {
	rep := &report{signed: signed, engine: h.engine}
	if len(r.vars) > 0 {
		rep.name = r.vars[0].name.String()
		if rest, ok := r.vars[0].name.under(usmStats); ok && len(rest) > 0 {
			rep.counter = rest[0]
		}
	}
	return rep
}
