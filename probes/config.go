package probes

import (
	"errors"
	"fmt"
	"time"
)

// Config says how often and how patiently targets are polled.
type Config struct {
	Interval time.Duration // fast lane: readings, power, counters
	Tables   time.Duration // neighbours, new events
	Slow     time.Duration // definitions, inventory
	Timeout  time.Duration // one exchange with a target
	Parallel int           // polls under way at once among the living
	Patients int           // polls under way at once among the dead
	MaxPause time.Duration // longest wait between tries of a dead target; 0: five intervals
	AuthHold time.Duration // wait after a refused password
}

// Defaults are sound for a fleet of thousands.
func Defaults() Config {
	return Config{
		Interval: time.Minute, Tables: time.Minute, Slow: 5 * time.Minute, Timeout: 5 * time.Second,
		Parallel: 256, Patients: 32, AuthHold: time.Hour,
	}
}

// ErrConfig says that a setting makes no sense.
var ErrConfig = errors.New("poll settings")

// Validate checks the settings.
func (c Config) Validate() error {
	switch {
	case c.Interval < time.Second:
		return fmt.Errorf("%w: interval %s: less than 1s would hammer devices", ErrConfig, c.Interval)
	case c.Tables < c.Interval || c.Slow < c.Tables:
		return fmt.Errorf("%w: interval %s, tables %s, slow %s: each lane must be as slow as the one before", ErrConfig, c.Interval, c.Tables, c.Slow)
	case c.Timeout <= 0 || c.Timeout > time.Minute:
		return fmt.Errorf("%w: timeout %s is not between 0 and 1m", ErrConfig, c.Timeout)
	case c.Parallel < 1 || c.Patients < 1:
		return fmt.Errorf("%w: parallel and patients must be at least 1", ErrConfig)
	}
	return nil
}
