package export

import (
	"cmp"
	"slices"
	"time"

	"plumb/fleet"
)

// Prediction is what was foretold of a device, with what became of it.
type Prediction struct {
	Target     string           `json:"target"`
	What       string           `json:"what"`
	Made       time.Time        `json:"made"`
	Low        time.Time        `json:"low"`
	At         time.Time        `json:"at"`
	High       time.Time        `json:"high"`
	Confidence fleet.Confidence `json:"confidence"`
	Score      string           `json:"score"` // open hit early late void
	Scored     *time.Time       `json:"scored"`
}

// Predictions lists the forecasts of a fleet: open ones first, by when they are
// due.
func Predictions(s *fleet.Snapshot) []Prediction {
	out := []Prediction{}
	for id, d := range s.Devices.All() {
		for i := range d.Forecasts {
			f := &d.Forecasts[i]
			p := Prediction{Target: id, What: f.What, Made: f.Made, Low: f.Low, At: f.At, High: f.High, Confidence: f.Confidence, Score: "open", Scored: when(f.Scored)}
			if f.Score != fleet.ScoreOpen {
				p.Score = string(f.Score)
			}
			out = append(out, p)
		}
	}
	past := func(p *Prediction) int {
		if p.Score == "open" {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b Prediction) int {
		return cmp.Or(past(&a)-past(&b), a.At.Compare(b.At), cmp.Compare(a.Target, b.Target))
	})
	return out
}
