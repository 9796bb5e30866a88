package alert

import (
	"math"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/trace"
)

// scene is what an expression may look at: the subject of a rule and the device
// that it is a part of. What is not of the subject is nil.
type scene struct {
	s        *fleet.Snapshot
	now      time.Time
	device   *fleet.Device
	n        int  // dense device number
	seen     bool // the device was seen at its last poll, and not long ago
	sensor   *fleet.Sensor
	port     *fleet.Port
	outlet   *fleet.Outlet
	finding  *fleet.Finding
	event    *fleet.Event
	forecast *fleet.Forecast
	cause    *trace.Cause
	room     *capacity.Row
	region   *fleet.Region
	site     *fleet.Site
	rack     *fleet.Rack
	feed     *fleet.Feed
	cloud    *fleet.Cloud
	host     *fleet.HostState
	instance *fleet.InstanceState
	service  *fleet.Service
	receiver *fleet.ReceiverState
}

// field is one thing that an expression may read: a number (NaN where it is not
// known), a text or a flag. One of the three is set.
type field struct {
	help string
	num  func(*scene) float64
	text func(*scene) string
	flag func(*scene) bool
	// sure: an empty text is known to be empty, because people wrote it.
	sure bool
	// sight: it can be read of a device that does not answer.
	sight bool
}

func (f *field) kind() string {
	switch {
	case f.num != nil:
		return "number"
	case f.text != nil:
		return "text"
	}
	return "flag"
}

// show is the field's value as people read it.
func (f *field) show(x *scene) string {
	switch {
	case f.num != nil:
		return number(f.num(x))
	case f.text != nil && f.sure:
		return strconv.Quote(f.text(x))
	case f.text != nil:
		return or(f.text(x))
	}
	return strconv.FormatBool(f.flag(x))
}

func num(help string, f func(*scene) float64) field    { return field{help: help, num: f} }
func text(help string, f func(*scene) string) field    { return field{help: help, text: f} }
func flag(help string, f func(*scene) bool) field      { return field{help: help, flag: f} }
func written(help string, f func(*scene) string) field { return field{help: help, text: f, sure: true} }
func (f field) always() field                          { f.sight = true; return f }

func count(n int) float64 { return float64(n) }

func since(t, now time.Time) float64 {
	if t.IsZero() {
		return math.NaN()
	}
	return now.Sub(t).Seconds()
}

// fields are all that expressions may read, by subject.
var fields = map[string]map[string]field{
	"device": {
		"id":            written("its id", func(x *scene) string { return x.device.Spec.ID }).always(),
		"kind":          written("server switch router pdu ups other", func(x *scene) string { return string(x.device.Spec.Kind) }).always(),
		"model":         text("as the inventory or the device says", modelOf),
		"rack":          written("the rack's id", func(x *scene) string { return x.device.Spec.Rack }).always(),
		"site":          written("", func(x *scene) string { return x.device.Spec.Site }).always(),
		"region":        written("", func(x *scene) string { return x.device.Spec.Region }).always(),
		"owner":         written("", func(x *scene) string { return x.device.Spec.Owner }).always(),
		"tenant":        written("", func(x *scene) string { return x.device.Spec.Tenant }).always(),
		"env":           written("", func(x *scene) string { return x.device.Spec.Env }).always(),
		"state":         text("ok warn crit unknown off", func(x *scene) string { return x.device.State.String() }).always(),
		"power":         text("on off unknown", func(x *scene) string { return x.device.Power.String() }),
		"power_w":       num("W", func(x *scene) float64 { return x.device.PowerW.Float() }),
		"inlet_c":       num("air at the inlet, C", func(x *scene) float64 { return x.device.InletC.Float() }),
		"inlet_c_per_h": num("slope of it over the last hours", func(x *scene) float64 { return slope(x.device.Past, fleet.PastInlet) }),
		"hot_c_per_h":   num("slope of its hottest part", func(x *scene) float64 { return slope(x.device.Past, fleet.PastHot) }),
		"hot_margin_c":  num("how far its hottest part is below the limit that it warns of, C", margin),
		"blind":         flag("its last poll failed", func(x *scene) bool { return x.device.Blind() }).always(),
		"blind_s":       num("for how long, s", func(x *scene) float64 { return since(x.device.BlindSince, x.now) }).always(),
		"error":         written("why it is blind: unreachable timeout auth busy ...", errorOf).always(),
		"silent":        flag("nothing is known of it that is not older than two polls", quiet).always(),
		"dead":          flag("others show that it is down", func(x *scene) bool { return trace.Dead(x.device) && x.device.State != fleet.StateOff }).always(),
		"maintenance":   flag("", func(x *scene) bool { return x.device.Maintenance }).always(),
		"drift_open":    num("open findings", func(x *scene) float64 { return count(x.device.DriftOpen) }),
		"sel_percent":   num("how full its event log is", func(x *scene) float64 { return x.device.Facts.Num("sel.used_percent").Float() }),
		"firmware":      text("", func(x *scene) string { return x.device.Facts.Get(fleet.FactFirmware) }),
		"serial":        text("", func(x *scene) string { return x.device.Facts.Get(fleet.FactSerial) }),
		"uptime_s":      num("s", func(x *scene) float64 { return x.device.Facts.Num(fleet.FactUptime).Float() }),
		"path_lost":     flag("the way to its whole site is lost", pathLost).always(),
	},
	"sensor": {
		"key":       written("", func(x *scene) string { return x.sensor.Key }),
		"name":      written("as the device calls it", func(x *scene) string { return x.sensor.Name }),
		"class":     written("temperature voltage fan state ...", func(x *scene) string { return string(x.sensor.Class) }),
		"unit":      written("", func(x *scene) string { return x.sensor.Unit }),
		"value":     num("in its unit", func(x *scene) float64 { return x.sensor.Value.Float() }),
		"state":     text("ok warn crit unknown", func(x *scene) string { return x.sensor.State.String() }),
		"text":      written("what a state sensor asserts", func(x *scene) string { return x.sensor.Text }),
		"low_crit":  num("limit of the device, unknown where it has none", func(x *scene) float64 { return x.sensor.Limits.LowCrit.Float() }),
		"low_warn":  num("", func(x *scene) float64 { return x.sensor.Limits.LowWarn.Float() }),
		"high_warn": num("", func(x *scene) float64 { return x.sensor.Limits.HighWarn.Float() }),
		"high_crit": num("", func(x *scene) float64 { return x.sensor.Limits.HighCrit.Float() }),
		"clear":     flag("5 % inside of the limits that it warns of; of one without limits true", func(x *scene) bool { return wellInside(x.sensor) }),
		"supply":    num("the power supply whose state it tells, 0: none", func(x *scene) float64 { return count(x.sensor.Supply()) }),
		"inlet":     flag("it measures the air at the inlet", func(x *scene) bool { return x.sensor.Inlet() }),
	},
	"port": {
		"name":           written("ifName", func(x *scene) string { return x.port.Name }),
		"alias":          written("", func(x *scene) string { return x.port.Alias }),
		"admin":          text("up down", func(x *scene) string { return x.port.Admin }),
		"oper":           text("up down ...", func(x *scene) string { return x.port.Oper }),
		"speed_bps":      num("", func(x *scene) float64 { return x.port.SpeedBps.Float() }),
		"in_bps":         num("", func(x *scene) float64 { return x.port.Rates.InBps.Float() }),
		"out_bps":        num("", func(x *scene) float64 { return x.port.Rates.OutBps.Float() }),
		"errors_per_s":   num("in and out", func(x *scene) float64 { return x.port.Rates.Errors.Float() }),
		"discards_per_s": num("in and out", func(x *scene) float64 { return x.port.Rates.Discards.Float() }),
		"far":            written("the device that is meant to hang on it", func(x *scene) string { d := far(x); return idOf(d) }),
		"far_off":        flag("that one is switched off", func(x *scene) bool { d := far(x); return d != nil && d.Power == fleet.PowerOff }),
		"uplink":         flag("a switch or a router is meant to hang on it", func(x *scene) bool { return carries(far(x)) }),
	},
	"outlet": {
		"number":    num("", func(x *scene) float64 { return count(x.outlet.Index) }),
		"name":      written("", func(x *scene) string { return x.outlet.Name }),
		"state":     text("on off unknown", func(x *scene) string { return x.outlet.State }),
		"current_a": num("A", func(x *scene) float64 { return x.outlet.CurrentA.Float() }),
		"power_w":   num("W", func(x *scene) float64 { return x.outlet.PowerW.Float() }),
		"used":      flag("a cord is meant to hang on it", corded),
	},
	"finding": {
		"target":     written("", func(x *scene) string { return x.finding.Target }),
		"facet":      written("what of the target", func(x *scene) string { return x.finding.Facet }),
		"kind":       written("firmware config cabling inventory security performance capacity resilience lifecycle", func(x *scene) string { return string(x.finding.Kind) }),
		"class":      written("missing unmanaged changed moved unknown", func(x *scene) string { return string(x.finding.Class) }),
		"severity":   written("info warn crit", func(x *scene) string { return x.finding.Severity.String() }),
		"confidence": written("low medium high", func(x *scene) string { return x.finding.Confidence.String() }),
		"observed":   written("", func(x *scene) string { return x.finding.Observed }),
		"open":       flag("nobody has decided about it", func(x *scene) bool { return x.finding.Open() }),
		"text":       written("", func(x *scene) string { return x.finding.Text }),
		"fix":        written("what to do", func(x *scene) string { return x.finding.Fix }),
		"evidence":   written("", func(x *scene) string { return x.finding.Evidence }),
	},
	"event": {
		"source":   written("sel trap cloud plumb", func(x *scene) string { return x.event.Source }),
		"type":     written("", func(x *scene) string { return x.event.Type }),
		"sensor":   written("", func(x *scene) string { return x.event.Sensor }),
		"text":     written("", func(x *scene) string { return x.event.Text }),
		"severity": written("info warn crit", func(x *scene) string { return x.event.Severity.String() }),
	},
	"forecast": {
		"what":       written("hottest part to 85 C", func(x *scene) string { return x.forecast.What }),
		"class":      written("inlet heat fans ...", func(x *scene) string { return x.forecast.Class.String() }),
		"hours":      num("until the likely moment", func(x *scene) float64 { return x.forecast.At.Sub(x.now).Hours() }),
		"hours_low":  num("until the earliest", func(x *scene) float64 { return x.forecast.Low.Sub(x.now).Hours() }),
		"confidence": written("low medium high", func(x *scene) string { return x.forecast.Confidence.String() }),
	},
	"cause": {
		"id":         written("the part", func(x *scene) string { return x.cause.ID }),
		"kind":       written("feed pdu psu switch port server host site ...", func(x *scene) string { return string(x.cause.Kind) }),
		"state":      text("", func(x *scene) string { return x.cause.State.String() }),
		"explains":   num("how many parts it explains", func(x *scene) float64 { return count(len(x.cause.Explains)) }),
		"share":      num("of all symptoms, 0 to 1", func(x *scene) float64 { return x.cause.Share }),
		"confidence": written("low medium high", func(x *scene) string { return x.cause.Confidence.String() }),
		"proven":     flag("others show that it is dead", func(x *scene) bool { return x.cause.Proven }),
		"last_path":  num("machines that stand on the last of several ways", func(x *scene) float64 { return count(x.cause.LastPath) }),
		"evidence":   written("", func(x *scene) string { return strings.Join(firstFew(x.cause.Evidence, 3), "; ") }),
	},
	"room": {
		"scope":    written("region site rack feed cloud", func(x *scene) string { return string(x.room.Scope) }),
		"id":       written("", func(x *scene) string { return x.room.ID }),
		"resource": written("units power power_failover ports quota ...", func(x *scene) string { return string(x.room.Resource) }),
		"class":    written("speed of ports, name of a quota", func(x *scene) string { return x.room.Class }),
		"used":     num("", func(x *scene) float64 { return x.room.Used.Float() }),
		"total":    num("", func(x *scene) float64 { return x.room.Total.Float() }),
		"free":     num("", func(x *scene) float64 { return x.room.Free.Float() }),
		"share":    num("how full, 0 to 1", func(x *scene) float64 { return x.room.Share() }),
		"over":     flag("a limit is broken, now or when something fails", func(x *scene) bool { return x.room.Over }),
		"worst":    written("the worst that may happen", func(x *scene) string { return x.room.Worst }),
		"unit":     written("", func(x *scene) string { return x.room.Unit }),
	},
	"region": {
		"id":      written("", func(x *scene) string { return x.region.Spec.Name }),
		"state":   text("", func(x *scene) string { return x.region.State.String() }),
		"devices": num("", func(x *scene) float64 { return count(x.region.Devices) }),
		"blind":   num("devices whose last poll failed", func(x *scene) float64 { return count(x.region.Blind) }),
	},
	"site": {
		"id":    written("", func(x *scene) string { return x.site.Spec.Name }),
		"state": text("", func(x *scene) string { return x.site.State.String() }),
		"lost":  flag("everything in it went silent at once", func(x *scene) bool { return !x.site.SilentSince.IsZero() }),
	},
	"rack": {
		"id":      written("", func(x *scene) string { return x.rack.Spec.ID }),
		"state":   text("", func(x *scene) string { return x.rack.State.String() }),
		"devices": num("", func(x *scene) float64 { return count(x.rack.Devices) }),
		"blind":   num("", func(x *scene) float64 { return count(x.rack.Blind) }),
		"power_w": num("", func(x *scene) float64 { return x.rack.PowerW.Float() }),
		"reason":  written("what is wrong with it as a whole", func(x *scene) string { return strings.Join(x.rack.Reasons, "; ") }),
	},
	"feed": {
		"id":      written("", func(x *scene) string { return x.feed.Spec.Name }),
		"state":   text("", func(x *scene) string { return x.feed.State.String() }),
		"amps_a":  num("", func(x *scene) float64 { return x.feed.AmpsA.Float() }),
		"power_w": num("", func(x *scene) float64 { return x.feed.PowerW.Float() }),
		"reason":  written("", func(x *scene) string { return strings.Join(x.feed.Reasons, "; ") }),
	},
	"cloud": {
		"id":    written("", func(x *scene) string { return x.cloud.Spec.Name }),
		"state": text("", func(x *scene) string { return x.cloud.State.String() }),
		"blind": flag("its last poll failed", func(x *scene) bool { return !x.cloud.BlindSince.IsZero() }).always(),
	},
	"host": {
		"id":          written("", func(x *scene) string { return x.host.Cloud + "/" + x.host.Name }),
		"name":        written("", func(x *scene) string { return x.host.Name }),
		"cloud":       written("", func(x *scene) string { return x.host.Cloud }),
		"state":       text("", func(x *scene) string { return x.host.State.String() }),
		"instances":   num("", func(x *scene) float64 { return count(x.host.RunningVMs) }),
		"maintenance": written("the reason of a disabled host", func(x *scene) string { return x.host.Maintenance }),
	},
	"instance": {
		"id":        written("", func(x *scene) string { return x.instance.ID }),
		"name":      written("", func(x *scene) string { return x.instance.Name }),
		"cloud":     written("", func(x *scene) string { return x.instance.Cloud }),
		"zone":      text("", func(x *scene) string { return x.instance.Zone }),
		"service":   written("", func(x *scene) string { return x.instance.Service }),
		"state":     text("", func(x *scene) string { return x.instance.State.String() }),
		"run_state": text("the provider's word", func(x *scene) string { return x.instance.RunState }),
	},
	"service": {
		"id":       written("", func(x *scene) string { return x.service.Spec.Name }),
		"owner":    written("", func(x *scene) string { return x.service.Spec.Owner }),
		"state":    text("", func(x *scene) string { return x.service.State.String() }),
		"replicas": num("running; not known where those that cannot be seen decide whether the floor is kept", replicasOf),
		"unseen":   num("replicas of which nobody knows whether they run", func(x *scene) float64 { return count(x.service.Unseen) }),
		"floor":    num("0: none", func(x *scene) float64 { return count(x.service.Spec.Floor) }),
		"unplaced": num("replicas whose place cannot be seen", func(x *scene) float64 { return count(x.service.Unplaced) }),

		"asked":       flag("its workload is asked itself", func(x *scene) bool { return x.service.Spec.Health != nil }),
		"health":      text("what its workload says: ok warn crit unknown; unknown where nobody asks", healthOf),
		"health_text": written("in its own words", healthText),
		"health_s":    num("since it last said anything, s", healthAge),
		"latency_ms":  num("until it answered, ms", latencyOf),
		"unheard":     flag("it is asked, and nobody knows what it says", func(x *scene) bool { return x.service.Spec.Health != nil && !x.service.Health.Known() }),
	},
	"receiver": receiverFields,
}

// parts are the subjects that are parts of a device; their rules read it too.
var parts = map[string]bool{"sensor": true, "port": true, "outlet": true, "forecast": true}

// scope lists what rules on a subject may read.
func scope(on string) map[string]map[string]field {
	out := map[string]map[string]field{on: fields[on]}
	if parts[on] {
		out["device"] = fields["device"]
	}
	return out
}

func modelOf(x *scene) string {
	if m := x.device.Spec.Model; m != "" {
		return m
	}
	return x.device.Facts.Get(fleet.FactModel)
}

func errorOf(x *scene) string {
	if x.device.Err == nil {
		return ""
	}
	return x.device.Err.Kind()
}

func quiet(x *scene) bool {
	return !x.device.SeenAt.IsZero() && x.now.Sub(x.device.SeenAt) > 2*x.s.Intervals[fleet.LaneFast]
}

func healthOf(x *scene) string {
	if x.service.Health == nil {
		return ""
	}
	return x.service.Health.State.String()
}

func healthText(x *scene) string {
	if x.service.Spec.Health == nil {
		return ""
	}
	return x.service.Health.Words()
}

func healthAge(x *scene) float64 {
	if x.service.Health == nil {
		return math.NaN()
	}
	return since(x.service.Health.SaidAt, x.now)
}

func latencyOf(x *scene) float64 {
	if x.service.Health == nil {
		return math.NaN()
	}
	return x.service.Health.LatencyMs.Float()
}

func pathLost(x *scene) bool {
	site := x.s.Sites.Get(x.device.Spec.Site)
	return site != nil && !site.SilentSince.IsZero()
}

// far is the device that is meant to hang on a port; nil: none.
func far(x *scene) *fleet.Device {
	if a, ok := x.s.Cabled[x.device.Spec.ID+"/"+x.port.Name]; ok {
		return x.s.Devices.At(a.Device)
	}
	return nil
}

// margin is the least distance of a temperature to its own limit.
func margin(x *scene) float64 {
	least := math.NaN()
	for i := range x.device.Sensors {
		y := &x.device.Sensors[i]
		if y.Class != fleet.ClassTemperature || y.Stale || !y.Value.Known {
			continue
		}
		limit := y.Limits.HighWarn
		if !limit.Known {
			limit = y.Limits.HighCrit
		}
		if left := limit.Float() - y.Value.Float(); limit.Known && !(left >= least) {
			least = left
		}
	}
	return least
}

// wellInside reports whether a reading is well inside of its limits: what wears goes
// to and fro about them.
func wellInside(x *fleet.Sensor) bool {
	const inside = 0.05
	v, low, high := x.Value.Float(), x.Limits.LowWarn, x.Limits.HighWarn
	if !low.Known {
		low = x.Limits.LowCrit
	}
	if !high.Known {
		high = x.Limits.HighCrit
	}
	return !(low.Known && v < low.Float()+inside*math.Abs(low.Float())) && !(high.Known && v > high.Float()-inside*math.Abs(high.Float()))
}

func idOf(d *fleet.Device) string {
	if d == nil {
		return ""
	}
	return d.Spec.ID
}

func carries(d *fleet.Device) bool {
	return d != nil && (d.Spec.Kind == fleet.KindSwitch || d.Spec.Kind == fleet.KindRouter)
}

func corded(x *scene) bool {
	_, ok := x.s.Corded[x.device.Spec.ID+"/"+itoa(x.outlet.Index)]
	return ok
}

// slope is how fast a class of hours moved over the last four of them, in units
// an hour; NaN with fewer than three.
func slope(p *fleet.Past, c fleet.PastClass) float64 {
	var xs, ys []float64
	for h := p.Until() - 4; h < p.Until(); h++ {
		if v := p.At(c, h); !math.IsNaN(v) {
			xs, ys = append(xs, float64(h)), append(ys, v)
		}
	}
	if len(xs) < 3 {
		return math.NaN()
	}
	var mx, my, top, bottom float64
	for i := range xs {
		mx, my = mx+xs[i]/float64(len(xs)), my+ys[i]/float64(len(xs))
	}
	for i := range xs {
		top, bottom = top+(xs[i]-mx)*(ys[i]-my), bottom+(xs[i]-mx)*(xs[i]-mx)
	}
	return top / bottom
}
