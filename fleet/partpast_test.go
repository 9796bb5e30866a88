package fleet

import (
	"math"
	"testing"
)

// TestPartPast: a point is the last hour that came of it, what nobody told is
// not known, what is too old goes, and what was handed out is never written.
func TestPartPast(t *testing.T) {
	hour := func(part string, h int64, v float64) PartHour { return PartHour{PartLight, part, h, v} }
	one := PartsWith(nil, []PartHour{hour("e2", 80, -3), hour("e1", 81, -4), hour("e1", 87, -5), hour("e1", 96, -6)})
	p := PartOf(one, PartLight, "e1")
	if p == nil || p.At(10) != -5 || !math.IsNaN(p.At(11)) || p.At(12) != -6 || !math.IsNaN(p.At(9)) || !math.IsNaN(p.At(13)) {
		t.Fatalf("%+v", p)
	}
	if PartOf(one, PartLaser, "e1") != nil || PartOf(one, PartLight, "e3") != nil {
		t.Error("a part that nobody told of has weeks")
	}
	two := PartsWith(one, []PartHour{hour("e1", 8*(12+PartPoints-1), -7), hour("e1", 88, -8)})
	if p = PartOf(two, PartLight, "e1"); p.At(12) != -6 || p.At(12+PartPoints-1) != -7 || !math.IsNaN(p.At(11)) {
		t.Errorf("%v %v %v", p.At(12), p.At(12+PartPoints-1), p.At(11))
	}
	if PartOf(two, PartLight, "e2") != nil {
		t.Error("a part of which nothing came for weeks is kept")
	}
	if p = PartOf(one, PartLight, "e1"); p.At(12) != -6 || p.Until() != 13 {
		t.Error("what was handed out was written")
	}
	far := PartsWith(two, []PartHour{hour("e1", 8*1000, -9)})
	if p = PartOf(far, PartLight, "e1"); p.At(1000) != -9 || !math.IsNaN(p.At(999)) || !math.IsNaN(p.At(12+PartPoints-1)) {
		t.Error("a gap that is longer than what is kept leaves something behind")
	}
}
