package fleet

import (
	"fmt"
	"strings"
)

var fieldWords = [...]string{"value", "state", "current_a", "power_w"}

// String returns the key's text: the bare key for a sensor's value, else
// "table:row:field". It never contains what a row cannot.
func (k SeriesKey) String() string {
	if k.Table == TableSensors && k.Field == FieldValue {
		return k.Row
	}
	field := ""
	if k.Field >= FieldCounter {
		field = CounterID(k.Field - FieldCounter).String()
	} else {
		field = fieldWords[k.Field]
	}
	return k.Table.String() + ":" + k.Row + ":" + field
}

// ParseSeriesKey reads what String wrote. Anything that is not
// "table:row:field" with known words is a sensor's key.
func ParseSeriesKey(s string) SeriesKey {
	head, rest, ok := strings.Cut(s, ":")
	var k SeriesKey
	if i := strings.LastIndexByte(rest, ':'); ok && i >= 0 && k.Table.UnmarshalText([]byte(head)) == nil {
		k.Row = rest[:i]
		for f, w := range fieldWords {
			if w == rest[i+1:] {
				k.Field = SeriesField(f)
				return k
			}
		}
		for c := range CounterID(NumCounters) {
			if c.String() == rest[i+1:] {
				k.Field = FieldCounter + SeriesField(c)
				return k
			}
		}
	}
	return SeriesKey{Table: TableSensors, Row: s}
}

// SplitSeries splits "DEVICE/KEY" at the first slash.
func SplitSeries(id string) (target string, key SeriesKey, err error) {
	target, rest, ok := strings.Cut(id, "/")
	if !ok || target == "" || rest == "" {
		return "", SeriesKey{}, fmt.Errorf("%w: %q is not DEVICE/SENSOR", ErrWord, Clean(id, 80))
	}
	return target, ParseSeriesKey(rest), nil
}
