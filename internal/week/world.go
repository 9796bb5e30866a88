package week

import (
	"fmt"
	"math"
	"strings"
	"time"

	"plumb/fleet"
)

// World is the fleet of a script.
type World struct {
	*Script
	Clean bool // nothing is planted, only decoys are
	Inv   *fleet.Inventory

	servers []*server
	nets    []*netswitch
	pdus    []*pdu
	clouds  []*cloud
	byID    map[string]any
	on      map[string][]*Event // by what it happens to
}

// New lays out the fleet.
func New(s *Script, clean bool) *World {
	w := &World{Script: s, Clean: clean, byID: map[string]any{}, on: map[string][]*Event{}}
	for i := range s.Decoys {
		w.take(&s.Decoys[i])
	}
	if !clean {
		for i := range s.Plant {
			w.take(&s.Plant[i])
		}
	}
	w.lay()
	return w
}

func (w *World) take(p *Planting) {
	for i := range p.Each {
		e := &p.Each[i]
		psu, _, _ := strings.Cut(e.PSU, " ")
		uplink, _, _ := strings.Cut(e.Uplink, " ")
		for _, id := range [...]string{e.On, e.Feed, e.PDU, psu, e.Switch, uplink, e.Host, e.Site, e.Rack} {
			if id != "" {
				w.on[id] = append(w.on[id], e)
			}
		}
	}
}

// events calls f with what is going on at a thing.
func (w *World) events(id string, m Moment, f func(*Event)) {
	for _, e := range w.on[id] {
		if e.Holds(m) {
			f(e)
		}
	}
}

// Time is a moment on the clock.
func (w *World) Time(m Moment) time.Time { return w.Start.Add(time.Duration(m)) }

// Noise out of a hash: the same for the same seed, thing and time, whoever asks
// in whatever order.

// uniform is in [0,1).
func (w *World) uniform(id string, of string, n int64) float64 {
	h := w.Seed ^ 0x9e3779b97f4a7c15
	mix := func(b uint64) {
		h ^= b
		h *= 0xff51afd7ed558ccd
		h ^= h >> 32
	}
	for i := range len(id) {
		mix(uint64(id[i]))
	}
	for i := range len(of) {
		mix(uint64(of[i]) << 8)
	}
	mix(uint64(n))
	mix(uint64(n) >> 13)
	return float64(h>>11) / (1 << 53)
}

// normal is about as a normal distribution of spread 1: the sum of four.
func (w *World) normal(id, of string, n int64) float64 {
	sum := 0.0
	for k := range int64(4) {
		sum += w.uniform(id, of, n*4+k) - 0.5
	}
	return sum * math.Sqrt(3)
}

// wander is smooth noise of spread about 1: a value an hour and straight lines
// between.
func (w *World) wander(id, of string, m Moment) float64 {
	h := math.Floor(time.Duration(m).Hours())
	f := time.Duration(m).Hours() - h
	return (1-f)*w.normal(id, of, int64(h)) + f*w.normal(id, of, int64(h)+1)
}

func minute(m Moment) int64 { return int64(time.Duration(m) / time.Minute) }

// load is how busy a role is, 0 to 1: people come by day and rest on the
// weekend, batch works when they do not.
func load(role string, t time.Time) float64 {
	hour := float64(t.Hour()) + float64(t.Minute())/60
	people := 0.5 - 0.5*math.Cos(2*math.Pi*(hour-3)/24)
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		people *= 0.55
	}
	switch role {
	case "batch":
		return 0.9 - 0.7*people
	case "db":
		return 0.35 + 0.4*people
	}
	return 0.2 + 0.65*people
}

func num(f float64, decimals int) fleet.Num { return fleet.FromFloat(f, decimals) }

func hw(kind byte, n, k int) string {
	return fmt.Sprintf("52:54:%02x:%02x:%02x:%02x", kind, n>>8&255, n&255, k)
}
