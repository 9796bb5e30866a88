package ipmi

import (
	"fmt"

	"plumb/fleet"
)

// repository is what the sensor records said: the sensors to read, with
// definitions that polls share, and names for the log. It is made once per
// change of the records and never written after that, but for the limits of
// settable thresholds, which replace a sensor's definition.
type repository struct {
	key      sdrKey
	complete bool
	trouble  string // why it is not complete
	sensors  []*sensor
	names    map[address]string // with the channel left out, as the log has none
	frus     []locator
}

// sdrKey is what a cached repository is valid for.
type sdrKey struct {
	device, revision   uint8
	firmware           [2]uint8
	records            uint16
	added, erased      uint32
	isDevice, isStatic bool // device SDRs instead of a repository; static ones have no times
}

// sensor is one thing to read.
type sensor struct {
	record
	def     *fleet.SensorDef
	foreign bool              // another controller's: not ours to read
	perRaw  map[uint8]factors // non-linear sensors: factors by raw byte
}

// maxSensors bounds what one BMC may make us read: owner, LUN and number
// allow a thousand, real machines have up to 300.
const maxSensors = 1024

// newRepository makes sensors of raw records. Records that break the
// standard are skipped and counted in trouble.
func newRepository(key sdrKey, records [][]byte, q quirks) *repository {
	rep := &repository{key: key, complete: true, names: make(map[address]string, len(records))}
	bad := 0
	seen := make(map[string]bool, len(records))
	for _, b := range records {
		list, fru, err := parseSDR(b)
		if err != nil {
			bad++
			continue
		}
		if fru != nil {
			rep.frus = append(rep.frus, *fru)
		}
		for _, r := range list {
			rep.names[r.bare()] = r.name
			if k := r.key(); r.readable && !seen[k] && len(rep.sensors) < maxSensors {
				seen[k] = true
				rep.sensors = append(rep.sensors, newSensor(r, q))
			}
		}
	}
	if bad > 0 {
		rep.flaw(fmt.Sprintf("%d sensor records could not be read", bad))
	}
	return rep
}

func (rep *repository) flaw(why string) {
	rep.complete = false
	if rep.trouble == "" {
		rep.trouble = why
	}
}

// bare is the address without its channel.
func (a address) bare() address { a.channel = 0; return a }

func newSensor(r record, q quirks) *sensor {
	s := &sensor{record: r, foreign: r.owner != addrBMC && !q.has(quirkAssumeBMCOwner)}
	s.define(s.limits(r.threshold, s.sdrMask()))
	return s
}

// sdrMask is which thresholds the record itself carries.
func (s *sensor) sdrMask() uint8 {
	if !s.hasLimits || s.threshold == [6]byte{} {
		return 0
	}
	return s.readMask
}

// define gives the sensor a fresh definition; the old one may be in use by a
// snapshot and stays as it is.
func (s *sensor) define(l fleet.Limits) {
	class, unit := s.classify()
	s.def = &fleet.SensorDef{ID: s.id, Key: s.key(), Name: s.name, Class: class, Unit: unit, Limits: l}
}

// asksLimits reports whether the thresholds must be asked for: they can be
// set by anyone, or the record does not carry them.
func (s *sensor) asksLimits() bool {
	if s.foreign || s.reading != readingThreshold || !s.analogue || s.readMask == 0 {
		return false
	}
	return s.access == 2 || s.access == 1 && s.sdrMask() == 0
}
