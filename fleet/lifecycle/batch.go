package lifecycle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// A trouble of a model is one that at least so many of its machines had in a
// region, as so great a part of them, at hours that differ: what they had at
// once came from above them.
const (
	batchLeast = Often
	batchShare = 0.05
	batchApart = time.Hour
)

// trouble is one part's trouble on the machines of one model.
type trouble struct {
	devices []int
	times   []time.Time
}

// remember gathers what began on a device. Only its own parts count: that it
// lost its power or its light says something of what it hangs on.
func (r *region) remember(i int, d *fleet.Device, now time.Time) {
	model := cmp.Or(d.Spec.Model, d.Facts.Get(fleet.FactModel))
	if model == "" {
		return
	}
	r.machines[model]++
	if d.Docket == nil {
		return
	}
	for k := range d.Docket.Again {
		a := &d.Docket.Again[k]
		times := a.Within(now)
		if len(times) == 0 || !strings.HasPrefix(a.What, "sensor ") {
			continue
		}
		key := [2]string{model, a.What}
		t := r.troubles[key]
		if t == nil {
			t = &trouble{}
			r.troubles[key] = t
		}
		t.devices, t.times = append(t.devices, i), append(t.times, times...)
	}
}

// batches speaks of models of which many machines had the same trouble.
func (v *survey) batches(r *region) (looks []fleet.Look) {
	keys := slices.SortedFunc(maps.Keys(r.troubles), func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for _, key := range keys {
		t, all := r.troubles[key], r.machines[key[0]]
		if len(t.devices) < batchLeast || float64(len(t.devices)) < batchShare*float64(all) || t.apart() < batchLeast {
			continue
		}
		model, part := key[0], partOf(v.s.Devices.At(t.devices[0]), key[1])
		f := finding(Recurring, fmt.Sprintf("%d of %d machines", len(t.devices), all),
			fmt.Sprintf("%s of %s: %d of %d machines had trouble with %s in 30 d: %s", model, r.name, len(t.devices), all, part, v.names(t.devices)))
		f.Fix = fmt.Sprintf("look at the batch, not at each machine: %d others may be next", all-len(t.devices))
		looks = v.about(looks, r, Recurring+" "+model+" "+strings.TrimPrefix(key[1], "sensor "), f, t.devices)
	}
	return looks
}

// apart counts the moments that lie an hour or more behind the one before.
func (t *trouble) apart() (n int) {
	slices.SortFunc(t.times, time.Time.Compare)
	last := time.Time{}
	for _, x := range t.times {
		if n == 0 || x.Sub(last) >= batchApart {
			n, last = n+1, x
		}
	}
	return n
}
