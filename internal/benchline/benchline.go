// Package benchline prints measurements: one JSON object a line, with what was
// measured, what a peer needs for the same work in the same run, and whether
// the goal is met. A goal that is missed prints "ok":false and fails nothing:
// a measurement that could break a build would soon not be taken.
//
// Only tests import it. What it measures is CPU time, because the machines that
// run it are shared: elapsed time says how busy the others were. Where somebody
// waits for a disk there is no other measure, and the line says which disk.
package benchline

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
)

// Line is one measurement. Goals are of the value, or of Ratio where GoalOf
// says so; lower is better unless Higher is set.
type Line struct {
	Bench     string
	Value     float64
	Unit      string
	Peer      string  // a program that did the same work in the same run, or empty
	PeerValue float64 // in Unit
	Goal      float64
	OfRatio   bool   // the goal is of how many times better than the peer we are
	Higher    bool   // higher is better
	Note      string // what else the value hangs on, or empty
}

// Ratio is how many times better than the peer we are; NaN without one.
func (l Line) Ratio() float64 {
	switch {
	case l.Peer == "":
		return math.NaN()
	case l.Higher:
		return l.Value / l.PeerValue
	}
	return l.PeerValue / l.Value
}

// OK reports whether the goal is met.
func (l Line) OK() bool {
	switch {
	case l.OfRatio:
		return l.Ratio() >= l.Goal
	case l.Higher:
		return l.Value >= l.Goal
	}
	return l.Value <= l.Goal
}

// MarshalJSON writes the fields of the contract; those of a peer only where
// there is one.
func (l Line) MarshalJSON() ([]byte, error) {
	m := struct {
		Bench     string  `json:"bench"`
		Value     number  `json:"value"`
		Unit      string  `json:"unit"`
		Peer      string  `json:"peer,omitempty"`
		PeerValue *number `json:"peer_value,omitempty"`
		Ratio     *number `json:"ratio,omitempty"`
		Goal      number  `json:"goal"`
		GoalOf    string  `json:"goal_of"`
		Better    string  `json:"better"`
		OK        bool    `json:"ok"`
		Note      string  `json:"note,omitempty"`
	}{Bench: l.Bench, Value: number(l.Value), Unit: l.Unit, Goal: number(l.Goal), GoalOf: "value", Better: "lower", OK: l.OK(), Note: l.Note}
	if l.Peer != "" {
		value, ratio := number(l.PeerValue), number(l.Ratio())
		m.Peer, m.PeerValue, m.Ratio = l.Peer, &value, &ratio
	}
	if l.OfRatio {
		m.GoalOf = "ratio"
	}
	if l.Higher {
		m.Better = "higher"
	}
	return json.Marshal(m)
}

// number is written with four significant digits: what lies behind them is the
// machine's mood. What is not finite is null.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	f, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 4, 64), 64)
	if err != nil {
		return nil, err
	}
	return json.Marshal(f)
}

// Fprint writes each line by itself, whatever stood on the line before: the
// testing package has by then written the benchmark's name.
func Fprint(w io.Writer, lines ...Line) error {
	for _, l := range lines {
		b, err := json.Marshal(l)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "\n%s\n", b); err != nil {
			return err
		}
	}
	return nil
}

// Print writes lines to standard output.
func Print(lines ...Line) {
	if err := Fprint(os.Stdout, lines...); err != nil {
		panic(err)
	}
}

// Median measures rounds times and returns, line by line, the median value and
// the median of the peer. Every round returns the same lines in one order.
func Median(rounds int, measure func() []Line) []Line {
	var all [][]Line
	for range rounds {
		all = append(all, measure())
	}
	out := slices.Clone(all[0])
	for i := range out {
		out[i].Value = middle(all, func(r []Line) float64 { return r[i].Value })
		out[i].PeerValue = middle(all, func(r []Line) float64 { return r[i].PeerValue })
	}
	return out
}

func middle(rounds [][]Line, of func([]Line) float64) float64 {
	var v []float64
	for _, r := range rounds {
		v = append(v, of(r))
	}
	slices.Sort(v)
	return v[len(v)/2]
}
