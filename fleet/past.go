package fleet

import (
	"math"
	"time"
)

// PastClass names a class of series of which a device's hours are kept in
// memory: a handful, out of the hundreds that lie on disk.
type PastClass uint8

// Classes of hours.
const (
	PastInlet   PastClass = iota // air at the inlet, C
	PastHot                      // the hottest processor, else the hottest part, C
	PastFans                     // mean of the fans, rpm
	PastSlowest                  // the slowest fan, as a share of the middle one
	PastPower                    // W
	PastErrors                   // errors of all ports, per hour
	NumPasts    = iota
)

var pastWords = [NumPasts]string{"inlet", "heat", "fans", "slowest fan", "power", "errors"}

func (c PastClass) String() string { return pastWords[min(int(c), NumPasts-1)] }

// PastHours is how many hours are kept: three weeks and a day, so that each
// hour of the last day has the same hour of three weeks to be held against.
const PastHours = 22 * 24

// pastScale is how many steps of an int16 make one unit, by class.
var pastScale = [NumPasts]float64{100, 100, 1, 10_000, 1, 1}

// gap stands for an hour of which nothing is known.
const gap = math.MinInt16

// Past is the last weeks of a device by the hour. Ten thousand of them stay in
// memory, so an hour is two bytes and all classes lie in one piece. Like all of
// a snapshot it is never written: [Past.With] makes another.
type Past struct {
	until int64          // the hour after the newest, in hours since 1970
	place [NumPasts]int8 // of each class among those that are there, from 1; 0: it is not
	hours []int16        // by class, oldest first
}

// Hour is the mean of one hour of one class.
type Hour struct {
	Class PastClass
	Hour  int64 // since 1970
	Value float64
}

// HourOf returns the number of the hour that t lies in.
func HourOf(t time.Time) int64 { return int64(math.Floor(float64(t.Unix()) / 3600)) }

// With returns the past with hours added. Those that are older than it reaches
// are left out, and a class that has none takes no room.
func (p *Past) With(hours []Hour) *Past {
	next := &Past{}
	if p != nil {
		next.until, next.place = p.until, p.place
	}
	classes := int8(0)
	for _, n := range next.place {
		classes = max(classes, n)
	}
	had := int(classes)
	for _, h := range hours {
		next.until = max(next.until, h.Hour+1)
		if h.Class < NumPasts && next.place[h.Class] == 0 {
			classes++
			next.place[h.Class] = classes
		}
	}
	next.hours = make([]int16, int(classes)*PastHours)
	for i := range next.hours {
		next.hours[i] = gap
	}
	if had > 0 {
		if moved := next.until - p.until; moved < PastHours {
			for c := range had {
				copy(next.row(c), p.row(c)[moved:])
			}
		}
	}
	for _, h := range hours {
		if ago := next.until - 1 - h.Hour; h.Class < NumPasts && ago < PastHours {
			next.row(int(next.place[h.Class]) - 1)[PastHours-1-ago] = packed(h.Class, h.Value)
		}
	}
	return next
}

func (p *Past) row(i int) []int16 { return p.hours[i*PastHours : (i+1)*PastHours] }

func packed(c PastClass, v float64) int16 {
	if math.IsNaN(v) {
		return gap
	}
	return int16(max(math.MinInt16+1, min(math.Round(v*pastScale[c]), math.MaxInt16)))
}

// Until returns the hour after the newest.
func (p *Past) Until() int64 {
	if p == nil {
		return 0
	}
	return p.until
}

// Has reports whether there is anything of a class.
func (p *Past) Has(c PastClass) bool { return p != nil && p.place[c] > 0 }

// At returns the mean of an hour of a class, NaN where it is not known.
func (p *Past) At(c PastClass, hour int64) float64 {
	if !p.Has(c) || hour >= p.until || p.until-hour > PastHours {
		return math.NaN()
	}
	v := p.row(int(p.place[c]) - 1)[PastHours-(p.until-hour)]
	if v == gap {
		return math.NaN()
	}
	return float64(v) / pastScale[c]
}

// Score is what became of a forecast.
type Score string

// Scores of forecasts.
const (
	ScoreOpen  Score = ""      // its day has not come
	ScoreHit   Score = "hit"   // within the interval
	ScoreEarly Score = "early" // it came before the earliest day
	ScoreLate  Score = "late"  // it had not come by the latest
	ScoreVoid  Score = "void"  // nobody was looking when it should have come
)

// Forecast says when a series is going to reach a limit. It is kept as it was
// made, so that it can be scored.
type Forecast struct {
	Target     string     `json:"target"`
	Class      PastClass  `json:"class"`
	What       string     `json:"what"`  // "hottest part to 85 C"
	Limit      float64    `json:"limit"` // in the unit of the class
	Falling    bool       `json:"falling,omitempty"`
	Made       time.Time  `json:"made"`
	Low        time.Time  `json:"low"` // earliest
	At         time.Time  `json:"at"`  // likely
	High       time.Time  `json:"high"`
	Confidence Confidence `json:"confidence"`
	Score      Score      `json:"score,omitempty"`
	Scored     time.Time  `json:"scored,omitzero"`
}

// Norm is what devices of one make have in common when two of their values are
// held against each other: a line and the spread around it.
type Norm struct {
	X, Y, Slope, Spread float64 // the line goes through (X, Y)
	Peers               int
}

// Norms are the norms of one cohort.
type Norms struct {
	HeatByPower Norm // degrees above the inlet, by watts
	FansByInlet Norm // rpm, by the air they get
	// IdleW is what the idlest of them takes, 0 where that is not known.
	IdleW float64
}
