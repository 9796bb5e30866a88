package config

import (
	"fmt"
	"math"
	"time"

	"go.yaml.in/yaml/v3"
)

// units of durations; a day is 24 h, a year 365 days.
var units = []struct {
	name string
	is   time.Duration
}{
	{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour},
	{"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour}, {"y", 365 * 24 * time.Hour},
}

// ParseDuration reads durations such as 500ms, 60s, 1h30m, 30d and 2y: whole
// numbers, each with a unit of ms s m h d w y.
func ParseDuration(s string) (time.Duration, error) {
	var total time.Duration
	rest := s
	for rest != "" || s == "" {
		n, digits := int64(0), 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' && digits < 18 {
			n = n*10 + int64(rest[digits]-'0')
			digits++
		}
		letters := digits
		for letters < len(rest) && rest[letters] >= 'a' && rest[letters] <= 'z' {
			letters++
		}
		unit := unitOf(rest[digits:letters])
		if digits == 0 || unit == 0 {
			return 0, fmt.Errorf("%w: %s is not a duration like 30s, 1h30m, 30d or 2y", ErrInvalid, quote(s))
		}
		if n > int64(math.MaxInt64-total)/int64(unit) {
			return 0, fmt.Errorf("%w: %s is too long", ErrInvalid, quote(s))
		}
		total += time.Duration(n) * unit
		rest = rest[letters:]
	}
	return total, nil
}

func unitOf(name string) time.Duration {
	for _, u := range units {
		if u.name == name {
			return u.is
		}
	}
	return 0
}

// duration is a time.Duration in the file.
type duration struct {
	time.Duration
	set bool
	at  place
}

func (t *duration) fromYAML(d *decoder, n *yaml.Node, what string) {
	s, ok := d.text(n, what)
	if !ok {
		return
	}
	v, err := ParseDuration(s)
	if err != nil {
		d.errs.add(d.at(n), what, quote(s)+" is not a duration like 30s, 1h30m, 30d or 2y", "")
		return
	}
	*t = duration{v, true, d.at(n)}
}

// to sets a setting if the file says one.
func (t duration) to(setting *time.Duration) {
	if t.set {
		*setting = t.Duration
	}
}
