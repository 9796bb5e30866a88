package engine

import (
	"strconv"
	"time"

	"plumb/fleet"
)

var zero time.Time

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func outletRow(o *fleet.Outlet) string { return strconv.Itoa(o.Index) }
func entityRow(e *fleet.Entity) string { return strconv.Itoa(e.Index) }
func vlanRow(v *fleet.VLAN) string     { return strconv.Itoa(v.ID) }
func neighborRow(n *fleet.Neighbor) string {
	return n.LocalPort + "\x1f" + n.Protocol + "\x1f" + n.RemoteChassis + "\x1f" + n.RemotePort
}

// outletKept leaves the measured values to the series.
func outletKept(o *fleet.Outlet) any {
	return fleet.Outlet{Index: o.Index, Name: o.Name, State: o.State}
}

// mergeSensors merges by key. A row whose definition did not change keeps the
// old pointer, so that ten thousand polls share one definition. readAt is when
// the rows before were read.
func (s *step) mergeSensors(rows []fleet.Sensor, o *fleet.Observation, readAt time.Time) []fleet.Sensor {
	c := o.Tables[fleet.TableSensors]
	if c == fleet.NotAsked || c == fleet.Failed {
		return rows
	}
	old := make(map[string]*fleet.Sensor, len(rows))
	for i := range rows {
		old[rows[i].Key] = &rows[i]
	}
	next := make([]fleet.Sensor, 0, len(o.Sensors))
	for _, x := range o.Sensors {
		if x.SensorDef == nil {
			continue
		}
		was := old[x.Key]
		delete(old, x.Key)
		switch {
		case was != nil && (was.SensorDef == x.SensorDef || *was.SensorDef == *x.SensorDef):
			x.SensorDef = was.SensorDef
		default:
			s.change(o.Target, fleet.TableSensors, x.Key, encode(x.SensorDef))
		}
		if c == fleet.Partial && was != nil && x.State == fleet.StateUnknown {
			x = unread(was, readAt)
		}
		next = append(next, x)
	}
	for i := range rows {
		x := rows[i]
		if old[x.Key] == nil {
			continue
		}
		if c == fleet.Partial {
			next = append(next, unread(&x, readAt))
			continue
		}
		s.change(o.Target, fleet.TableSensors, x.Key, nil)
	}
	return next
}

// unread is a sensor that a partial table did not show, or showed without a
// reading. What was in trouble stays in trouble, with the time it was last
// seen to be; what was well is unknown.
func unread(was *fleet.Sensor, readAt time.Time) fleet.Sensor {
	x := *was
	if !bad(x.State) {
		x.Value, x.State, x.Text, x.Stale = fleet.Num{}, fleet.StateUnknown, "", true
		return x
	}
	if !x.Stale {
		what := x.Text
		if what == "" {
			what = "was " + x.Value.String() + unit(x.Unit)
		}
		x.Text = what + ", not read since " + readAt.UTC().Format(clock)
	}
	x.Value, x.Stale = fleet.Num{}, true
	return x
}

// mergePorts merges by ifName and turns counters into rates over span.
func (s *step) mergePorts(rows []fleet.Port, o *fleet.Observation, span time.Duration) []fleet.Port {
	c := o.Tables[fleet.TablePorts]
	if c == fleet.NotAsked || c == fleet.Failed {
		return rows
	}
	old := make(map[string]*fleet.Port, len(rows))
	for i := range rows {
		old[rows[i].Name] = &rows[i]
	}
	next := make([]fleet.Port, 0, len(o.Ports))
	for _, x := range o.Ports {
		if x.PortDef == nil {
			continue
		}
		was := old[x.Name]
		delete(old, x.Name)
		if was != nil && (was.PortDef == x.PortDef || *was.PortDef == *x.PortDef) {
			x.PortDef = was.PortDef
		} else {
			s.change(o.Target, fleet.TablePorts, x.Name, encode(x.PortDef))
		}
		if was != nil {
			x.Rates, x.Neighbor = rates(was, &x, span), was.Neighbor
		}
		next = append(next, x)
	}
	for i := range rows {
		x := rows[i]
		if old[x.Name] == nil {
			continue
		}
		if c == fleet.Partial { // its next difference would span two polls
			x.Rates, x.Counters = fleet.Rates{}, fleet.Counters{}
			next = append(next, x)
			continue
		}
		s.change(o.Target, fleet.TablePorts, x.Name, nil)
	}
	return next
}

// withNeighbors writes the far end that each port hears; ports must be the
// caller's own.
func withNeighbors(ports []fleet.Port, ns []fleet.Neighbor) []fleet.Port {
	heard := make(map[string]string, len(ns))
	for _, n := range ns {
		if n.RemoteName != "" {
			heard[n.LocalPort] = n.RemoteName + "/" + n.RemotePort
		} else {
			heard[n.LocalPort] = n.RemoteChassis + "/" + n.RemotePort
		}
	}
	for i := range ports {
		ports[i].Neighbor = heard[ports[i].Name]
	}
	return ports
}
