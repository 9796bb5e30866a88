package trace

import (
	"fmt"
	"strconv"
	"strings"
)

// crossed finds the cord with which the cord of a starved supply changed places:
// the outlet it is meant to be in gives power, and another supply of the machine
// runs although its outlet is dead. It returns the other supply's number, 0
// where the cords are as intended or nothing shows that they are not.
func (q *inquiry) crossed(n, psu int) int {
	d := q.s.Devices.At(n)
	if !supplyDead(d, psu) {
		return 0
	}
	other, gives := 0, false
	for k, c := range q.g.devices[n].cords {
		switch {
		case c.psu == psu:
			gives = c.pdu >= 0 && q.gives(c)
		case supplyWell(d, c.psu) && q.deadCord(n, k):
			other = c.psu
		}
	}
	if !gives {
		return 0
	}
	return other
}

// gives reports whether watts are measured at the outlet of a cord.
func (q *inquiry) gives(c cordNode) bool {
	pdu := q.s.Devices.At(c.pdu)
	o := outletOf(pdu, c.outlet)
	return o != nil && q.witness(pdu) && o.State == "on" && o.PowerW.Known && o.PowerW.Float() >= idleW
}

// crossedText says what shows that two cords changed places.
func (q *inquiry) crossedText(p Part) string {
	psu, _ := supplyName(p.Name)
	other := q.crossed(p.N, psu)
	if other == 0 {
		return ""
	}
	for _, c := range q.g.devices[p.N].cords {
		if c.psu == psu {
			id := q.s.Devices.ID(c.pdu) + "/" + strconv.Itoa(c.outlet)
			o := outletOf(q.s.Devices.At(c.pdu), c.outlet)
			return fmt.Sprintf("crossed cords: %s gives %s W, but PSU %d, meant to be in it, has no input; PSU %d runs, and its outlet is dead", id, o.PowerW, psu, other)
		}
	}
	return ""
}

// hangs is the PDU where the cord of a starved supply must be, "" where its cords
// are as intended.
func (q *inquiry) hangs(p Part) string {
	psu, _ := supplyName(p.Name)
	other := q.crossed(p.N, psu)
	for _, c := range q.g.devices[p.N].cords {
		if other != 0 && c.psu == other && c.pdu >= 0 {
			return q.s.Devices.ID(c.pdu)
		}
	}
	return ""
}

// supplyNo is the number in what a reason speaks of: "PSU 2".
func supplyNo(about string) int {
	text, _ := strings.CutPrefix(about, "PSU ")
	no, _ := strconv.Atoi(text)
	return no
}
