package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"
)

// Lane is how often a part of a target is read: the fast lane reads what
// moves, the slow lane what seldom changes.
type Lane uint8

// Lanes. A slow poll includes the faster ones.
const (
	LaneFast   Lane = iota // readings, power, counters
	LaneTables             // neighbours, outlets' names, new events
	LaneSlow               // definitions, firmware, inventory
)

var laneWords = [...]string{"fast", "tables", "slow"}

func (l Lane) String() string { return laneWords[min(int(l), len(laneWords)-1)] }

// MarshalText writes the lane's word.
func (l Lane) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the lane's word.
func (l *Lane) UnmarshalText(b []byte) error { return word(laneWords[:], b, l, "lane") }

// Source is the wire an observation came over.
type Source string

// Wires.
const (
	SourceIPMI      Source = "ipmi"
	SourceRedfish   Source = "redfish"
	SourceSNMP      Source = "snmp"
	SourceOpenStack Source = "openstack"
	SourceEC2       Source = "ec2"
	SourceHetzner   Source = "hetzner"
	SourceVSphere   Source = "vsphere"
	SourceHealth    Source = "health" // a workload, by whichever way its service names
)

// Origin makes an observation that crossed machines idempotent: the store
// applies each (Cell, Epoch, Seq) once. Empty for what was polled here.
type Origin struct {
	Cell  string `json:"cell,omitempty"`
	Epoch uint64 `json:"epoch,omitempty"`
	Seq   uint64 `json:"seq,omitempty"`
}

// Observation is what one poll of one target learned. A failed poll is an
// observation too: half an answer is worth keeping, and Err says what is
// missing. It is never written after the probe returned it, and it survives a
// trip through JSON unchanged.
type Observation struct {
	Target string        `json:"target"`
	Source Source        `json:"source"`
	Lane   Lane          `json:"lane"`
	Origin Origin        `json:"origin,omitzero"`
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"took_ns"`
	Err    *ProbeError   `json:"error"`

	// Tables says how complete each table below is. A table that is not
	// named says nothing: a fast poll never deletes what only the slow lane
	// reads.
	Tables map[TableID]Completeness `json:"tables"`

	Facts     Facts      `json:"facts"`
	Ports     []Port     `json:"ports"`
	Sensors   []Sensor   `json:"sensors"`
	Entities  []Entity   `json:"entities"`
	Neighbors []Neighbor `json:"neighbors"`
	FDB       []FDBEntry `json:"fdb"`
	VLANs     []VLAN     `json:"vlans"`
	Outlets   []Outlet   `json:"outlets"`
	Events    []Event    `json:"events"`
	Instances []Instance `json:"instances"`
	Hosts     []Host     `json:"hosts"`

	ARP            []Address       `json:"arp"`
	SecurityGroups []SecurityGroup `json:"security_groups"`
}

// plainObservation is an observation without methods: encoding/json's own form.
type plainObservation Observation

// MarshalJSON writes the observation with the list "volatile": names of facts
// that are volatile without looking like it. It is left out where there are none.
func (o Observation) MarshalJSON() ([]byte, error) {
	x := struct {
		plainObservation
		Volatile []string `json:"volatile,omitempty"`
	}{plainObservation: plainObservation(o)}
	for _, f := range o.Facts {
		if f.Volatile && !volatileFact(f.Name) {
			x.Volatile = append(x.Volatile, f.Name)
		}
	}
	return json.Marshal(x)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (o *Observation) UnmarshalJSON(b []byte) error {
	var x struct {
		plainObservation
		Volatile []string `json:"volatile"`
	}
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	for _, name := range x.Volatile {
		if i, ok := x.Facts.find(name); ok {
			x.Facts[i].Volatile = true
		}
	}
	*o = Observation(x.plainObservation)
	for t := range o.Tables {
		if t.Judged() {
			return fmt.Errorf("%w: %s is not observed, it is judged", ErrWord, t)
		}
	}
	if o.Err != nil {
		o.Err.Target = o.Target
	}
	return nil
}

// SetTable notes how complete a table is.
func (o *Observation) SetTable(t TableID, c Completeness) {
	if o.Tables == nil {
		o.Tables = make(map[TableID]Completeness, 4)
	}
	o.Tables[t] = c
}

// Fact is one attribute with its value. Numbers keep their decimal text.
type Fact struct {
	Name     string
	Value    string
	Number   bool // Value is a decimal and is written as a JSON number
	Volatile bool // shown, never versioned: uptime and its like
}

// Well-known facts. Further names are dotted lower case: bmc.mac, board.serial.
const (
	FactName     = "name"
	FactVendor   = "vendor"
	FactModel    = "model"
	FactSerial   = "serial"
	FactFirmware = "firmware"
	FactLocation = "location"
	// FactDoorsAt is when a BMC last told a stranger of its doors, in seconds
	// since 1970; volatile. They are read more often than the rest of the facts.
	FactDoorsAt = "bmc.doors.at"
	FactUptime  = "uptime_s" // seconds, volatile, with hundredths where the wire has them
	FactPower   = "power"    // on off unknown
	FactGUID    = "guid"     // the BMC's own identity
)

// Facts is a list of facts sorted by name.
type Facts []Fact

// Get returns the value of a fact, or "".
func (f Facts) Get(name string) string {
	if i, ok := f.find(name); ok {
		return f[i].Value
	}
	return ""
}

func (f Facts) find(name string) (int, bool) {
	i := sort.Search(len(f), func(i int) bool { return f[i].Name >= name })
	return i, i < len(f) && f[i].Name == name
}

// Set adds or replaces a fact of text and keeps the order. Empty text is not a
// fact.
func (f *Facts) Set(name, value string) {
	if value != "" {
		f.Put(Fact{Name: name, Value: value})
	}
}

// SetNum adds or replaces a numeric fact; null is not a fact.
func (f *Facts) SetNum(name string, n Num, volatile bool) {
	if n.Known {
		f.Put(Fact{Name: name, Value: n.String(), Number: true, Volatile: volatile})
	}
}

// Put adds or replaces a fact and keeps the order of names. Like every change
// of a list it needs a list of its own: clone one that is shared first.
func (f *Facts) Put(fact Fact) {
	i, ok := f.find(fact.Name)
	if ok {
		(*f)[i] = fact
		return
	}
	*f = append(*f, Fact{})
	copy((*f)[i+1:], (*f)[i:])
	(*f)[i] = fact
}

// Num returns a numeric fact, or null.
func (f Facts) Num(name string) Num {
	text := f.Get(name)
	if text == "" {
		return Num{}
	}
	n, err := ParseNum(text)
	if err != nil {
		return Num{}
	}
	return n
}

// volatileFact recognises by name what is volatile when facts come back from
// JSON: what a poll cost carries poll. before its name. An observation names
// the others.
func volatileFact(name string) bool { return name == FactUptime || strings.HasPrefix(name, "poll.") }

// MarshalJSON writes an object in the order of the names.
func (f Facts) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, x := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		k, err := json.Marshal(x.Name)
		if err != nil {
			return nil, err
		}
		b.Write(k)
		b.WriteByte(':')
		if x.Number {
			b.WriteString(x.Value)
			continue
		}
		v, err := json.Marshal(x.Value)
		if err != nil {
			return nil, err
		}
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Facts) UnmarshalJSON(b []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*f = nil
	for k, raw := range m {
		if len(raw) > 0 && raw[0] == '"' {
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				return err
			}
			f.Put(Fact{Name: k, Value: s, Volatile: volatileFact(k)})
			continue
		}
		n, err := ParseNum(string(raw))
		if err != nil {
			return err
		}
		f.SetNum(k, n, volatileFact(k))
	}
	return nil
}
