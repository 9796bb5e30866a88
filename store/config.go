package store

import (
	"errors"
	"fmt"
	"time"
)

// Config says where the store lives and how long it remembers.
type Config struct {
	Dir       string        // holds state.db, series.db and lock; made with mode 0700
	Retention Retention     // how long each tier of readings is kept
	Gather    time.Duration // how long a batch waits for company before it commits; one of many up to ten times as long, see gather.go
	Queue     int           // how many Apply calls may wait before the next one blocks
	Ballast   int64         // bytes set aside for when the disk is full, see room.go; negative: none
}

// Defaults returns the configuration of the contract, without a directory.
func Defaults() Config {
	const day = 24 * time.Hour
	return Config{
		Retention: Retention{Raw: 2 * day, FiveMin: 30 * day, Hour: 2 * 365 * day},
		Gather:    100 * time.Millisecond,
		Queue:     1024,
		Ballast:   32 << 20,
	}
}

// withDefaults fills what was left zero.
func (c Config) withDefaults() Config {
	d := Defaults()
	for _, f := range []struct{ set, def *time.Duration }{
		{&c.Retention.Raw, &d.Retention.Raw},
		{&c.Retention.FiveMin, &d.Retention.FiveMin},
		{&c.Retention.Hour, &d.Retention.Hour},
		{&c.Gather, &d.Gather},
	} {
		if *f.set == 0 {
			*f.set = *f.def
		}
	}
	if c.Queue == 0 {
		c.Queue = d.Queue
	}
	if c.Ballast == 0 {
		c.Ballast = d.Ballast
	}
	return c
}

// Validate reports everything that is wrong at once. Zero values stand for
// their defaults, but for Dir.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("store: "+format, args...)) }
	if c.Dir == "" {
		bad("dir: must not be empty")
	}
	errs = append(errs, c.Retention.validate())
	if c.Gather < 0 || c.Gather > time.Second {
		bad("gather: %v is not within 0 and 1s", c.Gather)
	}
	if c.Queue < 0 {
		bad("queue: %d is negative", c.Queue)
	}
	return errors.Join(errs...)
}
