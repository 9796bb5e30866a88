package lifecycle

import (
	"slices"
	"time"

	"plumb/fleet"
)

// endsSoon is how long ahead the end of support is worth a word: long enough
// to get an offer.
const endsSoon = 90 * 24 * time.Hour

// support sorts a device by the end of its support.
func (v *survey) support(r *region, i int, d *fleet.Device) {
	switch until := d.Spec.WarrantyUntil; {
	case until.IsZero():
		v.blind(Warranty, 1)
	case !v.now.Before(until):
		r.ended = append(r.ended, i)
	case until.Sub(v.now) <= endsSoon:
		r.soon = append(r.soon, i)
	default:
		v.pass(Warranty, 1)
	}
}

// warranty speaks of what has no support and of what is going to have none.
func (v *survey) warranty(r *region) (looks []fleet.Look) {
	byEnd := func(a, b int) int {
		return v.s.Devices.At(a).Spec.WarrantyUntil.Compare(v.s.Devices.At(b).Spec.WarrantyUntil)
	}
	if slices.SortStableFunc(r.ended, byEnd); len(r.ended) > 0 {
		first := v.s.Devices.At(r.ended[0]).Spec.WarrantyUntil.Format(time.DateOnly)
		f := finding(Warranty, v.names(r.ended), "support ended for "+v.kinds(r.ended)+" of "+r.name+", the first on "+first+": "+v.names(r.ended))
		f.Fix = "renew it, or replace them: they take " + v.worth(r.ended)
		looks = v.about(looks, r, Warranty+" ended", f, r.ended)
	}
	if slices.SortStableFunc(r.soon, byEnd); len(r.soon) > 0 {
		first := v.s.Devices.At(r.soon[0]).Spec.WarrantyUntil.Format(time.DateOnly)
		f := finding(Warranty, v.names(r.soon), "support ends within 90 d for "+v.kinds(r.soon)+" of "+r.name+", first on "+first+": "+v.names(r.soon))
		f.Severity = fleet.SeverityInfo
		f.Fix = "renew it before that, or plan the replacement of " + v.worth(r.soon)
		looks = v.about(looks, r, Warranty+" soon", f, r.soon)
	}
	return looks
}

// unowned speaks of devices that nobody answers for.
func (v *survey) unowned(r *region) (looks []fleet.Look) {
	for _, kind := range []fleet.DeviceKind{fleet.KindServer, fleet.KindSwitch, fleet.KindRouter, fleet.KindPDU, fleet.KindUPS, fleet.KindOther} {
		list := r.ownerless[string(kind)]
		if len(list) == 0 {
			continue
		}
		f := finding(Unowned, v.names(list), fleet.Count(len(list), string(kind))+" of "+r.name+" without an owner: "+v.names(list))
		f.Class, f.Severity = fleet.ClassMissing, fleet.SeverityInfo
		if kind == fleet.KindServer {
			f.Fix += ": " + v.worth(list) + " that nobody answers for"
		}
		looks = v.about(looks, r, Unowned+" "+string(kind), f, list)
	}
	return looks
}
