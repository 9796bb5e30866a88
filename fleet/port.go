package fleet

import (
	"encoding/json"
	"fmt"
)

// CounterID names one of a port's counters.
type CounterID uint8

// The counters kept for each port, from IF-MIB (RFC 2863) ifTable and ifXTable.
const (
	InOctets CounterID = iota
	OutOctets
	InErrors
	OutErrors
	InDiscards
	OutDiscards
	NumCounters = iota
)

var counterWords = [NumCounters]string{"in_octets", "out_octets", "in_errors", "out_errors", "in_discards", "out_discards"}

func (c CounterID) String() string { return counterWords[c] }

// Counters is a set of raw counters as the device gave them.
type Counters struct {
	N     [NumCounters]uint64
	Known uint8 // bit i: N[i] was read
	Wide  uint8 // bit i: N[i] is a Counter64
}

// Set stores one counter; wide says that it is 64 bits on the wire.
func (c *Counters) Set(id CounterID, v uint64, wide bool) {
	c.N[id] = v
	c.Known |= 1 << id
	if wide {
		c.Wide |= 1 << id
	}
}

// Get returns a counter and whether it was read.
func (c *Counters) Get(id CounterID) (uint64, bool) { return c.N[id], c.Known&(1<<id) != 0 }

// Rates are differences of two samples per second; null until there are two.
type Rates struct {
	InBps, OutBps Num // bits/s
	// Errors and discards per second, in and out together.
	Errors, Discards Num
}

// PortDef is what a port is: what changes seldom. Shared and never written
// after the probe returned it.
type PortDef struct {
	Index int    `json:"index"` // ifIndex; not an identity, it may move
	Name  string `json:"name"`  // ifName, else ifDescr, else MAC: the identity
	// Alias is ifAlias; U+FFFD stands in it for what was there and may not be shown.
	Alias    string `json:"alias"`
	Descr    string `json:"descr"`
	Type     string `json:"type"`      // IANAifType word, or its number
	SpeedBps Num    `json:"speed_bps"` // bits/s; null where the agent does not know
	MTU      int    `json:"mtu"`       // bytes; 0 where not known
	MAC      string `json:"mac"`       // lower case with colons
	Admin    string `json:"admin"`     // IF-MIB ifAdminStatus word
	Oper     string `json:"oper"`      // IF-MIB ifOperStatus word
	VLAN     int    `json:"vlan"`      // PVID; 0 where not known
	// LAG is the ifName of the aggregate that the port is a member of
	// (IEEE8023-LAG-MIB dot3adAggPortAttachedAggID); empty where of none.
	LAG string `json:"lag,omitempty"`
	// NoAlias says that the agent has no ifAlias for the port: that Alias is
	// empty then means nothing.
	NoAlias bool `json:"no_alias,omitempty"`
}

// Up reports whether the port passes packets.
func (d *PortDef) Up() bool { return d.Oper == "up" }

// Port is a definition with its counters.
type Port struct {
	*PortDef
	Counters      Counters
	Discontinuity uint32 // ifCounterDiscontinuityTime, hundredths of a second
	Rates         Rates  // filled by the engine
	Neighbor      string // "device/port" as the device says it; filled by the engine from LLDP
}

// MarshalJSON writes the flat form of the contract: unread counters are null.
// Rates of errors and discards stand beside it where they are known.
func (p Port) MarshalJSON() ([]byte, error) {
	m := struct {
		*PortDef
		InBps         Num     `json:"in_bps"`
		OutBps        Num     `json:"out_bps"`
		InOctets      *uint64 `json:"in_octets"`
		OutOctets     *uint64 `json:"out_octets"`
		InErrors      *uint64 `json:"in_errors"`
		OutErrors     *uint64 `json:"out_errors"`
		InDiscards    *uint64 `json:"in_discards"`
		OutDiscards   *uint64 `json:"out_discards"`
		Errors        Num     `json:"errors_per_s,omitzero"`
		Discards      Num     `json:"discards_per_s,omitzero"`
		Wide          uint8   `json:"wide,omitempty"`
		Discontinuity uint32  `json:"discontinuity,omitempty"`
		Neighbor      string  `json:"neighbor"`
	}{PortDef: p.PortDef, InBps: p.Rates.InBps, OutBps: p.Rates.OutBps, Errors: p.Rates.Errors, Discards: p.Rates.Discards, Wide: p.Counters.Wide, Discontinuity: p.Discontinuity, Neighbor: p.Neighbor}
	if m.PortDef == nil {
		m.PortDef = &PortDef{}
	}
	for i, to := range [...]**uint64{&m.InOctets, &m.OutOctets, &m.InErrors, &m.OutErrors, &m.InDiscards, &m.OutDiscards} {
		if v, ok := p.Counters.Get(CounterID(i)); ok {
			*to = &v
		}
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Port) UnmarshalJSON(b []byte) error {
	def := &PortDef{}
	if err := json.Unmarshal(b, def); err != nil {
		return err
	}
	var m struct {
		InBps         Num    `json:"in_bps"`
		OutBps        Num    `json:"out_bps"`
		Errors        Num    `json:"errors_per_s"`
		Discards      Num    `json:"discards_per_s"`
		Wide          uint8  `json:"wide"`
		Discontinuity uint32 `json:"discontinuity"`
		Neighbor      string `json:"neighbor"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*p = Port{PortDef: def, Discontinuity: m.Discontinuity, Neighbor: m.Neighbor, Rates: Rates{InBps: m.InBps, OutBps: m.OutBps, Errors: m.Errors, Discards: m.Discards}}
	for i := range CounterID(NumCounters) {
		var v *uint64
		if r, ok := raw[i.String()]; ok {
			if err := json.Unmarshal(r, &v); err != nil {
				return fmt.Errorf("%s: %w", i, err)
			}
		}
		if v != nil {
			p.Counters.Set(i, *v, m.Wide&(1<<i) != 0)
		}
	}
	return nil
}
