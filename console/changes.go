package console

import (
	"context"
	"encoding/json"
	"time"

	"plumb/fleet"
)

// watched is one line of watch.
type watched struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	ID   string    `json:"id"`
	What string    `json:"what"`
}

func differences(a, b *fleet.Snapshot) []watched {
	var out []watched
	at := b.At.UTC()
	for id, d := range b.Devices.All() {
		was := a.Devices.Get(id)
		switch {
		case was == nil:
			out = append(out, watched{at, "device", id, "added"})
		case was.State != d.State:
			out = append(out, watched{at, "device", id, was.State.String() + " → " + d.State.String() + why(d.Reasons)})
		case was.Blind() != d.Blind():
			out = append(out, watched{at, "device", id, map[bool]string{true: "blind", false: "seen again"}[d.Blind()]})
		}
	}
	for id := range a.Devices.All() {
		if b.Devices.Get(id) == nil {
			out = append(out, watched{at, "device", id, "removed"})
		}
	}
	for id, x := range b.Services.All() {
		if was := a.Services.Get(id); was != nil && was.State != x.State {
			out = append(out, watched{at, "service", id, was.State.String() + " → " + x.State.String() + why(x.Reasons)})
		}
	}
	for id, x := range b.Instances.All() {
		was := a.Instances.Get(id)
		switch {
		case was == nil:
			out = append(out, watched{at, "instance", id, "added"})
		case was.State != x.State || was.Host != x.Host:
			out = append(out, watched{at, "instance", id, was.State.String() + " → " + x.State.String() + " on " + x.Host})
		}
	}
	return out
}

func why(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return ": " + reasons[0]
}

// eachChange hands over one line of JSON for each change between the snapshots
// that it gets to see, until ctx ends, the store stops or yield says no. It
// skips snapshots rather than hold anyone up.
func eachChange(ctx context.Context, w Watch, yield func(line []byte) bool) {
	var last *fleet.Snapshot
	for {
		s, err := w.Next(ctx)
		if err != nil {
			return
		}
		if last != nil {
			for _, ch := range differences(last, s) {
				if !yield(lineOf(ch)) {
					return
				}
			}
		}
		last = s
	}
}

func lineOf(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // strings and numbers only
		panic(err)
	}
	return append(b, '\n')
}
