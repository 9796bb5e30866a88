package remotewrite

import (
	"cmp"
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"plumb/fleet"
	"plumb/views/export"
)

// The body of a request is a WriteRequest of prometheus/prompb, in protobuf and
// in a block of snappy:
//
//	WriteRequest { repeated TimeSeries timeseries = 1 }
//	TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2 }
//	Label        { string name = 1; string value = 2 }
//	Sample       { double value = 1; int64 timestamp = 2 } // milliseconds
//
// Labels are sorted by name. The records of a repeated field stand one after the
// other, so requests can be joined and cut between them.

// Tags of fields: number<<3 | wire type.
const (
	tagSeries = 1<<3 | 2
	tagLabel  = 1<<3 | 2
	tagSample = 2<<3 | 2
	tagName   = 1<<3 | 2
	tagText   = 2<<3 | 2
	tagValue  = 1<<3 | 1
	tagTime   = 2 << 3
)

// encoder turns rows of readings into records.
type encoder struct {
	match *Match
	extra []export.Label
	room  []export.Label
	body  []byte
}

func newEncoder(m *Match, labels map[string]string) *encoder {
	e := &encoder{match: m}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		e.extra = append(e.extra, export.Label{Name: name, Value: labels[name]})
	}
	return e
}

// row appends the series of one row that are wanted and known, and says how many
// they are and how many have no name any more: their part has left the device.
func (e *encoder) row(b []byte, d *fleet.Device, r *fleet.Readings) (out []byte, samples, nameless int) {
	at := r.At.UnixMilli()
	for i, key := range r.Keys {
		if !r.Values[i].Known {
			continue
		}
		x, ok := export.ReadingOf(d, key, i, e.room[:0])
		e.room = x.Labels
		if !ok {
			nameless++
			continue
		}
		value, known := number(&x, key, r.Values[i])
		if !known || !e.match.class(x.Class) {
			continue
		}
		b = e.series(b, &x, value, at)
		samples++
	}
	return b, samples, nameless
}

// number is a value as Prometheus keeps it. Counters are 64 bits without a sign.
func number(x *export.Reading, key fleet.SeriesKey, n fleet.Num) (float64, bool) {
	if key.Kind() == fleet.Counter {
		return float64(uint64(n.N)), true
	}
	n = x.Value(n)
	return n.Float(), n.Known
}

func (e *encoder) series(b []byte, x *export.Reading, value float64, at int64) []byte {
	labels := append(x.Labels, export.Label{Name: "__name__", Value: x.Name})
	for _, l := range e.extra {
		if !slices.ContainsFunc(labels, func(x export.Label) bool { return x.Name == l.Name }) {
			labels = append(labels, l)
		}
	}
	slices.SortFunc(labels, func(a, b export.Label) int { return cmp.Compare(a.Name, b.Name) })
	e.room = labels
	body := e.body[:0]
	for _, l := range labels {
		body = append(body, tagLabel)
		body = binary.AppendUvarint(body, uint64(stringLen(l.Name)+stringLen(l.Value)))
		body = appendString(body, tagName, l.Name)
		body = appendString(body, tagText, l.Value)
	}
	var sample [9 + 1 + binary.MaxVarintLen64]byte
	sample[0] = tagValue
	binary.LittleEndian.PutUint64(sample[1:], math.Float64bits(value))
	sample[9] = tagTime
	n := 10 + binary.PutUvarint(sample[10:], uint64(at))
	body = append(body, tagSample, byte(n))
	body = append(body, sample[:n]...)
	e.body = body
	b = binary.AppendUvarint(append(b, tagSeries), uint64(len(body)))
	return append(b, body...)
}

func appendString(b []byte, tag byte, s string) []byte {
	b = binary.AppendUvarint(append(b, tag), uint64(len(s)))
	return append(b, s...)
}

// stringLen is how many bytes appendString takes.
func stringLen(s string) int {
	n := 2 + len(s)
	for l := len(s); l >= 0x80; l >>= 7 {
		n++
	}
	return n
}
