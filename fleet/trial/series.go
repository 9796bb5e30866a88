package trial

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"plumb/fleet"
)

// ErrSeries is behind every error of a series.
var ErrSeries = errors.New("series")

// maxSamples bounds one series: three months by the minute.
const maxSamples = 130_000

// ParseValues reads samples as promtool writes them, one for each interval from
// the start: "1 2 3", "1+2x3" for 1 3 5 7, "9-1x2" for 9 8 7, "4x2" for 4 4 4,
// "_" and "_x3" for what could not be read. A word, such as up or crit, may
// stand for a number.
func ParseValues(s string) (out []string, err error) {
	for _, w := range strings.Fields(s) {
		head, times, repeated := strings.Cut(w, "x")
		n, err := 0, error(nil)
		if repeated {
			if n, err = strconv.Atoi(times); err != nil || n < 0 || n > maxSamples {
				head, n, repeated = w, 0, false // a word with an x in it
			}
		}
		if head == "_" && repeated {
			n-- // of what is missing it is the number, as promtool has it
		}
		from, step, isNumber := sequence(head)
		for i := range n + 1 {
			if !isNumber {
				out = append(out, head)
				continue
			}
			out = append(out, fleet.FromFloat(from+float64(i)*step, 6).String())
		}
		if len(out) > maxSamples {
			return nil, fmt.Errorf("%w: more than %d samples", ErrSeries, maxSamples)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: has no values", ErrSeries)
	}
	return out, nil
}

// sequence reads 5, 5+2 and 5-2: where it begins and by how much it goes on.
func sequence(s string) (from, step float64, ok bool) {
	cut := strings.LastIndexAny(s, "+-")
	if cut > 0 {
		a, err := strconv.ParseFloat(s[:cut], 64)
		b, err2 := strconv.ParseFloat(s[cut:], 64)
		if err == nil && err2 == nil {
			return a, b, true
		}
	}
	from, err := strconv.ParseFloat(s, 64)
	return from, 0, err == nil
}
