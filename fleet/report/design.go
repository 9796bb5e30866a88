package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
)

// Design says what failed, by what it was built of, and what room is stranded.
type Design struct {
	Period   Period     `json:"period"`
	Models   []Rate     `json:"models"`
	Firmware []Rate     `json:"firmware"` // of models with failures
	Racks    []Rate     `json:"racks"`    // servers by how they are corded: troubles of power
	Zones    []Rate     `json:"zones"`    // hypervisors by cloud and zone
	Common   []Common   `json:"common"`   // many at once: no fault of the machines
	Stranded []Stranded `json:"stranded"`
}

// Rate is how often something of one kind failed.
type Rate struct {
	Of       string `json:"of"`
	N        int    `json:"n"`        // devices
	Failures int    `json:"failures"` // incidents, those of a common cause left out
	Devices  int    `json:"devices"`  // that failed at least once
	// Logged are records of trouble in the devices' own logs in the period
	// that was asked for, one a day and sensor.
	Logged int `json:"logged"`
	// Months are device-months that were looked at.
	Months fleet.Num `json:"device_months"`
	// Per100 is failures per 100 device-months, null where there are too few
	// of either to tell.
	Per100 fleet.Num `json:"per_100_device_months"`
	Causes []string  `json:"causes"` // the most frequent first
}

// Common is one moment at which many failed.
type Common struct {
	At      time.Time `json:"at"`
	Place   string    `json:"place"`
	Devices int       `json:"devices"`
	Cause   string    `json:"cause"` // the most frequent
}

// Stranded is room that cannot be used, by how racks are built and what binds.
type Stranded struct {
	Design   string            `json:"design"`
	Racks    int               `json:"racks"`
	Resource capacity.Resource `json:"resource"`
	Unit     string            `json:"unit"`
	Amount   fleet.Num         `json:"amount"`
	Binds    string            `json:"binds"`
}

// Few of either make no rate: one failure more or less would change it by half.
const (
	minMonths   = 100
	minFailures = 5
)

// Many devices of one place that fail within a minute share a cause above them.
const (
	together = time.Minute
	many     = 4
)

// DesignOf works out what failed of what.
func DesignOf(in Input) Design {
	own, _, common := in.apart(in.incidents())
	own = slices.DeleteFunc(own, func(x incident) bool { return strings.Contains(x.cause, "disabled as a hypervisor") }) // somebody's will
	d := Design{Period: in.period(), Common: common, Stranded: in.stranded()}
	months := d.Period.months()
	of := func(key func(*fleet.Device) string, want func(string) bool) []Rate {
		return in.rates(own, months, key, want)
	}
	any := func(string) bool { return true }
	d.Models = of(func(x *fleet.Device) string { return modelOf(x) }, any)
	d.Firmware = slices.DeleteFunc(of(func(x *fleet.Device) string {
		if v := x.Facts.Get(fleet.FactFirmware); v != "" && modelOf(x) != "" {
			return modelOf(x) + " on " + v
		}
		return ""
	}, any), func(r Rate) bool { return r.Failures == 0 })
	d.Racks = of(func(x *fleet.Device) string { return cording(in.Snap, x) }, ofPower)
	d.Zones = of(in.zone, any)
	return d
}

func modelOf(d *fleet.Device) string { return cmp.Or(d.Spec.Model, d.Facts.Get(fleet.FactModel)) }

func ofPower(cause string) bool {
	for _, w := range []string{"power", "PSU", "cord", "no output", "no input", "redundancy"} {
		if strings.Contains(cause, w) {
			return true
		}
	}
	return false
}

// apart takes out what many devices of one site had at once; all has each of
// those as one incident.
func (in *Input) apart(list []incident) (own, all []incident, common []Common) {
	common = []Common{}
	site := func(x *incident) string {
		if d := in.Snap.Devices.Get(x.target); d != nil {
			return d.Spec.Site
		}
		return ""
	}
	for i := 0; i < len(list); {
		k := i
		bySite := map[string][]incident{}
		for ; k < len(list) && list[k].from.Sub(list[i].from) <= together; k++ {
			bySite[site(&list[k])] = append(bySite[site(&list[k])], list[k])
		}
		for _, place := range slices.Sorted(maps.Keys(bySite)) {
			group := bySite[place]
			if place == "" || len(group) < many {
				own = append(own, group...)
				continue
			}
			common = append(common, Common{At: group[0].from, Place: place, Devices: targets(group), Cause: frequent(group)[0]})
			all = append(all, merged(place, group))
		}
		i = k
	}
	return own, append(all, own...), common
}

// merged is what many had at once, as one incident of their site.
func merged(place string, group []incident) incident {
	x := incident{target: place, cause: "many at once: " + frequent(group)[0], from: group[0].from}
	for _, y := range group {
		x.severity, x.open = max(x.severity, y.severity), x.open || y.open
		if y.till.After(x.till) {
			x.till = y.till
		}
	}
	return x
}

func targets(group []incident) int {
	ids := map[string]bool{}
	for i := range group {
		ids[group[i].target] = true
	}
	return len(ids)
}

// frequent are the causes of incidents, the most frequent first.
func frequent(list []incident) []string {
	n := map[string]int{}
	for i := range list {
		n[list[i].cause]++
	}
	return slices.SortedFunc(maps.Keys(n), func(a, b string) int { return cmp.Or(n[b]-n[a], cmp.Compare(a, b)) })
}

// rates counts incidents by what their devices are; a device of which key is
// empty is left out.
func (in *Input) rates(list []incident, months float64, key func(*fleet.Device) string, want func(cause string) bool) []Rate {
	n, failed, devices := map[string]int{}, map[string][]incident{}, map[string]map[string]bool{}
	for _, d := range in.Snap.Devices.All() {
		if k := key(d); k != "" {
			n[k]++
		}
	}
	for _, x := range list {
		d := in.Snap.Devices.Get(x.target)
		if d == nil || !want(x.cause) {
			continue
		}
		k := key(d)
		failed[k] = append(failed[k], x)
		if devices[k] == nil {
			devices[k] = map[string]bool{}
		}
		devices[k][x.target] = true
	}
	logged := in.logged(key, want)
	out := []Rate{}
	for _, k := range slices.Sorted(maps.Keys(n)) {
		r := Rate{Of: k, N: n[k], Failures: len(failed[k]), Devices: len(devices[k]), Logged: logged[k], Causes: []string{}}
		causes := frequent(failed[k])
		r.Causes = append(r.Causes, causes[:min(len(causes), 3)]...)
		if seen := months * float64(n[k]); seen > 0 {
			r.Months = fleet.FromFloat(seen, 2)
			if seen >= minMonths && r.Failures >= minFailures {
				r.Per100 = fleet.FromFloat(100*float64(r.Failures)/seen, 2)
			}
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b Rate) int {
		return cmp.Or(b.Per100.Cmp(a.Per100), b.Failures-a.Failures, b.Logged-a.Logged)
	})
	return out
}

// logged counts what devices wrote into their own logs, by what they are.
func (in *Input) logged(key func(*fleet.Device) string, want func(string) bool) map[string]int {
	type entry struct {
		target, sensor string
		day            int64
	}
	seen, out := map[entry]bool{}, map[string]int{}
	for i := range in.Events {
		e := &in.Events[i]
		d := in.Snap.Devices.Get(e.Target)
		if d == nil || e.Source != "sel" || !e.Asserted || e.Severity == fleet.SeverityInfo || !in.within(e.At) || !want(strings.ToLower(e.Type)) {
			continue
		}
		if x := (entry{e.Target, e.Sensor, e.At.Unix() / 86400}); key(d) != "" && !seen[x] {
			seen[x] = true
			out[key(d)]++
		}
	}
	return out
}

// cording says how a server gets its power.
func cording(s *fleet.Snapshot, d *fleet.Device) string {
	if d.Spec.Kind != fleet.KindServer {
		return ""
	}
	feeds, known := map[string]bool{}, true
	for _, c := range d.Spec.Power {
		pdu, _, _ := strings.Cut(c.Outlet, "/")
		if x := s.Devices.Get(pdu); x != nil && x.Spec.Feed != "" {
			feeds[x.Spec.Feed] = true
		} else {
			known = false
		}
	}
	switch {
	case len(d.Spec.Power) == 0:
		return "cords not recorded"
	case len(d.Spec.Power) == 1:
		return "one cord"
	case len(feeds) > 1:
		return "two feeds"
	case known:
		return "cords on one feed"
	}
	return "feed not recorded"
}

// zone is where a hypervisor stands, as its cloud says.
func (in *Input) zone(d *fleet.Device) string {
	i := in.Snap.Devices.Number(d.Spec.ID)
	n, ok := in.Snap.HostOf[i]
	if !ok {
		return ""
	}
	h := in.Snap.Hosts.At(n)
	return h.Cloud + " " + cmp.Or(h.Zone, "without a zone")
}

// stranded sums up what room of racks cannot be used.
func (in *Input) stranded() []Stranded {
	type key struct {
		design, resource, unit, binds string
	}
	amount, racks := map[key]float64{}, map[key]int{}
	for i := range in.Capacity {
		r := &in.Capacity[i]
		if r.Scope != capacity.ScopeRack || r.Resource == capacity.Failover || !r.Stranded.Known || r.Stranded.Float() <= 0 {
			continue
		}
		k := key{in.rackDesign(r.ID), string(r.Resource), r.Unit, r.Binds}
		amount[k], racks[k] = amount[k]+r.Stranded.Float(), racks[k]+1
	}
	out := []Stranded{}
	for k, v := range amount {
		out = append(out, Stranded{Design: k.design, Racks: racks[k], Resource: capacity.Resource(k.resource), Unit: k.unit, Amount: fleet.FromFloat(v, 1), Binds: k.binds})
	}
	slices.SortFunc(out, func(a, b Stranded) int {
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), b.Amount.Cmp(a.Amount), cmp.Compare(a.Design, b.Design), cmp.Compare(a.Binds, b.Binds))
	})
	return out
}

// rackDesign names how a rack is built: its height and its feeds.
func (in *Input) rackDesign(id string) string {
	r := in.Snap.Racks.Get(id)
	if r == nil {
		return "unknown"
	}
	feeds := slices.Compact(slices.Sorted(slices.Values(r.Spec.Feeds)))
	word := map[int]string{0: "feeds not recorded", 1: "one feed", 2: "two feeds"}[len(feeds)]
	return fleet.Int(int64(r.Spec.Units)).String() + "U, " + cmp.Or(word, fleet.Int(int64(len(feeds))).String()+" feeds")
}
