package performance

import "plumb/fleet"

// Check is one question about what works, and works worse than it did.
type Check struct {
	ID       string
	Title    string
	Severity fleet.Severity // at its worst
	How      string         // what it is held against, or why it cannot be
	Fix      string
	// facet is what the facets of its looks begin with.
	facet string
	// about reports whether it is about such a device, also where no wire tells
	// of it what the check needs.
	about func(d *fleet.Device) bool
	// sees reports whether a wire tells of the device at hand what the check
	// needs; nil: none does.
	sees   func(sc *scene) bool
	atOnce bool // what is seen is judged at once: nothing has to be learned
}

// Words of what several checks share.
const (
	byHour   = "the last 6 h against the same hours of three weeks, or of the last days; far outside of both its own noise and what meters do"
	byTrend  = "the slope of up to 22 days (Theil and Sen) with its interval, and a date where the device names a limit"
	byCohort = "its last day against that of at least 8 of its like, at the same load"
)

// Checks are all that are made, in the order in which they are listed.
var Checks = []Check{
	hourly(fleet.PastInlet, "inlet-by-hour", "the air at the inlet is as warm as at this hour of other weeks", server),
	trended(fleet.PastInlet, "inlet-trend", "the air at the inlet does not get warmer", server),
	hourly(fleet.PastHot, "heat-by-hour", "the hottest part is as hot as at this hour of other weeks", machines),
	trended(fleet.PastHot, "heat-trend", "the hottest part does not get hotter", machines),
	{ID: "performance.heat-by-power", Title: "the hottest part is as hot above the inlet as in its like at the same watts", Severity: fleet.SeverityInfo,
		How: byCohort, Fix: "look for dust, a loose heat sink, or a part that was never right", facet: "performance heat by power", about: server,
		sees: func(sc *scene) bool {
			return sc.tells(fleet.PastHot) && sc.tells(fleet.PastInlet) && sc.tells(fleet.PastPower) && sc.peered()
		}},
	hourly(fleet.PastFans, "fans-by-hour", "fans turn as fast as at this hour of other weeks", machines),
	{ID: "performance.fans-by-inlet", Title: "fans turn as fast as in its like in the same air", Severity: fleet.SeverityInfo,
		How: byCohort, Fix: "look for dust and for fans that are missing", facet: "performance fans by inlet", about: server,
		sees: func(sc *scene) bool {
			return sc.tells(fleet.PastFans) && sc.tells(fleet.PastInlet) && sc.peered()
		}},
	hourly(fleet.PastSlowest, "slowest-fan-by-hour", "no fan falls behind its siblings, which are driven alike", machines),
	trended(fleet.PastSlowest, "slowest-fan-trend", "no fan falls further behind its siblings, which are driven alike", machines),
	hourly(fleet.PastPower, "power-by-hour", "a machine takes as many watts as at this hour of other weeks", server),
	hourly(fleet.PastErrors, "port-errors-by-hour", "ports have no more errors than at this hour of other weeks", switching),
	{ID: "performance.memory-errors", Title: "corrected memory errors do not rise", Severity: fleet.SeverityCrit,
		How: "memory records of the event log (SEL): a day against the six before it", Fix: "drain the machine, reseat or exchange the module, then clear its log",
		facet: "performance memory", about: server, atOnce: true,
		sees: func(sc *scene) bool { return LogWhole(sc.d, sc.s.Intervals, sc.s.At) }},
	ofParts(fleet.PartYield, "supply-yield", "power supplies give as much of what they take as they did at the same load",
		"watts out for each watt, or volt-ampere, in, over up to 22 days at the load of today; needs a wire that measures both sides of a supply", machines),
	ofParts(fleet.PartLight, "optic-light", "as much light arrives at ports as did",
		"received power of optics (ENTITY-SENSOR-MIB) over up to 22 days", switching),
	ofParts(fleet.PartLaser, "optic-laser", "lasers need no more current than they did",
		"bias current of optics (ENTITY-SENSOR-MIB) over up to 22 days", switching),
}

// Unread are checks that no probe brings the facts of yet. They are listed, so
// that nobody takes them for passed. Burst credits of instances stand among the
// checks of clouds (lifecycle).
var Unread = []Check{
	{ID: "performance.disk-wear", Title: "disks do not wear out within 180 d", Severity: fleet.SeverityWarn, about: server,
		How: "no probe reads the wear of disks: neither the sensors of IPMI nor the MIBs that are read tell it; Redfish does (Drive, PredictedMediaLifeLeftPercent)"},
}

func hourly(class fleet.PastClass, id, title string, about func(*fleet.Device) bool) Check {
	return Check{ID: "performance." + id, Title: title, Severity: fleet.SeverityInfo, How: byHour, Fix: "see what changed since then", facet: hourFacet(class), about: about,
		sees: func(sc *scene) bool { return sc.tells(class) }}
}

func trended(class fleet.PastClass, id, title string, about func(*fleet.Device) bool) Check {
	return Check{ID: "performance." + id, Title: title, Severity: fleet.SeverityWarn, How: byTrend, Fix: "mend it before it gets there", facet: trendFacet(class), about: about,
		sees: func(sc *scene) bool { return sc.tells(class) }}
}

func ofParts(class fleet.PartClass, id, title, how string, about func(*fleet.Device) bool) Check {
	return Check{ID: "performance." + id, Title: title, Severity: fleet.SeverityInfo, How: how, Fix: wears[class].fix, facet: "performance " + class.String(), about: about,
		sees: func(sc *scene) bool { return sc.wears(class) }}
}

func server(d *fleet.Device) bool { return d.Spec.Kind == fleet.KindServer }

func switching(d *fleet.Device) bool { return d.Spec.Kind == fleet.KindSwitch }

func machines(d *fleet.Device) bool { return server(d) || switching(d) }

// CheckOf returns the check of an id; nil: there is none.
func CheckOf(id string) *Check {
	for _, list := range [...][]Check{Checks, Unread} {
		for i := range list {
			if list[i].ID == id {
				return &list[i]
			}
		}
	}
	return nil
}

// Of reports whether a finding is one of the check's.
func (c *Check) Of(f *fleet.Finding) bool {
	return f.Kind == fleet.FindPerformance && fleet.OfCheck(f.Facet, c.facet)
}
