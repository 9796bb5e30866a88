package week

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"plumb/fleet"
)

// pdu is a PDU, or a UPS, of which little is read.
type pdu struct {
	id, site, rack, feed string
	side, n              int
	ups                  bool
	hangs                map[int]string // by outlet, "device psu" as intended
}

const switchW = 75 // of each of a switch's two supplies

// dark reports whether a PDU gives nothing.
func (w *World) dark(id string, m Moment) (is bool) {
	p := w.byID[id].(*pdu)
	w.events(id, m, func(e *Event) { is = is || e.PDU == id })
	w.events(p.feed, m, func(e *Event) { is = is || e.Feed == p.feed })
	return is
}

// outletWatts is what an outlet gives, by who really hangs there.
func (w *World) outletWatts(p *pdu, no int, m Moment) float64 {
	if w.dark(p.id, m) {
		return 0
	}
	w.events(p.id, m, func(e *Event) {
		if len(e.Outlets) == 2 {
			switch no {
			case e.Outlets[0]:
				no = e.Outlets[1]
			case e.Outlets[1]:
				no = e.Outlets[0]
			}
		}
	})
	name, psu, ok := strings.Cut(p.hangs[no], " ")
	if !ok {
		return 0
	}
	s, isServer := w.byID[name].(*server)
	switch {
	case !isServer && w.dark(p.other(), m):
		return 2 * switchW
	case !isServer:
		return switchW
	}
	one, two := w.supplies(s, m)
	watts := one
	if psu == "2" {
		watts = two
	}
	return watts * (1.02 + 0.01*w.normal(p.id, "outlet", minute(m)*64+int64(no)))
}

// other is the PDU on the other side of the rack.
func (p *pdu) other() string { return p.id[:len(p.id)-1] + []string{"b", "a"}[p.side] }

var (
	pduTotal   = &fleet.SensorDef{ID: "1", Key: "rPDU2DeviceStatus:device 1 power", Name: "device 1 power", Class: fleet.ClassPower, Unit: "W"}
	pduCurrent = &fleet.SensorDef{ID: "2", Key: "rPDU2PhaseStatus:phase 1 current", Name: "phase 1 current", Class: fleet.ClassCurrent, Unit: "A", Limits: fleet.Limits{HighWarn: fleet.Int(30), HighCrit: fleet.Int(32)}}
	upsCharge  = &fleet.SensorDef{ID: "3", Key: "ups:battery charge", Name: "battery charge", Class: fleet.ClassCharge, Unit: "%"}
	upsSource  = &fleet.SensorDef{ID: "4", Key: "ups:output source", Name: "output source", Class: fleet.ClassState}
)

// readPDU fills in what a PDU or UPS shows.
func (w *World) readPDU(o *fleet.Observation, p *pdu, m Moment) {
	o.SetTable(fleet.TableSensors, fleet.Complete)
	if p.ups {
		o.SetTable(fleet.TableOutlets, fleet.Absent)
		o.Sensors = []fleet.Sensor{{SensorDef: upsCharge, Value: fleet.Int(100), State: fleet.StateOK}, {SensorDef: upsSource, Value: fleet.Int(3), State: fleet.StateOK, Text: "normal"}}
		return
	}
	o.SetTable(fleet.TableOutlets, fleet.Complete)
	total := 0.0
	for no := 1; no <= outlets; no++ {
		watts := max(0, math.Round(w.outletWatts(p, no, m)))
		total += watts
		name := "Outlet " + strconv.Itoa(no)
		if d, _, ok := strings.Cut(p.hangs[no], " "); ok {
			name = d
		}
		o.Outlets = append(o.Outlets, fleet.Outlet{Index: no, Name: name, State: "on", CurrentA: num(watts/230, 1), PowerW: num(watts, 0)})
	}
	amps := num(total/230, 1)
	o.Sensors = []fleet.Sensor{{SensorDef: pduTotal, Value: num(total, 0), State: fleet.StateOK}, {SensorDef: pduCurrent, Value: amps, State: pduCurrent.Limits.Judge(amps)}}
}

// pduFacts are those of the slow lane.
func (w *World) pduFacts(p *pdu, m Moment) fleet.Facts {
	pairs := map[string]string{fleet.FactVendor: "APC", fleet.FactModel: word(p.ups, "93PM-100", "AP8959EU3"), fleet.FactSerial: fmt.Sprintf("P%05d", p.n), fleet.FactFirmware: word(p.ups, "3.09", "7.1.2"),
		fleet.FactName: p.id, "snmp.access": "v2c", "snmp.community": "own"}
	return w.factsOf(p.id, pairs, m)
}

// factsOf makes facts of pairs as the script has changed them.
func (w *World) factsOf(id string, pairs map[string]string, m Moment) (f fleet.Facts) {
	w.events(id, m, func(e *Event) {
		for k, v := range e.Set {
			pairs[k] = v
		}
	})
	for k, v := range pairs {
		f.Set(k, v)
	}
	return f
}
