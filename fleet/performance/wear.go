package performance

import (
	"fmt"
	"math"
	"slices"
	"time"

	"plumb/fleet"
	"plumb/fleet/trend"
)

// wear says how a class of parts wears.
type wear struct {
	title, fix string
	// least and share are how much a part must have lost at least to be spoken
	// of, in its unit and as a share of what it had.
	least, share float64
	step         float64 // so much from one day to the next is told as well; 0: it is not
	rises        bool    // it is rising that is bad
	say          func(v float64) string
}

var wears = [fleet.NumParts]wear{
	fleet.PartLight: {title: "light that arrives at ", least: 2, step: 3, say: func(v float64) string { return fmt.Sprintf("%.1f dBm", v) },
		fix: "clean and reseat the fibre and both optics, then exchange the one that sends"},
	fleet.PartLaser: {title: "current of the laser of ", least: 0.5, share: 0.15, rises: true, say: func(v float64) string { return fmt.Sprintf("%.2f mA", v) },
		fix: "exchange the optic before its light goes"},
	fleet.PartYield: {title: "yield of ", least: 0.03, say: func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) },
		fix: "exchange the supply when the machine is next touched, and look at its fan and its dust"},
}

// sameLoad is how far a supply's load may be from what it is now to be compared.
const sameLoad = 0.20

// wearing looks at every part of which weeks are kept.
func (c Case) wearing() (out []fleet.Look) {
	for i := range c.Device.Parts {
		if p := &c.Device.Parts[i]; p.Class != fleet.PartLoad {
			out = append(out, c.wears(p))
		}
	}
	return out
}

// wears holds a part against its own weeks: whether it goes down, or went down
// within a day. A part that is new here is not judged before there are as many
// points as a slope needs.
func (c Case) wears(p *fleet.PartPast) fleet.Look {
	w := &wears[p.Class]
	look := fleet.Look{Facet: partFacet(p.Class, p.Part)}
	samples, load := c.points(p)
	if len(samples) < trend.MinPoints {
		return look
	}
	look.Known = true
	values := trend.Values(samples)
	from, to := trend.Median(values[:6]), trend.Median(values[len(values)-6:]) // two days at each end
	worse := func(from, to float64) float64 {
		if w.rises {
			return to - from
		}
		return from - to
	}
	least := max(w.least, w.share*math.Abs(from))
	how := ""
	if worse(from, to) >= least/2 && goes(samples, w.rises, least) {
		days := samples[len(samples)-1].At.Sub(samples[0].At).Hours() / 24
		how = fmt.Sprintf("in %.0f days", days)
	} else if last := len(values) - 3; w.step > 0 {
		was, spread := trend.MAD(values[:last])
		if fell := worse(was, slices.Max(values[last:])); fell >= w.step && fell >= spreads*spread {
			from, to, how = was, trend.Median(values[last:]), "within a day"
		}
	}
	if how == "" {
		return look
	}
	f := &fleet.Finding{
		Kind: fleet.FindPerformance, Class: fleet.ClassChanged, Severity: fleet.SeverityInfo, Confidence: fleet.ConfidenceMedium,
		Baselines: []fleet.Baseline{{Name: fleet.BaseLastWeek, Expected: w.say(from)}}, Observed: w.say(to),
		Evidence: fmt.Sprintf("%d points of %s, %d h apart", len(samples), p.Class, fleet.PartEvery), Fix: w.fix,
		Text: fmt.Sprintf("%s%s went from %s to %s %s%s", w.title, p.Part, w.say(from), w.say(to), how, load),
	}
	look.Found = f
	return look
}

// goes reports whether samples get worse over all of their span by at least so
// much, and by half of it even at the slow end of the interval.
func goes(samples []trend.Sample, rises bool, least float64) bool {
	if !rises {
		samples = slices.Clone(samples)
		for i := range samples {
			samples[i].V = -samples[i].V
		}
	}
	l := trend.Slope(samples, day)
	span := l.Span.Seconds()
	return l.Trend() && l.Slope*span >= least && l.Low*span >= least/2
}

// points are the known ones of a part in the order of time. Of a supply only
// those at about the load that it has now: the yield of a healthy one is another
// at another load.
func (c Case) points(p *fleet.PartPast) (out []trend.Sample, load string) {
	keep := func(int64) bool { return true }
	if p.Class == fleet.PartYield {
		loads := fleet.PartOf(c.Device.Parts, fleet.PartLoad, p.Part)
		if loads == nil {
			return nil, ""
		}
		var lately []float64
		for at := loads.Until() - 6; at < loads.Until(); at++ {
			if v := loads.At(at); !math.IsNaN(v) {
				lately = append(lately, v)
			}
		}
		now := middle(lately)
		keep = func(at int64) bool { return math.Abs(loads.At(at)-now) <= sameLoad*now }
		load = fmt.Sprintf(" at %.0f W", now)
	}
	for at := p.Until() - fleet.PartPoints; at < p.Until(); at++ {
		if v := p.At(at); !math.IsNaN(v) && keep(at) {
			out = append(out, trend.Sample{At: time.Unix(at*fleet.PartEvery*3600, 0).UTC(), V: v})
		}
	}
	return out, load
}

// partFacet names a look at a part.
func partFacet(class fleet.PartClass, part string) string {
	return "performance " + class.String() + " " + part
}
