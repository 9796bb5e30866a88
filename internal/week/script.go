package week

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Script is a week: what is planted, what must be found of it, and what happens
// and must not be found.
type Script struct {
	Seed    uint64
	Start   time.Time
	Days    int
	Short   int // days of it in the gate
	History int // days of hours before the start
	Plant   []Planting
	Decoys  []Planting
}

// Planting is one sort of thing that happens several times.
type Planting struct {
	Sort   string
	Expect []Expect // none: a decoy
	Also   []string // kinds of findings, or engines, that are true consequences
	Each   []Event
}

// Expect is what one engine must find of every event of a planting.
type Expect struct {
	Engine   string        // drift, security, performance, trace or capacity
	Kinds    []string      // of the finding
	About    []string      // words of which the facet or text has one; an event's own come first
	Resource string        // capacity: whose row
	Within   time.Duration // not counting when the target cannot be read
	Shows    time.Duration // trace: when all that is hurt shows it, where that is later
}

// Event is one thing that happens. Which fields are set says what it is; the
// script explains them.
type Event struct {
	At, Until, Accept Moment // Until and Accept: zero where it stays, or nobody accepts it
	On                string
	Targets           []string // where else it may be found
	About             []string

	Set               map[string]string // facts; an empty value takes one away
	Gone, Replace     string            // a part; "machine" is all of them
	Partial, Without  string
	Blind, Reboot     bool
	Shuffle, Gaps     bool
	Noise             string
	Reset, Deaf       string // a port
	Quiet             string // a port
	Port              string
	VLAN, Tagged      int
	Macs, Mbps        int
	Swap, Move        []string // two ports
	Outlets           []int    // two outlets of a PDU
	Instance, Type    string
	Image             string
	Group, Rule, Drop string
	Drained           string // a host
	Churn             int
	Quota             string
	Max               int64

	Feed, PDU, PSU, Switch, Uplink, Host, Site string
	Explains                                   int // devices, at least

	Fan           int
	PercentPerDay float64 `yaml:"percent_per_day"`
	DegreesPerDay float64 `yaml:"degrees_per_day"`
	ErrorsPerHour float64 `yaml:"errors_per_hour"`
	EccPerDay     float64 `yaml:"ecc_per_day"`
	Module        int
	Rack          string
	Watts         float64
	Panels        []int
	Longest       int
}

// Moment is a time after the start; "1d14:02" in the script.
type Moment time.Duration

// UnmarshalYAML reads DAYdHH:MM.
func (m *Moment) UnmarshalYAML(n *yaml.Node) error {
	day, clock, ok := strings.Cut(n.Value, "d")
	d, err := strconv.Atoi(day)
	t, err2 := time.Parse("15:04", clock)
	if !ok || err != nil || err2 != nil {
		return fmt.Errorf("line %d: %q is not a moment such as 1d14:02", n.Line, n.Value)
	}
	*m = Moment(time.Duration(d)*24*time.Hour + time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
	return nil
}

// Read reads a script. What it does not know it refuses.
func Read(file string) (*Script, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &Script{}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(s); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, list := range [...][]Planting{s.Plant, s.Decoys} {
		for i := range list {
			for k := range list[i].Each {
				e := &list[i].Each[k]
				if e.Until != 0 && e.Until <= e.At {
					return nil, fmt.Errorf("%s: %s %d ends before it begins", file, list[i].Sort, k+1)
				}
			}
		}
	}
	return s, nil
}

// Holds reports whether the event is going on.
func (e *Event) Holds(m Moment) bool { return m >= e.At && (e.Until == 0 || m < e.Until) }

// Since is how long the event has been going on, 0 before.
func (e *Event) Since(m Moment) time.Duration { return time.Duration(max(m-e.At, 0)) }
