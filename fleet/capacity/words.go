package capacity

import (
	"math"
	"strconv"
	"strings"

	"plumb/fleet"
)

// watt writes watts with the thousands apart: 5,616 W.
func watt(w float64) string {
	if math.IsNaN(w) {
		return "? W"
	}
	n := int64(math.Round(w))
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s + " W"
}

// Speed writes a port's speed: 25G, 2.5G, 100M.
func Speed(bps int64) string {
	switch {
	case bps <= 0:
		return "speed not known"
	case bps >= 1e9:
		return strconv.FormatFloat(float64(bps)/1e9, 'g', 4, 64) + "G"
	}
	return strconv.FormatFloat(float64(bps)/1e6, 'g', 4, 64) + "M"
}

// named lists loads with their watts, the heaviest first, three at most.
func (t *tree) named(loads []int) string {
	var b strings.Builder
	for i, k := range loads {
		if i == 3 {
			b.WriteString(" and " + strconv.Itoa(len(loads)-3) + " more")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.loads[k].name + " (" + watt(t.loads[k].watts()) + ")")
	}
	return b.String()
}

// sum adds what is known; of nothing it is null.
type sum struct {
	total float64
	known bool
	blank int
}

func (s *sum) add(n fleet.Num) {
	if !n.Known {
		s.blank++
		return
	}
	s.total, s.known = s.total+n.Float(), true
}

// num is null as well where a part is missing: the rest is not the whole.
func (s *sum) num(unit string) fleet.Num {
	if !s.known || s.blank > 0 {
		return fleet.Num{}
	}
	return whole(s.total, unit)
}

// some is the sum of what is known.
func (s *sum) some(unit string) fleet.Num {
	if !s.known {
		return fleet.Num{}
	}
	return whole(s.total, unit)
}
