package engine

import (
	"fmt"
	"math"
	"time"

	"plumb/fleet"
)

// sampleSpan is the time between the last port sample and this one, or 0 where
// a difference would mean nothing: no earlier sample, a clock that did not
// advance, or an agent that restarted in between.
func sampleSpan(was *fleet.Device, o *fleet.Observation) time.Duration {
	last := was.Tables[fleet.TablePorts].At
	span := o.At.Sub(last)
	if last.IsZero() || span <= 0 {
		return 0
	}
	if restarted(was.Facts.Num(fleet.FactUptime), o.Facts.Num(fleet.FactUptime), o.At.Sub(was.UptimeAt)) {
		return 0
	}
	return span
}

// restarted compares two uptimes in seconds. An agent that ran on shows about
// the time that passed; one that restarted shows less. sysUpTime is a 32-bit
// count of hundredths (RFC 3418 section 2) and rolls over after 497 days: what
// would be right modulo its range is not a restart.
func restarted(before, after fleet.Num, span time.Duration) bool {
	if !before.Known || !after.Known {
		return false
	}
	const top = (math.MaxUint32 + 1) / 100.0
	missing := before.Float() + span.Seconds() - after.Float()
	slack := 10 + span.Seconds()/20
	return missing > slack && math.Abs(missing-top) > slack
}

// uptime writes seconds for people.
func uptime(s fleet.Num) string {
	d := time.Duration(s.Float() * float64(time.Second))
	if d >= 48*time.Hour {
		return fmt.Sprintf("%.0f d", d.Hours()/24)
	}
	return d.Round(time.Second).String()
}

// rates turns two samples of one port into rates per second. A span of zero, a
// port that moved to another ifIndex and a discontinuity (RFC 2863,
// ifCounterDiscontinuityTime) are gaps, never zeros and never spikes.
func rates(was, is *fleet.Port, span time.Duration) fleet.Rates {
	if span <= 0 || was.Index != is.Index || was.Discontinuity != is.Discontinuity {
		return fleet.Rates{}
	}
	speed := is.SpeedBps.Float() // NaN where not known
	octets := func(id fleet.CounterID) fleet.Num {
		n, ok := delta(was, is, id, span, speed/8)
		if !ok {
			return fleet.Num{}
		}
		return fleet.FromFloat(float64(n)*8/span.Seconds(), 0)
	}
	per := func(ids ...fleet.CounterID) fleet.Num {
		var sum uint64
		for _, id := range ids {
			n, ok := delta(was, is, id, span, speed/8/64) // no frame is shorter than 64 bytes
			if !ok {
				return fleet.Num{}
			}
			sum += n
		}
		return fleet.FromFloat(float64(sum)/span.Seconds(), 3)
	}
	return fleet.Rates{
		InBps: octets(fleet.InOctets), OutBps: octets(fleet.OutOctets),
		Errors: per(fleet.InErrors, fleet.OutErrors), Discards: per(fleet.InDiscards, fleet.OutDiscards),
	}
}

// delta is the difference of one counter. A decrease is a wrap only where the
// wrapped rate could have gone over the wire: at most 1.05 times limit, in
// units a second; a limit that is not known allows no wrap.
func delta(was, is *fleet.Port, id fleet.CounterID, span time.Duration, limit float64) (uint64, bool) {
	a, ok := was.Counters.Get(id)
	b, ok2 := is.Counters.Get(id)
	wide := is.Counters.Wide&(1<<id) != 0
	if !ok || !ok2 || wide != (was.Counters.Wide&(1<<id) != 0) {
		return 0, false
	}
	if b >= a {
		return b - a, true
	}
	n := b - a // modulo 2^64
	if !wide {
		n = uint64(uint32(n))
	}
	return n, float64(n)/span.Seconds() <= 1.05*limit
}
