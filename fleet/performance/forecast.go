package performance

import (
	"fmt"
	"math"
	"time"

	"plumb/fleet"
	"plumb/fleet/trend"
)

const day = 24 * time.Hour

// soon is how near the latest day of a limit must be for people to be warned.
const soon = 14 * day

func trendFacet(class fleet.PastClass) string { return "performance " + class.String() + " trend" }

// creep asks where a class is going. Most go nowhere, and that is cheap to see:
// only one whose last days differ from its first is worth a slope.
func (c Case) creep(class fleet.PastClass) (fleet.Look, *fleet.Forecast) {
	look := fleet.Look{Facet: trendFacet(class)}
	from, to, known := c.ends(class)
	if !known {
		return look, nil
	}
	look.Known = true
	d := drifts[class]
	worse := to - from
	if d.falls {
		worse = -worse
	}
	if worse < d.floor(from)/2 {
		return look, nil
	}
	l := trend.Slope(c.samples(class), day)
	span := l.Span.Seconds()
	if !l.Trend() || l.Slope*span < d.floor(from) || l.Low*span < d.floor(from)/2 { // not even at its slowest
		return look, nil
	}
	f := finding(class, fleet.BaseLastWeek, d.say(from), d.say(to))
	f.Confidence = fleet.ConfidenceLow
	f.Text = fmt.Sprintf("%s went from %s to %s in %.0f days", d.name, d.say(from), d.say(to), l.Span.Hours()/24)
	look.Found = f
	at := c.reach(class, l, f)
	if at == nil {
		return look, nil
	}
	f.Text += ": " + at.What + " about " + at.At.Format(time.DateOnly) + ", between " + at.Low.Format(time.DateOnly) + " and " + at.High.Format(time.DateOnly)
	return look, at
}

// reach says when a line gets to the limit of its class, where it has one and
// the whole interval lies within what can be said. It raises the finding where
// that is soon.
func (c Case) reach(class fleet.PastClass, l trend.Line, f *fleet.Finding) *fleet.Forecast {
	d, lim := drifts[class], limit(c.Device, class)
	if math.IsNaN(lim) {
		return nil
	}
	sign := 1.0
	if d.falls {
		sign = -1
	}
	// The interval is of the slope. Which hour of which day is the first busy
	// one is noise on top of it: less than a day cannot be foretold.
	r := l.Until(sign*lim, c.Now)
	if r.At.IsZero() || r.High.IsZero() || !r.At.After(c.Now) {
		return nil
	}
	f.Confidence = r.Confidence
	if r.High.Sub(c.Now) <= soon && r.Confidence > fleet.ConfidenceLow {
		f.Severity = fleet.SeverityWarn
	}
	return &fleet.Forecast{
		Target: c.Device.Spec.ID, Class: class, What: d.name + " at " + d.say(lim), Limit: lim, Falling: d.falls,
		Made: c.Now, Low: r.Low.Add(-day), At: r.At, High: r.High.Add(day), Confidence: r.Confidence,
	}
}

// samples are the hours of a class in the order of time. What falls is turned
// over, so that a limit is always reached from below.
func (c Case) samples(class fleet.PastClass) []trend.Sample {
	out := make([]trend.Sample, 0, fleet.PastHours)
	for h := c.Past.Until() - fleet.PastHours; h < c.Past.Until(); h++ {
		v := c.Past.At(class, h)
		if math.IsNaN(v) {
			continue
		}
		if drifts[class].falls {
			v = -v
		}
		out = append(out, trend.Sample{At: time.Unix(h*3600, 0).UTC(), V: v})
	}
	return out
}

// ends are the middles of the first and of the last two days that are known: a
// whole number of days, so that their shape does not count.
func (c Case) ends(class fleet.PastClass) (from, to float64, known bool) {
	const span = 48
	first := c.Past.Until() - fleet.PastHours
	for first < c.Past.Until() && math.IsNaN(c.Past.At(class, first)) {
		first++
	}
	if c.Past.Until()-first < 3*span { // the same two days at both ends go nowhere
		return 0, 0, false
	}
	of := func(start int64) float64 {
		var room [span]float64
		v := room[:0]
		for h := start; h < start+span; h++ {
			if x := c.Past.At(class, h); !math.IsNaN(x) {
				v = append(v, x)
			}
		}
		if len(v) < span/2 {
			return math.NaN()
		}
		return middle(v)
	}
	from, to = of(first), of(c.Past.Until()-span)
	return from, to, !math.IsNaN(from) && !math.IsNaN(to)
}

// keepScored is how long a forecast is kept after its day, and keepMost how
// many of a device.
const (
	keepScored = 180 * day
	keepMost   = 16
)

// Foretell brings the forecasts of a device up to date: those whose day has come
// are scored, and what is foretold now is added where none of its class is
// open. changed are those that are new or scored; gone those that are forgotten.
func Foretell(have, now []fleet.Forecast, p *fleet.Past, at time.Time) (next, changed, gone []fleet.Forecast) {
	open := map[fleet.PastClass]bool{}
	for _, f := range have {
		if f.Score != fleet.ScoreOpen && at.Sub(f.Scored) > keepScored {
			gone = append(gone, f)
			continue
		}
		if f.Score == fleet.ScoreOpen {
			if f.Score = Settle(&f, p, at); f.Score != fleet.ScoreOpen {
				f.Scored = at
				changed = append(changed, f)
			}
		}
		open[f.Class] = open[f.Class] || f.Score == fleet.ScoreOpen
		next = append(next, f)
	}
	for _, f := range now {
		if !open[f.Class] {
			next, changed = append(next, f), append(changed, f)
		}
	}
	for i := 0; len(next) > keepMost && i < len(next); {
		if next[i].Score == fleet.ScoreOpen {
			i++
			continue
		}
		gone = append(gone, next[i])
		next = append(next[:i:i], next[i+1:]...)
	}
	return next, changed, gone
}

// busy is how many hours of a day must reach a limit: a forecast is of the busy
// hours, and a meter that lied once has reached nothing.
const busy = 3

// Settle says what has become of a forecast by now. A limit is reached when
// three hours within a day have reached it. Where the latest day has passed and
// half of the hours of the day before are unknown, nobody was looking.
func Settle(f *fleet.Forecast, p *fleet.Past, now time.Time) fleet.Score {
	made := max(fleet.HourOf(f.Made), p.Until()-fleet.PastHours)
	var hits [busy]int64 // the newest hours that reached it
	n := 0
	for h := made; h < p.Until(); h++ {
		v := p.At(f.Class, h)
		if math.IsNaN(v) || !f.Falling && v < f.Limit || f.Falling && v > f.Limit {
			continue
		}
		hits[n%busy] = h
		if n++; n < busy || h-hits[n%busy] >= 24 {
			continue
		}
		switch at := time.Unix(h*3600, 0); {
		case at.Before(f.Low):
			return fleet.ScoreEarly
		case at.After(f.High):
			return fleet.ScoreLate
		}
		return fleet.ScoreHit
	}
	if !now.After(f.High) {
		return fleet.ScoreOpen
	}
	known := 0
	for h := fleet.HourOf(f.High) - 24; h < fleet.HourOf(f.High); h++ {
		if !math.IsNaN(p.At(f.Class, h)) {
			known++
		}
	}
	if known < 12 {
		return fleet.ScoreVoid
	}
	return fleet.ScoreLate
}

// Record counts what became of forecasts.
type Record struct {
	Open, Hit, Early, Late, Void int
}

// Score counts the forecasts of a fleet.
func Score(s *fleet.Snapshot) (r Record) {
	for _, d := range s.Devices.All() {
		for i := range d.Forecasts {
			switch d.Forecasts[i].Score {
			case fleet.ScoreOpen:
				r.Open++
			case fleet.ScoreHit:
				r.Hit++
			case fleet.ScoreEarly:
				r.Early++
			case fleet.ScoreLate:
				r.Late++
			case fleet.ScoreVoid:
				r.Void++
			}
		}
	}
	return r
}

// String says the record in words. What nobody could see come is neither right
// nor wrong.
func (r Record) String() string {
	if r.Judged() == 0 {
		return fmt.Sprintf("%d open, none judged yet", r.Open)
	}
	return fmt.Sprintf("%d of %d came within their interval, %d early, %d late; %d open, %d void", r.Hit, r.Judged(), r.Early, r.Late, r.Open, r.Void)
}

// Judged counts the forecasts that were right or wrong.
func (r Record) Judged() int { return r.Hit + r.Early + r.Late }
