package runbook

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// scene is all that an expression may know: three words and functions over the
// snapshot. A function that is asked for what is not there, was not read, or
// was read too long ago says that it is not known.
type scene struct {
	Target string `expr:"target"` // what the book is carried out on
	Host   string `expr:"host"`   // the device of a port or an outlet; else the target
	Part   string `expr:"part"`   // the port's name or the outlet's number; else ""

	State    func(id string) (string, error)            `expr:"state"`      // ok warn crit unknown off
	Power    func(device string) (string, error)        `expr:"power"`      // on off
	Age      func(id string) (float64, error)           `expr:"age"`        // seconds since it was seen
	Blind    func(device string) (bool, error)          `expr:"blind"`      // its last poll failed
	Reason   func(id, text string) (bool, error)        `expr:"reason"`     // one of its reasons holds the text
	Fact     func(device, name string) (string, error)  `expr:"fact"`       // what was read, as text
	Number   func(device, name string) (float64, error) `expr:"number"`     // the same as a number
	Finding  func(id, facet string) (bool, error)       `expr:"finding"`    // an open finding of a facet (a pattern)
	Expected func(id, facet string) (string, error)     `expr:"expected"`   // what such a finding was held against
	Port     func(port string) (portView, error)        `expr:"port"`       // oper admin vlan alias
	Errors   func(port string) (float64, error)         `expr:"errors"`     // errors a second, in and out
	Outlet   func(outlet string) (outletView, error)    `expr:"outlet"`     // state
	Ports    func(device string) ([]string, error)      `expr:"ports"`      // where its data cables end, as intended
	Lights   func(device string) (int, error)           `expr:"lights"`     // how many of those show light
	Outlets  func(device string) ([]string, error)      `expr:"outlets"`    // where its cords end, as intended
	Guests   func(device string) ([]string, error)      `expr:"guests"`     // instances on it that their cloud calls ACTIVE
	Hyper    func(device string) (bool, error)          `expr:"hypervisor"` // a cloud that is watched runs instances on it
	HostIs   func(device string) (string, error)        `expr:"host_is"`    // up down, as its cloud says
	Compute  func(device string) (computeView, error)   `expr:"compute"`    // state status note
	Instance func(id string) (instanceView, error)      `expr:"instance"`   // run_state host service
	Service  func(name string) (serviceView, error)     `expr:"service"`    // state replicas floor
	Carries  func(device string) ([]string, error)      `expr:"carries"`    // services with a replica on it
	Health   func(service string) (string, error)       `expr:"health"`     // ok warn crit: what its workload says
	Healthy  func(device string) (bool, error)          `expr:"healthy"`    // the workload of every service on it says ok
	Factory  func(device string) ([]string, error)      `expr:"factory"`    // slots of enabled users with a factory name
}

type portView struct {
	Oper  string `expr:"oper"`
	Admin string `expr:"admin"`
	VLAN  int    `expr:"vlan"`
	Alias string `expr:"alias"`
}

type outletView struct {
	State string `expr:"state"`
}

type instanceView struct {
	RunState string `expr:"run_state"`
	Host     string `expr:"host"`
	Service  string `expr:"service"`
}

// computeView is a hypervisor's compute service.
type computeView struct {
	State  string `expr:"state"`  // up down
	Status string `expr:"status"` // enabled disabled
	Note   string `expr:"note"`   // why it is disabled
}

type serviceView struct {
	State    string `expr:"state"`
	Replicas int    `expr:"replicas"`
	Floor    int    `expr:"floor"`
}

// sceneOf is what there is to know of a snapshot that was read since.
func sceneOf(s *fleet.Snapshot, target string, since time.Time) scene {
	x := facts{s, since}
	host, part, is := strings.Cut(target, "/")
	if !is || s.Devices.Get(host) == nil {
		host, part = target, ""
	}
	return scene{Target: target, Host: host, Part: part, State: x.state, Power: x.power, Age: x.age, Blind: x.blind, Reason: x.reason, Fact: x.fact, Number: x.number, Hyper: x.hypervisor,
		Finding: x.finding, Expected: x.expected, Port: x.port, Errors: x.errors, Outlet: x.outlet, Ports: x.ports, Lights: x.lights, Outlets: x.outlets,
		Guests: x.guests, HostIs: x.hostIs, Compute: x.compute, Instance: x.instance, Service: x.service, Carries: x.carries, Health: x.health, Healthy: x.healthy, Factory: x.factory}
}

// facts answers expressions from one snapshot.
type facts struct {
	*fleet.Snapshot
	since time.Time // what was read before it is not known; zero: all is
}

func (x facts) device(id string) (*fleet.Device, error) {
	if d := x.Devices.Get(id); d != nil {
		return d, nil
	}
	return nil, notKnown("there is no device %s", fleet.Clean(id, 80))
}

// young reports whether what was read at a time by a lane still speaks of now.
func (x facts) young(at time.Time, lane fleet.Lane) bool {
	return !at.Before(x.since) && fleet.Young(at, x.At, x.Intervals[min(int(lane), len(x.Intervals)-1)])
}

func (x facts) state(id string) (string, error) {
	if d := x.Devices.Get(id); d != nil {
		return d.State.String(), nil
	}
	if i := x.Instances.Get(id); i != nil {
		return i.State.String(), nil
	}
	if v := x.Services.Get(id); v != nil {
		return v.State.String(), nil
	}
	if r := x.Racks.Get(id); r != nil {
		return r.State.String(), nil
	}
	return "", notKnown("there is no device, instance, service or rack %s", fleet.Clean(id, 80))
}

func (x facts) power(id string) (string, error) {
	d, err := x.device(id)
	switch {
	case err != nil:
		return "", err
	case d.Blind() || !x.young(d.Tables[fleet.TableFacts].At, d.Tables[fleet.TableFacts].Lane):
		return "", notKnown("the power of %s: it is not seen now", id)
	case d.Power == fleet.PowerUnknown:
		return "", notKnown("the power of %s", id)
	}
	return d.Power.String(), nil
}

func (x facts) age(id string) (float64, error) {
	host, _, _ := strings.Cut(id, "/")
	d, err := x.device(host)
	switch {
	case err != nil:
		return 0, err
	case d.SeenAt.IsZero():
		return 0, notKnown("%s was never seen", id)
	}
	return max(x.At.Sub(d.SeenAt), 0).Seconds(), nil
}

func (x facts) blind(id string) (bool, error) {
	d, err := x.device(id)
	if err == nil && !d.Blind() && d.SeenAt.Before(x.since) {
		err = notKnown("whether %s answers: it was not asked since", id)
	}
	return err == nil && d.Blind(), err
}

func (x facts) reason(id, text string) (bool, error) {
	if i := x.Instances.Get(id); i != nil {
		return holds(i.Reasons, text), nil
	}
	host, part, _ := strings.Cut(id, "/")
	d, err := x.device(host)
	if err != nil {
		return false, err
	}
	if part == "" {
		return holds(d.Reasons, text), nil
	}
	return holds(reasonsOf(d, part), text), nil
}

func holds(reasons []string, text string) bool {
	return slices.ContainsFunc(reasons, func(r string) bool { return strings.Contains(r, text) })
}

// reasonsOf are the reasons of a device that speak of one of its parts.
func reasonsOf(d *fleet.Device, part string) (out []string) {
	for i, about := range d.About {
		if _, name, _ := strings.Cut(about, " "); name == part && i < len(d.Reasons) {
			out = append(out, d.Reasons[i])
		}
	}
	return out
}

func (x facts) fact(id, name string) (string, error) {
	d, err := x.device(id)
	if err != nil {
		return "", err
	}
	if v := d.Facts.Get(name); v != "" {
		return v, nil
	}
	return "", notKnown("fact %s of %s", fleet.Clean(name, 60), id)
}

func (x facts) number(id, name string) (float64, error) {
	d, err := x.device(id)
	if err != nil {
		return 0, err
	}
	if n := d.Facts.Num(name); n.Known {
		return n.Float(), nil
	}
	return 0, notKnown("fact %s of %s", fleet.Clean(name, 60), id)
}

// open returns the open findings of a facet; those of a port are its device's.
func (x facts) open(id, facet string) (out []*fleet.Finding, err error) {
	if _, err := path.Match(facet, ""); err != nil {
		return nil, notKnown("%q is not a pattern", fleet.Clean(facet, 60))
	}
	whose, prefix := id, ""
	if host, part, is := strings.Cut(id, "/"); is && x.Devices.Get(host) != nil {
		whose, prefix = host, "port "+part+" "
	}
	docket := x.Docket(whose)
	for i := range docket.Of() {
		f := &docket.Findings[i]
		name, mine := strings.CutPrefix(f.Facet, prefix)
		if ok, _ := path.Match(facet, name); ok && mine && f.Open() {
			out = append(out, f)
		}
	}
	return out, nil
}

func (x facts) finding(id, facet string) (bool, error) {
	list, err := x.open(id, facet)
	if err != nil || len(list) == 0 {
		return false, err
	}
	if !slices.ContainsFunc(list, func(f *fleet.Finding) bool { return f.Stale.IsZero() }) {
		return false, notKnown("whether %s is still so: it cannot be read", list[0].ID())
	}
	return true, nil
}

// expected is what a finding was held against: what is intended where anybody
// says so, else what most of its like have.
func (x facts) expected(id, facet string) (string, error) {
	list, err := x.open(id, facet)
	if err != nil {
		return "", err
	}
	for _, f := range list {
		for _, name := range [...]fleet.BaselineName{fleet.BaseIntended, fleet.BaseAccepted, fleet.BaseCohort, fleet.BaseLastWeek} {
			for _, b := range f.Baselines {
				if b.Name == name && b.Expected != "" {
					return b.Expected, nil
				}
			}
		}
	}
	return "", notKnown("what %s of %s should be", fleet.Clean(facet, 60), fleet.Clean(id, 80))
}

// row is a port as it was read lately, and when that was.
func (x facts) row(id string) (*fleet.Port, fleet.TableState, error) {
	host, name, _ := strings.Cut(id, "/")
	d, err := x.device(host)
	if err != nil {
		return nil, fleet.TableState{}, err
	}
	t := d.Tables[fleet.TablePorts]
	switch p := d.Port(name); {
	case p == nil:
		return nil, t, notKnown("%s has no port %s", host, fleet.Clean(name, 40))
	case d.Blind() || !x.young(t.At, t.Lane):
		return nil, t, notKnown("%s is not seen now", id)
	default:
		return p, t, nil
	}
}

func (x facts) port(id string) (portView, error) {
	p, _, err := x.row(id)
	if err != nil {
		return portView{}, err
	}
	return portView{p.Oper, p.Admin, p.VLAN, p.Alias}, nil
}

func (x facts) errors(id string) (float64, error) {
	p, t, err := x.row(id)
	if err != nil {
		return 0, err
	}
	if t.At.Add(-t.Span).Before(x.since) { // a port that is down for a part of that has fewer
		return 0, notKnown("how many errors %s has: it was not read twice since", id)
	}
	if !p.Rates.Errors.Known {
		return 0, notKnown("how many errors %s has: it was not read twice", id)
	}
	return p.Rates.Errors.Float(), nil
}

func (x facts) outlet(id string) (outletView, error) {
	host, n, _ := strings.Cut(id, "/")
	d, err := x.device(host)
	if err != nil {
		return outletView{}, err
	}
	t := d.Tables[fleet.TableOutlets]
	for i := range d.Outlets {
		if o := &d.Outlets[i]; strconv.Itoa(o.Index) == n && !d.Blind() && x.young(t.At, t.Lane) && (o.State == "on" || o.State == "off") {
			return outletView{o.State}, nil
		}
	}
	return outletView{}, notKnown("the state of outlet %s", fleet.Clean(id, 80))
}

func (x facts) ports(id string) ([]string, error) {
	d, err := x.device(id)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for i := range d.Spec.Links {
		if c := &d.Spec.Links[i]; c.To != "" && !c.Management() {
			out = append(out, c.To)
		}
	}
	return out, nil
}

// lights counts the ports of a device that are up at their switches. One that
// cannot be seen makes the count unknown only where none is up.
func (x facts) lights(id string) (int, error) {
	list, err := x.ports(id)
	if err != nil {
		return 0, err
	}
	lit, dark := 0, 0
	var unseen error
	for _, port := range list {
		switch p, _, err := x.row(port); {
		case err != nil:
			unseen = err
		case p.Up():
			lit++
		default:
			dark++
		}
	}
	if lit == 0 && unseen != nil {
		return 0, unseen
	}
	if lit+dark == 0 {
		return 0, notKnown("%s has no data cable in the inventory", id)
	}
	return lit, nil
}

func (x facts) outlets(id string) ([]string, error) {
	d, err := x.device(id)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, c := range d.Spec.Power {
		if c.Outlet != "" {
			out = append(out, c.Outlet)
		}
	}
	return out, nil
}
