package engine

import (
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// Status is the row that keeps what a device or a cloud was judged to be. Its
// versions are what was on the screens, moment by moment: not all that a
// judgement rests on can be read back from memory, such as the words of a
// sensor, the rate of a port's errors, or that the last poll failed.
type Status struct {
	State      fleet.State       `json:"state"`
	Reasons    []string          `json:"reasons"`
	About      []string          `json:"about,omitempty"`
	Power      fleet.Power       `json:"power"`
	BlindSince time.Time         `json:"blind_since,omitzero"`
	Err        *fleet.ProbeError `json:"error,omitempty"`
}

func statusOf(d *fleet.Device) Status {
	return Status{State: d.State, Reasons: d.Reasons, About: d.About, Power: d.Power, BlindSince: d.BlindSince, Err: d.Err}
}

// errorsEvery is how often a row of status is written for the sake of an error
// alone: one that is another at each poll must not write at each poll.
const errorsEvery = time.Minute

// keepStatus writes down what a device is judged to be.
func (s *step) keepStatus(d *fleet.Device) {
	s.changed = true
	d.Kept = fleet.Kept{Blind: d.BlindSince, Error: errorText(d.Err), At: s.now}
	s.change(d.Spec.ID, fleet.TableStatus, "device", encode(statusOf(d)))
}

// unkept reports whether a device is blind, or fails, otherwise than the last
// row of its status says, and that is worth a row.
func (s *step) unkept(d *fleet.Device) bool {
	return !d.Kept.Blind.Equal(d.BlindSince) || d.Kept.Error != errorText(d.Err) && s.now.Sub(d.Kept.At) >= errorsEvery
}

// errorText tells errors apart without their numbers.
func errorText(e *fleet.ProbeError) string {
	if e == nil {
		return ""
	}
	return e.Kind() + " " + withoutDigits(e.Op+": "+e.Err.Error())
}

// recallStatus reads a judgement that was kept; nil where it does not decode.
func recallStatus(rows *fleet.Rows) *Status {
	st := decode[Status](rows.Values[len(rows.Values)-1])
	if st != nil && st.Err != nil {
		st.Err.Target = rows.Target
	}
	return st
}

// aboutStart is the note on a device that a restart judged otherwise than the
// store holds it. Its next judgement differs from that by the note, and so is
// written down even where it says what the restart said.
const aboutStart = aboutNote + "start"

// unsettle marks what a restart judged otherwise than before, and the jobs that
// the process before it had in hand.
func (s *step) unsettle() {
	s.next.Jobs = fleet.Leave(s.next.Jobs)
	for i, was := range s.statuses {
		if was == nil {
			continue
		}
		d := s.devices.At(i)
		d.Kept = fleet.Kept{Blind: was.BlindSince, Error: errorText(was.Err)}
		if d.State != was.State || !was.BlindSince.IsZero() || !slices.Equal(d.About, was.About) {
			d.About = append(slices.Clone(d.About), aboutStart)
		}
	}
}

// AsOf makes the snapshot of a past time from what the store knows of it:
// like a restart at that time, with the judgements that were made then.
func (g *Ground) AsOf(mem fleet.Memory, at time.Time) *fleet.Snapshot {
	past := *g.restore(mem, at, (*step).settlePast)
	past.At, past.Live = at, false
	return &past
}

// settlePast puts the judgements of then in their place. One of a device that
// had not been seen for two intervals stands only if it says so: a plumb that
// ran would have noticed, so this is a time at which none did, and what the
// restart judges, the last values with their age, is what can be said.
func (s *step) settlePast() {
	for i, was := range s.statuses {
		if was != nil {
			s.settleDevice(s.devices.At(i), was)
		}
	}
	for i, was := range s.cloudStatuses {
		s.settleCloud(s.clouds.At(i), was)
	}
	for i := range s.clouds.Len() {
		if c := s.clouds.Peek(i); c.State == fleet.StateUnknown {
			s.loseHosts(c.Spec.Name)
		}
	}
	s.guests = true
}

func (s *step) settleDevice(d *fleet.Device, was *Status) {
	d.BlindSince, d.Err = was.BlindSince, was.Err
	if s.silent(d) && was.State != fleet.StateUnknown {
		return
	}
	reasons := slices.Clone(was.Reasons)
	for i, about := range was.About {
		if k := slices.Index(d.About, about); i < len(reasons) && k >= 0 && k < len(d.Reasons) && alike(reasons[i], d.Reasons[k]) {
			reasons[i] = d.Reasons[k] // with the numbers of this moment
		}
	}
	d.State, d.Reasons, d.About = was.State, reasons, was.About
}

// alike reports whether two sentences differ in their numbers only.
func alike(a, b string) bool { return withoutDigits(a) == withoutDigits(b) }

func withoutDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, s)
}

func (s *step) settleCloud(c *fleet.Cloud, was *Status) {
	if s.now.Sub(c.SeenAt) > 2*s.next.Intervals[fleet.LaneFast] && was.State != fleet.StateUnknown {
		return
	}
	c.State, c.Reasons, c.BlindSince, c.Err = was.State, was.Reasons, was.BlindSince, was.Err
}
