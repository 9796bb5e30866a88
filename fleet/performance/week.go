package performance

import (
	"fmt"
	"math"
	"slices"

	"plumb/fleet"
)

// What the last hours are held against: the same hours of three weeks, and
// where there are not as many, of the last days.
var (
	weeks = usual{back: []int64{168, 336, 504}, least: 3, spreadLeast: 2, word: "at this hour of the last three weeks", confidence: fleet.ConfidenceMedium}
	days  = usual{back: []int64{24, 48, 72, 96, 120, 144, 168}, least: 5, spreadLeast: 3, word: "at this hour of the last days", confidence: fleet.ConfidenceLow}
)

const (
	lately  = 6 // hours that are judged together: one hour off is an errand
	enough  = 5 // of them must be known
	spreads = 6 // so many deviations away is far
)

// usual is a way to say what an hour should be like.
type usual struct {
	back               []int64 // hours before it
	least, spreadLeast int     // how many of those must be known
	word               string
	confidence         fleet.Confidence
}

// of returns what an hour should be like, NaN where too little is known.
func (u *usual) of(p *fleet.Past, c fleet.PastClass, hour int64, least int) float64 {
	var room [8]float64
	v := room[:0]
	for _, b := range u.back {
		if x := p.At(c, hour-b); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	if len(v) < least {
		return math.NaN()
	}
	return middle(v)
}

// middle returns the median of values and puts them in order; NaN of none.
func middle(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func hourFacet(class fleet.PastClass) string { return "performance " + class.String() + " by hour" }

// usual holds the last hours of a class against the same hours before. How far
// off is far is asked of the week before: what differed then and was no
// trouble is noise.
func (c Case) usual(class fleet.PastClass) fleet.Look {
	look := fleet.Look{Facet: hourFacet(class)}
	for _, u := range []*usual{&weeks, &days} {
		is, was, off, ok := c.lately(u, class)
		if !ok {
			continue
		}
		look.Known = true
		d := drifts[class]
		far := d.floor(was)
		if math.Abs(off) <= far { // nearly all: the spread need not be asked
			return look
		}
		far = max(far, spreads*c.spread(u, class))
		if math.Abs(off) <= far {
			return look
		}
		f := finding(class, fleet.BaseLastWeek, d.say(was), d.say(is))
		f.Confidence = u.confidence
		f.Text = fmt.Sprintf("%s %s over the last %d h, %s %s", d.name, d.say(is), lately, d.say(was), u.word)
		look.Found = f
		return look
	}
	return look
}

// lately is the middle of the last hours, of what they should be like and of
// how far each is off. Hours that disagree about the direction are not off.
func (c Case) lately(u *usual, class fleet.PastClass) (is, was, off float64, ok bool) {
	var ones, twos, offs [lately]float64
	n, up := 0, 0
	for h := c.Past.Until() - lately; h < c.Past.Until(); h++ {
		v, w := c.Past.At(class, h), u.of(c.Past, class, h, u.least)
		if math.IsNaN(v) || math.IsNaN(w) {
			continue
		}
		ones[n], twos[n], offs[n] = v, w, v-w
		if n++; v > w {
			up++
		}
	}
	if n < enough {
		return 0, 0, 0, false
	}
	is, was, off = middle(ones[:n]), middle(twos[:n]), middle(offs[:n])
	if up > 1 && up < n-1 {
		off = 0
	}
	return is, was, off, true
}

// spread is how far hours of the week before were off, as a standard deviation.
func (c Case) spread(u *usual, class fleet.PastClass) float64 {
	var offs []float64
	end := c.Past.Until() - 24
	for h := end - 168; h < end; h++ {
		v, w := c.Past.At(class, h), u.of(c.Past, class, h, u.spreadLeast)
		if !math.IsNaN(v) && !math.IsNaN(w) {
			offs = append(offs, math.Abs(v-w))
		}
	}
	if len(offs) < 24 {
		return math.Inf(1) // it is not known what is far
	}
	return 1.4826 * middle(offs)
}
