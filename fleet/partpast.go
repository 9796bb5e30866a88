package fleet

import (
	"cmp"
	"math"
	"slices"
)

// PartClass names what is kept of the weeks of one part: a port's optic, a power
// supply.
type PartClass uint8

// Classes of parts' weeks.
const (
	PartLight PartClass = iota // light that arrives at a port, dBm
	PartLaser                  // what a port's laser is driven with, mA
	PartYield                  // what a power supply gives of what it takes, a share
	PartLoad                   // what that supply gives, W
	NumParts  = iota
)

var partWords = [NumParts]string{"light", "laser", "yield", "load"}

func (c PartClass) String() string { return partWords[min(int(c), NumParts-1)] }

// A part keeps one hour of every PartEvery: what wears does so over weeks, and a
// switch has a hundred lasers.
const (
	PartEvery  = 8
	PartPoints = PastHours / PartEvery
)

// PartPast is the last weeks of one series of one part. Like all of a snapshot
// it is never written: [PartsWith] makes others.
type PartPast struct {
	Class  PartClass
	Part   string
	until  int64 // the point after the newest, in PartEvery hours since 1970
	points [PartPoints]float32
}

// PartHour is the mean of one hour of one series of a part.
type PartHour struct {
	Class PartClass
	Part  string
	Hour  int64 // since 1970
	Value float64
}

// Until returns the point after the newest.
func (p *PartPast) Until() int64 { return p.until }

// At returns a point, NaN where it is not known.
func (p *PartPast) At(point int64) float64 {
	if point >= p.until || p.until-point > PartPoints {
		return math.NaN()
	}
	return float64(p.points[PartPoints-(p.until-point)])
}

// set writes a point; what is older than the oldest is left out.
func (p *PartPast) set(point int64, v float64) {
	if moved := point + 1 - p.until; moved > 0 {
		keep := copy(p.points[:], p.points[min(moved, PartPoints):])
		for i := keep; i < PartPoints; i++ {
			p.points[i] = float32(math.NaN())
		}
		p.until = point + 1
	}
	if ago := p.until - 1 - point; ago < PartPoints {
		p.points[PartPoints-1-ago] = float32(v)
	}
}

// PartOf finds the weeks of a part; nil: none are kept.
func PartOf(list []PartPast, class PartClass, part string) *PartPast {
	if i, ok := findPart(list, class, part); ok {
		return &list[i]
	}
	return nil
}

func findPart(list []PartPast, class PartClass, part string) (int, bool) {
	return slices.BinarySearchFunc(list, PartPast{Class: class, Part: part}, func(a, b PartPast) int {
		return cmp.Or(int(a.Class)-int(b.Class), cmp.Compare(a.Part, b.Part))
	})
}

// PartsWith returns the weeks of a device's parts with hours added. A part of
// which nothing came for as long as is kept is forgotten.
func PartsWith(have []PartPast, hours []PartHour) []PartPast {
	next, newest := slices.Clone(have), int64(0)
	for _, h := range hours {
		i, ok := findPart(next, h.Class, h.Part)
		if !ok {
			next = slices.Insert(next, i, PartPast{Class: h.Class, Part: h.Part})
		}
		point := int64(math.Floor(float64(h.Hour) / PartEvery))
		next[i].set(point, h.Value)
		newest = max(newest, point)
	}
	return slices.DeleteFunc(next, func(p PartPast) bool { return newest-p.until >= PartPoints })
}
