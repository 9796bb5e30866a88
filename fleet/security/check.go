package security

import (
	"slices"
	"time"

	"plumb/fleet"
)

// Check is one question about a door.
type Check struct {
	ID       string
	Title    string
	Severity fleet.Severity
	How      string // how it was tried
	Fix      string
	// about reports whether such a door is there at all; nil: wherever its wire
	// is spoken. Where that is not known it is about it, and sees nothing.
	about func(v *view) bool
	// sees reports whether the facts answer the question in full: only then is
	// nothing found the same as nothing there.
	sees func(v *view) bool
	// look says what is wrong, "" where nothing is. observed is what a ruling
	// is held against. What it finds in half an answer is found.
	look func(v *view) (observed, text string)
	// all is look and sees of a check that asks the same of several parts, or
	// that needs more words than two.
	all func(c *Check, v *view) []fleet.Look
	// cloud is all of a check that is about clouds.
	cloud func(check *Check, c *fleet.Cloud, sc *Scene) []fleet.Look
	// at is when the oldest of what it looks at was read; nil: when the facts of
	// its wire were. inCloud is the table that one about clouds looks at.
	at      func(v *view) time.Time
	inCloud fleet.TableID
	// unasked counts the parts of a device, and unaskedIn those of a cloud, that
	// are not looked at because nobody said what is intended; nil: none.
	unasked   func(v *view) int
	unaskedIn func(c *fleet.Cloud, sc *Scene) int
}

// Checks are all checks of devices, in the order in which they are listed.
var Checks = slices.Concat(ipmiChecks, snmpChecks, netChecks)

// view is a device as a check sees it.
type view struct {
	d     *fleet.Device
	scene *Scene
	list  []User // see users
	asked bool
}

func (v *view) fact(name string) string { return v.d.Facts.Get(name) }

// speaks reports whether the device is spoken to over a wire.
func (v *view) speaks(wire fleet.Source) bool {
	return slices.ContainsFunc(v.d.Spec.Endpoints, func(e fleet.Endpoint) bool { return e.Source == wire })
}

// read reports whether the facts that a wire tells were read in full and not
// long ago. Each wire is asked by itself: that SNMP answers says nothing of a
// BMC.
func (v *view) read(wire fleet.Source) bool {
	for i := range v.d.Sources {
		if x := &v.d.Sources[i]; x.Source == wire {
			return x.Facts == fleet.Complete && v.scene.young(x.FactsAt, fleet.LaneSlow)
		}
	}
	return false
}

// readAt is when the oldest of what a check looks at on a device was read, zero
// where it never was.
func (c *Check) readAt(v *view) time.Time {
	if c.at != nil {
		return c.at(v)
	}
	return v.factsAt(c.wire())
}

// factsAt is when the facts that a wire tells were last read.
func (v *view) factsAt(wire fleet.Source) time.Time {
	for i := range v.d.Sources {
		if x := &v.d.Sources[i]; x.Source == wire {
			return x.FactsAt
		}
	}
	return time.Time{}
}

// doorsAt is when the doors that a BMC shows to strangers were read, which is
// more often than its other facts are.
func doorsAt(v *view) time.Time {
	at := v.factsAt(fleet.SourceIPMI)
	if n := v.d.Facts.Num(fleet.FactDoorsAt); n.Known {
		if told := time.Unix(int64(n.Float()), 0); told.After(at) && !told.After(v.scene.Now) {
			return told
		}
	}
	return at
}

// told is a question that one fact answers.
func told(name string) func(*view) bool {
	return func(v *view) bool { return v.fact(name) != "" }
}

// yes finds what a fact says of itself.
func yes(fact, text string) func(*view) (string, string) {
	return func(v *view) (string, string) {
		if v.fact(fact) == "yes" {
			return "yes", text
		}
		return "", ""
	}
}
