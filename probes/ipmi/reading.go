package ipmi

import (
	"fmt"
	"strings"

	"plumb/fleet"

	"github.com/bougou/go-ipmi/pkg/types"
)

// Event/reading types (table 42-1).
const (
	readingThreshold = 0x01
	readingRedundant = 0x0b // redundancy: offsets of table 42-2
	readingSpecific  = 0x6f
)

// raw is an answer to Get Sensor Reading (section 35.14), decoded.
type raw struct {
	value       uint8
	scanning    bool
	unavailable bool
	states      uint16 // comparisons, or discrete states
	hasStates   bool
}

// parseReading reads that answer. Some BMCs leave out the states.
func parseReading(b []byte) (raw, error) {
	if len(b) < 2 {
		return raw{}, fail("get sensor reading", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(b)))
	}
	r := raw{value: b[0], scanning: b[1]&0x40 != 0, unavailable: b[1]&0x20 != 0}
	if len(b) > 2 {
		r.states, r.hasStates = uint16(b[2]), true
	}
	if len(b) > 3 {
		r.states |= uint16(b[3]&0x7f) << 8
	}
	return r, nil
}

// judge turns a reading into value, state and text. hostOff says that the
// machine is off: a sensor that then has nothing to say is off, not unknown.
// So is one whose record says to ignore it while its part is absent: an empty
// slot is no riddle.
func (r *record) judge(x raw, f factors, l fleet.Limits, q quirks, hostOff bool) (fleet.Num, fleet.State, string) {
	if x.unavailable || !x.scanning && !q.has(quirkIgnoreScanning) {
		return fleet.Num{}, silence(hostOff || r.ifPresent), ""
	}
	if !r.analogue && r.reading != readingThreshold {
		n, s, text := r.discrete(x.states)
		if q.has(quirkDiscreteReading) {
			n = fleet.Int(int64(x.value))
		}
		return n, s, text
	}
	if r.reading != readingThreshold { // analogue value, discrete states: both
		_, s, text := r.discrete(x.states)
		return r.convert(x.value, f), s, text
	}
	var n fleet.Num
	if r.analogue {
		n = r.convert(x.value, f)
	}
	return n, r.compare(x, l, n), ""
}

// silence is the state of a sensor that does not read.
func silence(hostOff bool) fleet.State {
	if hostOff {
		return fleet.StateOff
	}
	return fleet.StateUnknown
}

// Bits of a threshold comparison and of the threshold masks.
const (
	bitLNC = 1 << iota
	bitLC
	bitLNR
	bitUNC
	bitUC
	bitUNR
)

// compare takes the BMC's own comparison where its record promises one, and
// ours where it does not.
func (r *record) compare(x raw, l fleet.Limits, n fleet.Num) fleet.State {
	if !x.hasStates || r.compares == 0 {
		if !r.analogue {
			return fleet.StateOK
		}
		return l.Judge(n)
	}
	switch bits := uint8(x.states); {
	case bits&(bitLC|bitLNR|bitUC|bitUNR) != 0:
		return fleet.StateCrit
	case bits&(bitLNC|bitUNC) != 0:
		return fleet.StateWarn
	}
	return fleet.StateOK
}

// discrete reads a state sensor: its value is the bits, its text the words
// of the asserted states, its state the worst of them.
func (r *record) discrete(states uint16) (fleet.Num, fleet.State, string) {
	state := fleet.StateOK
	var words []string
	for i := range 15 {
		if states&(1<<i) == 0 {
			continue
		}
		text, severity := eventWords(r.reading, r.kind, uint8(i), true)
		words = append(words, text)
		state = fleet.Worst(state, severityState(severity))
	}
	return fleet.Int(int64(states)), state, strings.Join(words, ", ")
}

func severityState(s fleet.Severity) fleet.State {
	switch s {
	case fleet.SeverityCrit:
		return fleet.StateCrit
	case fleet.SeverityWarn:
		return fleet.StateWarn
	}
	return fleet.StateOK
}

// eventWords is the text and the severity of one state or event (tables 42-2
// and 42-3). A state that ends is information: what it leaves behind has a
// state of its own.
func eventWords(reading, kind, offset uint8, asserted bool) (string, fleet.Severity) {
	t := types.EventReadingType(reading)
	e := t.EventForOffset(types.SensorType(kind), offset)
	if e == nil {
		return fmt.Sprintf("state %d", offset), fleet.SeverityInfo
	}
	text := eventName(e.EventName)
	if !asserted {
		return text, fleet.SeverityInfo
	}
	if reading == readingRedundant {
		return text, redundancy(offset)
	}
	switch t.EventSeverity(types.SensorType(kind), types.EventData{EventData1: offset}, types.EventDirAssertion) {
	case types.EventSeverityCritical:
		return text, fleet.SeverityCrit
	case types.EventSeverityWarning, types.EventSeverityDegraded, types.EventSeverityNonFatal:
		return text, fleet.SeverityWarn
	}
	return text, fleet.SeverityInfo
}

// redundancy grades what a machine says of fans or supplies together: that no
// more of them may fail is a warning for as long as those that are left suffice.
func redundancy(offset uint8) fleet.Severity {
	switch offset {
	case 0: // fully redundant
		return fleet.SeverityInfo
	case 5: // insufficient resources
		return fleet.SeverityCrit
	}
	return fleet.SeverityWarn
}

// eventName tidies the library's spelling.
func eventName(s string) string {
	s = strings.TrimSpace(s)
	if s == "Power Off / Power Dow" {
		return "Power Off / Power Down"
	}
	return s
}
