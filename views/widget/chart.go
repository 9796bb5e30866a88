package widget

import (
	"math"
	"slices"
	"time"

	"plumb/fleet"
)

// maxColumns bounds the columns a chart is resampled to.
const maxColumns = 320

// Series is points over a stretch of time, in its own unit.
type Series struct {
	Points   []fleet.Point
	From, To time.Time
}

// columns resamples a series to w columns: the mean of what falls into each,
// NaN where nothing does. A gap stays a gap unless it is no longer than one
// step between points.
func (s Series) columns(out []float64) {
	for i := range out {
		out[i] = math.NaN()
	}
	span := s.To.Sub(s.From)
	if span <= 0 {
		return
	}
	var sum float64
	n, at := 0, -1
	for _, p := range s.Points {
		if !p.Mean.Known || p.At().Before(s.From) || p.At().After(s.To) {
			continue
		}
		i := min(int(int64(p.At().Sub(s.From))*int64(len(out))/int64(span)), len(out)-1)
		if i != at {
			sum, n, at = 0, 0, i
		}
		sum, n = sum+p.Mean.Float(), n+1
		out[i] = sum / float64(n)
	}
	s.bridge(out)
}

// bridge fills columns between neighbouring points where the points are
// sparser than the columns.
func (s Series) bridge(out []float64) {
	if len(s.Points) < 2 {
		return
	}
	reach := int(1.5*float64(s.step())/float64(s.To.Sub(s.From))*float64(len(out))) + 1
	last := -1
	for i, v := range out {
		if math.IsNaN(v) {
			continue
		}
		if last >= 0 && i-last <= reach {
			for j := last + 1; j < i; j++ {
				out[j] = out[last]
			}
		}
		last = i
	}
}

// step is the usual time between two points: the median of a sample, so that a
// gap does not count.
func (s Series) step() time.Duration {
	var sample [15]time.Duration
	pairs := len(s.Points) - 1
	n := min(pairs, len(sample))
	for i := range n {
		at := i * pairs / n
		sample[i] = time.Duration(s.Points[at+1].Ms-s.Points[at].Ms) * time.Millisecond
	}
	slices.Sort(sample[:n])
	return sample[n/2]
}

func bounds(v []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, x := range v {
		if !math.IsNaN(x) {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	return lo, hi
}

// Spark draws a series as one row of w columns. Scale runs over the series'
// own range, but never over less than a tenth of its value, so that noise
// stays flat. A gap is a blank.
func Spark(c Canvas, th *Theme, x, y, w int, s Series, st Style) {
	var buf [maxColumns]float64
	v := buf[:max(0, min(w, maxColumns))]
	s.columns(v)
	lo, hi := bounds(v)
	if math.IsInf(lo, 0) {
		c.Rune(x, y, w, th.Glyphs.Dots, Rest)
		return
	}
	if room := max(math.Abs(hi)/10, 1e-9) - (hi - lo); room > 0 {
		lo, hi = lo-room/2, hi+room/2
	}
	for i, f := range v {
		if math.IsNaN(f) {
			c.Rune(x+i, y, 1, ' ', st)
			continue
		}
		c.Rune(x+i, y, 1, th.Glyphs.Blocks[1+int(min((f-lo)/(hi-lo)*8, 7))], st)
	}
}

// Levels draws ready values as one row of blocks, from 0 to hi; NaN is a blank.
func Levels(c Canvas, th *Theme, x, y int, values []float64, hi float64, st Style) {
	for i, f := range values {
		switch {
		case math.IsNaN(f):
		case f <= 0 || hi <= 0:
			c.Rune(x+i, y, 1, th.Glyphs.Dots, Rest)
		default:
			c.Rune(x+i, y, 1, th.Glyphs.Blocks[1+int(min(f/hi*8, 7))], st)
		}
	}
}

// Chart is a line of time with its axes and limits.
type Chart struct {
	Series
	Limits fleet.Limits
	Format func(float64) string // writes a value of the axis
	Style  Style
	Whole  bool   // the axis runs from zero and reaches the upper limits
	Ahead  *Ahead // what is expected after the last point; nil: nothing
}

// Ahead is where a line goes on: from a level at a time, by a slope a second
// and the interval around it.
type Ahead struct {
	At               time.Time
	Level            float64
	Slope, Low, High float64
}

// at returns the level at a time by a slope.
func (a *Ahead) at(t time.Time, slope float64) float64 { return a.Level + slope*t.Sub(a.At).Seconds() }

// Draw fills the canvas: values at the left, times below.
func (ch Chart) Draw(c Canvas, th *Theme) {
	const axis = 7
	w, h := min(c.W-axis-1, maxColumns), c.H-1
	if w < 4 || h < 2 {
		return
	}
	var buf [maxColumns]float64
	v := buf[:w]
	ch.columns(v)
	lo, hi := bounds(v)
	if math.IsInf(lo, 0) {
		c.Text(axis+1, h/2, "no points in this stretch", Dim)
		return
	}
	lo, hi = ch.scale(lo, hi)
	plot := c.Sub(axis+1, 0, w, h)
	ch.drawArea(plot, th, v, lo, hi)
	ch.drawAhead(plot, th, lo, hi)
	ch.drawLimits(plot, th, lo, hi)
	label := func(y int) string { return ch.Format(hi - (hi-lo)*(float64(y)+0.5)/float64(h)) }
	for _, y := range [...]int{0, h / 2, h - 1} {
		if y != h/2 && label(y) == label(h/2) {
			continue // a flat line: one value says it
		}
		c.CutRight(th, 0, y, axis, label(y), Dim)
	}
	for y := range h {
		c.Rune(axis, y, 1, th.Glyphs.V, Border)
	}
	ch.drawTimes(c.Sub(axis+1, h, w, 1))
}

// scale widens the range to show near limits and some air.
func (ch Chart) scale(lo, hi float64) (float64, float64) {
	if ch.Whole {
		for _, l := range [...]fleet.Num{ch.Limits.HighWarn, ch.Limits.HighCrit} {
			if l.Known {
				hi = max(hi, l.Float())
			}
		}
		if ch.Ahead != nil { // but a fan that opens wide must not press the past flat
			hi = max(hi, min(ch.Ahead.at(ch.To, ch.Ahead.Slope), hi*1.25))
		}
		return 0, hi * 1.04
	}
	span := max(hi-lo, math.Abs(hi)/20, 1e-9)
	for _, l := range [...]fleet.Num{ch.Limits.HighWarn, ch.Limits.HighCrit, ch.Limits.LowWarn, ch.Limits.LowCrit} {
		if f := l.Float(); l.Known && f < hi+4*span && f > lo-4*span {
			lo, hi = min(lo, f), max(hi, f)
		}
	}
	air := max(hi-lo, math.Abs(hi)/50, 1e-9) / 12
	if lo >= 0 && lo-air < 0 {
		return 0, hi + air
	}
	return lo - air, hi + air
}

func (ch Chart) drawLimits(plot Canvas, th *Theme, lo, hi float64) {
	for i, l := range [...]fleet.Num{ch.Limits.HighWarn, ch.Limits.LowWarn, ch.Limits.HighCrit, ch.Limits.LowCrit} {
		f := l.Float()
		if !l.Known || f < lo || f > hi {
			continue
		}
		st := Warn
		if i >= 2 {
			st = Crit
		}
		y := min(int((hi-f)/(hi-lo)*float64(plot.H)), plot.H-1)
		plot.Rune(0, y, plot.W, th.Glyphs.Dots, st)
	}
}

func (ch Chart) drawArea(plot Canvas, th *Theme, v []float64, lo, hi float64) {
	for x, f := range v {
		if math.IsNaN(f) {
			continue
		}
		eighths := int(max(1, (f-lo)/(hi-lo)*float64(plot.H)*8))
		for y := plot.H - 1; y >= 0 && eighths > 0; y-- {
			plot.Rune(x, y, 1, th.Glyphs.Blocks[min(eighths, 8)], ch.Style)
			eighths -= 8
		}
	}
}

// drawAhead draws the fan of what may come, and in it the likely way.
func (ch Chart) drawAhead(plot Canvas, th *Theme, lo, hi float64) {
	if ch.Ahead == nil {
		return
	}
	row := func(v float64) int { return int((hi - v) / (hi - lo) * float64(plot.H)) }
	for x := range plot.W {
		t := ch.From.Add(time.Duration((float64(x) + 0.5) / float64(plot.W) * float64(ch.To.Sub(ch.From))))
		if !t.After(ch.Ahead.At) {
			continue
		}
		top, bottom := row(ch.Ahead.at(t, ch.Ahead.High)), row(ch.Ahead.at(t, ch.Ahead.Low))
		for y := max(top, 0); y <= min(bottom, plot.H-1); y++ {
			plot.Rune(x, y, 1, th.Glyphs.Rest, Rest)
		}
		if y := row(ch.Ahead.at(t, ch.Ahead.Slope)); y >= 0 && y < plot.H {
			plot.Rune(x, y, 1, th.Glyphs.Heat[2], ch.Style)
		}
	}
}

// drawTimes labels the axis from its start to its end.
func (ch Chart) drawTimes(c Canvas) {
	layout := "15:04"
	if ch.To.Sub(ch.From) > 36*time.Hour {
		layout = "01-02"
	}
	ticks := max(1, min(c.W/16, 8))
	for i := range ticks {
		at := ch.From.Add(ch.To.Sub(ch.From) * time.Duration(i) / time.Duration(ticks))
		c.Text(i*c.W/ticks, 0, at.UTC().Format(layout), Dim)
	}
	c.Right(c.W, 0, ch.To.UTC().Format(layout), Dim)
}
