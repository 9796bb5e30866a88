package week

import (
	"time"

	"plumb/fleet"
)

// looks are the minutes of an hour that its mean is made of.
var looks = []time.Duration{5 * time.Minute, 20 * time.Minute, 35 * time.Minute, 50 * time.Minute}

// wattsKey is the series of a device's own watts.
var wattsKey = fleet.SeriesKey{Table: fleet.TableFacts, Row: "power_w", Field: fleet.FieldPower}

// Past is what the hours before the start were like: nothing was planted then.
// Devices of which too little is measured have none.
func (w *World) Past(id string) (out fleet.Summary) {
	out.Target = id
	for h := -24 * w.History; h < 0; h++ {
		at := time.Duration(h) * time.Hour
		add := func(k fleet.SeriesKey, decimals int, of func(Moment) float64) {
			sum := 0.0
			for _, l := range looks {
				sum += of(Moment(at + l))
			}
			mean := num(sum/float64(len(looks)), decimals)
			out.Series = append(out.Series, fleet.SeriesSummary{Key: k, From: w.Time(Moment(at)), To: w.Time(Moment(at + time.Hour)), Count: len(looks), Min: mean, Max: mean, Mean: mean})
		}
		switch x := w.byID[id].(type) {
		case *server:
			w.pastOf(x, add)
		case *netswitch:
			add(fleet.SeriesKey{Table: fleet.TablePorts, Row: "Ethernet1", Field: fleet.FieldCounter + fleet.SeriesField(fleet.InErrors)}, 3, func(Moment) float64 { return 0 })
		}
	}
	return out
}

func (w *World) pastOf(s *server, add func(fleet.SeriesKey, int, func(Moment) float64)) {
	sensor := func(i int) fleet.SeriesKey { return fleet.SeriesKey{Table: fleet.TableSensors, Row: s.defs[i].Key} }
	add(sensor(sensorInlet), 2, func(m Moment) float64 { return w.inlet(s, m) })
	add(sensor(sensorCPU), 2, func(m Moment) float64 { return w.cpu(s, m) })
	for f := range fans {
		add(sensor(sensorFans+f), 0, func(m Moment) float64 { return w.fan(s, f, m) })
	}
	add(wattsKey, 1, func(m Moment) float64 { return w.watts(s, m) })
}
