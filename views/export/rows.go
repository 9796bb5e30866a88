package export

import (
	"cmp"
	"strings"
	"time"

	"plumb/fleet"
)

// Status is the one line of totals.
type Status struct {
	State     fleet.State               `json:"state"`
	Totals    map[string]map[string]int `json:"totals"`
	Alerts    map[string]int            `json:"alerts"`
	DriftOpen int                       `json:"drift_open"`
	Blind     int                       `json:"blind"`
	OldestS   *int64                    `json:"oldest_s"`
}

// Region is a region with its roll-up.
type Region struct {
	Name      string      `json:"name"`
	State     fleet.State `json:"state"`
	Devices   int         `json:"devices"`
	Racks     int         `json:"racks"`
	Sites     int         `json:"sites"`
	PowerW    fleet.Num   `json:"power_w"`
	Blind     int         `json:"blind"`
	Alerts    int         `json:"alerts"`
	DriftOpen int         `json:"drift_open"`
	Reasons   []string    `json:"reasons"` // of the region as a whole: a lost path or feed
}

// Rack is a rack with its roll-up.
type Rack struct {
	ID        string      `json:"id"`
	Region    string      `json:"region"`
	Site      string      `json:"site"`
	Row       string      `json:"row"`
	State     fleet.State `json:"state"`
	Devices   int         `json:"devices"`
	Units     int         `json:"units"`
	FreeUnits int         `json:"free_units"`
	PowerW    fleet.Num   `json:"power_w"`
	Feeds     []string    `json:"feeds"`
	Blind     int         `json:"blind"`
	Alerts    int         `json:"alerts"`
	Reasons   []string    `json:"reasons"` // of the rack as a whole: a lost path, warm air
}

// Device is a device with its state.
type Device struct {
	ID          string           `json:"id"`
	Kind        fleet.DeviceKind `json:"kind"`
	State       fleet.State      `json:"state"`
	Power       fleet.Power      `json:"power"`
	Rack        string           `json:"rack"`
	Unit        fleet.Num        `json:"unit"`
	Height      fleet.Num        `json:"height"`
	Model       string           `json:"model"`
	Serial      string           `json:"serial"`
	Firmware    string           `json:"firmware"`
	Name        string           `json:"name"`
	Owner       string           `json:"owner"`
	Tenant      string           `json:"tenant"`
	Env         string           `json:"env"`
	Region      string           `json:"region"`
	Site        string           `json:"site"`
	PowerW      fleet.Num        `json:"power_w"`
	InletC      fleet.Num        `json:"inlet_c"`
	Maintenance bool             `json:"maintenance"`
	DriftOpen   int              `json:"drift_open"`
	BlindSince  *time.Time       `json:"blind_since"`
	SeenAt      *time.Time       `json:"seen_at"`
	AgeS        *int64           `json:"age_s"`
	Address     string           `json:"address"`
	Error       *string          `json:"error"`
	Reasons     []string         `json:"reasons"`
}

// DevicePage is one device with what only its page shows.
type DevicePage struct {
	Device
	Facts   fleet.Facts                          `json:"facts"`
	Tables  map[fleet.TableID]fleet.Completeness `json:"tables"`
	Tags    map[string]string                    `json:"tags"`
	Sensors int                                  `json:"sensors"`
	Ports   int                                  `json:"ports"`
	Outlets []fleet.Outlet                       `json:"outlets"`
	// Findings are all that stand against it, also those that people ruled on.
	Findings Findings `json:"findings"`
}

// Findings are shown by their ids and values where there is one cell for them.
type Findings []Drift

func (f Findings) String() string {
	var out []string
	for i := range f {
		out = append(out, f[i].Facet+" "+f[i].Observed+" ("+string(f[i].State)+")")
	}
	return strings.Join(out, "; ")
}

// Sensor is a sensor with its reading.
type Sensor struct {
	Device string            `json:"device"`
	ID     string            `json:"id"`
	Name   string            `json:"name"`
	Class  fleet.SensorClass `json:"class"`
	Value  fleet.Num         `json:"value"`
	Unit   string            `json:"unit"`
	State  fleet.State       `json:"state"`
	Text   string            `json:"text"`
	Limits fleet.Limits      `json:"limits"`
	At     *time.Time        `json:"at"`
}

// Port is a port with its counters and rates.
type Port struct {
	Device      string     `json:"device"`
	Index       int        `json:"index"`
	Name        string     `json:"name"`
	Alias       string     `json:"alias"`
	Descr       string     `json:"descr"`
	Type        string     `json:"type"`
	Admin       string     `json:"admin"`
	Oper        string     `json:"oper"`
	SpeedBps    fleet.Num  `json:"speed_bps"`
	MTU         int        `json:"mtu"`
	MAC         string     `json:"mac"`
	VLAN        *int       `json:"vlan"`
	InBps       fleet.Num  `json:"in_bps"`
	OutBps      fleet.Num  `json:"out_bps"`
	InOctets    *uint64    `json:"in_octets"`
	OutOctets   *uint64    `json:"out_octets"`
	InErrors    *uint64    `json:"in_errors"`
	OutErrors   *uint64    `json:"out_errors"`
	InDiscards  *uint64    `json:"in_discards"`
	OutDiscards *uint64    `json:"out_discards"`
	Neighbor    *string    `json:"neighbor"`
	At          *time.Time `json:"at"`
}

// Service is a service with its replicas and failure domains.
type Service struct {
	ID       string      `json:"id"`
	Owner    string      `json:"owner"`
	State    fleet.State `json:"state"`
	Replicas int         `json:"replicas"`
	Floor    int         `json:"floor"`
	Zones    int         `json:"zones"`
	Hosts    int         `json:"hosts"`
	Racks    int         `json:"racks"`
	Opacity  fleet.Num   `json:"opacity"` // share of replicas whose failure domains cannot be told apart, 0 to 1
	Shared   string      `json:"shared"`  // the part that takes most of the replicas at once
	Reasons  []string    `json:"reasons"`
	// What its workload says: null where nobody asks.
	Health     *fleet.State `json:"health"`
	HealthText string       `json:"health_text"`
	Latency    fleet.Num    `json:"latency_s"`
	HealthAt   *time.Time   `json:"health_at"` // of the last word
	HealthAge  *int64       `json:"health_age_s"`
	Asks       string       `json:"health_asks"`
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func age(now, t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	s := int64(max(now.Sub(t), 0) / time.Second)
	return &s
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// StatusOf sums up a snapshot as of now.
func StatusOf(s *fleet.Snapshot, now time.Time) Status {
	st := Status{State: fleet.StateOff, Totals: map[string]map[string]int{}, Alerts: map[string]int{"info": 0, "warn": 0, "crit": 0},
		DriftOpen: s.Counts.DriftOpen, Blind: s.Counts.Blind, OldestS: age(now, s.Oldest)}
	if s.Alerts != nil {
		for sev, n := range s.Alerts.Counts {
			st.Alerts[fleet.Severity(sev).String()] = n
		}
	}
	for k := range fleet.Kind(fleet.NumKinds) {
		m := map[string]int{}
		for x := range fleet.State(fleet.NumStates) {
			m[x.String()] = s.Counts.By[k][x]
			if s.Counts.By[k][x] > 0 && (k == fleet.KindOfRegion || k == fleet.KindOfCloud || k == fleet.KindOfService) {
				st.State = fleet.Worst(st.State, x)
			}
		}
		st.Totals[k.String()] = m
	}
	return st
}

// Regions lists the regions. The alert of a service counts in each region with a
// replica of it.
func Regions(s *fleet.Snapshot) []Region {
	out, firing := make([]Region, 0, s.Regions.Len()), firingIn(s, s.AlertRegions)
	for id, r := range s.Regions.All() {
		out = append(out, Region{Name: id, State: r.State, Devices: r.Devices, Racks: r.Racks, Sites: r.Sites, PowerW: r.PowerW, Blind: r.Blind, Alerts: firing[id], DriftOpen: r.DriftOpen, Reasons: list(r.Reasons)})
	}
	return out
}

// Racks lists the racks of a region, or all.
func Racks(s *fleet.Snapshot, region string) []Rack {
	out, firing := make([]Rack, 0, s.Racks.Len()), firingIn(s, func(a *fleet.Alert) []string { return []string{a.Labels["rack"]} })
	for id, r := range s.Racks.All() {
		if region == "" || r.Spec.Region == region {
			out = append(out, Rack{ID: id, Region: r.Spec.Region, Site: r.Spec.Site, Row: r.Spec.Row, State: r.State, Devices: r.Devices,
				Units: r.Spec.Units, FreeUnits: r.FreeUnits, PowerW: r.PowerW, Feeds: list(r.Spec.Feeds), Blind: r.Blind, Alerts: firing[id], Reasons: list(r.Reasons)})
		}
	}
	return out
}

// DeviceOf is the row of one device.
func DeviceOf(d *fleet.Device, now time.Time) Device {
	x := Device{
		ID: d.Spec.ID, Kind: d.Spec.Kind, State: d.State, Power: d.Power, Rack: d.Spec.Rack, Unit: placeOf(d.Spec.Unit), Height: d.Spec.Height.Num(),
		Model: cmp.Or(d.Facts.Get(fleet.FactModel), d.Spec.Model), Serial: cmp.Or(d.Facts.Get(fleet.FactSerial), d.Spec.Serial),
		Firmware: d.Facts.Get(fleet.FactFirmware), Name: d.Spec.Name, Owner: d.Spec.Owner, Tenant: d.Spec.Tenant, Env: d.Spec.Env,
		Region: d.Spec.Region, Site: d.Spec.Site, PowerW: d.PowerW, InletC: d.InletC, Maintenance: d.Maintenance, DriftOpen: d.DriftOpen,
		BlindSince: when(d.BlindSince), SeenAt: when(d.SeenAt), AgeS: age(now, d.SeenAt), Reasons: list(d.Reasons),
	}
	if len(d.Spec.Endpoints) > 0 {
		x.Address = d.Spec.Endpoints[0].Address
	}
	x.Error = problem(d.Err)
	return x
}

// placeOf is a unit of a rack, null for what stands in none.
func placeOf(u fleet.HalfU) fleet.Num {
	if u == 0 {
		return fleet.Num{}
	}
	return u.Num()
}

// PageOf is one device with everything its page shows.
func PageOf(d *fleet.Device, now time.Time) DevicePage {
	p := DevicePage{Device: DeviceOf(d, now), Facts: d.Facts, Tables: map[fleet.TableID]fleet.Completeness{}, Tags: d.Spec.Tags,
		Sensors: len(d.Sensors), Ports: len(d.Ports), Outlets: d.Outlets, Findings: Findings{}}
	for t := range d.Tables {
		if d.Tables[t].Is != fleet.NotAsked {
			p.Tables[fleet.TableID(t)] = d.Tables[t].Is
		}
	}
	if p.Tags == nil {
		p.Tags = map[string]string{}
	}
	if p.Outlets == nil {
		p.Outlets = []fleet.Outlet{}
	}
	return p
}

// Sensors lists the sensors of a device.
func Sensors(d *fleet.Device) []Sensor {
	out := make([]Sensor, 0, len(d.Sensors))
	for i := range d.Sensors {
		x := &d.Sensors[i]
		out = append(out, Sensor{Device: d.Spec.ID, ID: d.Spec.ID + "/" + x.Key, Name: x.Name, Class: x.Class, Value: x.Value, Unit: x.Unit,
			State: x.State, Text: x.Text, Limits: x.Limits, At: when(d.Tables[fleet.TableSensors].At)})
	}
	return out
}

// Ports lists the ports of a device.
func Ports(d *fleet.Device) []Port {
	out := make([]Port, 0, len(d.Ports))
	for i := range d.Ports {
		p := &d.Ports[i]
		x := Port{Device: d.Spec.ID, Index: p.Index, Name: p.Name, Alias: p.Alias, Descr: p.Descr, Type: p.Type, Admin: p.Admin, Oper: p.Oper,
			SpeedBps: p.SpeedBps, MTU: p.MTU, MAC: p.MAC, InBps: p.Rates.InBps, OutBps: p.Rates.OutBps, At: when(d.Tables[fleet.TablePorts].At)}
		for c, to := range [...]**uint64{&x.InOctets, &x.OutOctets, &x.InErrors, &x.OutErrors, &x.InDiscards, &x.OutDiscards} {
			if n, ok := p.Counters.Get(fleet.CounterID(c)); ok {
				*to = &n
			}
		}
		if p.VLAN != 0 {
			x.VLAN = &p.VLAN
		}
		if p.Neighbor != "" {
			x.Neighbor = &p.Neighbor
		}
		out = append(out, x)
	}
	return out
}

// Instances lists the instances.
func Instances(s *fleet.Snapshot) []fleet.Instance {
	out := make([]fleet.Instance, 0, s.Instances.Len())
	for _, x := range s.Instances.All() {
		i := x.Instance
		if i.Tags == nil {
			i.Tags = map[string]string{}
		}
		out = append(out, i)
	}
	return out
}

// Services lists the services, without what their replicas share.
func Services(s *fleet.Snapshot) []Service {
	out := make([]Service, 0, s.Services.Len())
	for id, v := range s.Services.All() {
		x := Service{ID: id, Owner: v.Spec.Owner, State: v.State, Replicas: v.Replicas, Floor: v.Spec.Floor, Zones: v.Zones, Hosts: v.Hosts, Racks: v.Racks, Reasons: list(v.Reasons)}
		x.health(v, s.At)
		out = append(out, x)
	}
	return out
}

// health adds what a service's workload says.
func (x *Service) health(v *fleet.Service, now time.Time) {
	if v.Spec.Health == nil {
		return
	}
	state, h := fleet.StateUnknown, v.Health
	x.Health, x.Asks = &state, v.Spec.Health.Asks()
	if h == nil {
		return
	}
	state = h.State
	x.HealthText, x.HealthAt, x.HealthAge = h.Words(), when(h.SaidAt), age(now, h.SaidAt)
	x.Latency = seconds(h.LatencyMs)
}

// seconds are milliseconds in s.
func seconds(ms fleet.Num) fleet.Num {
	if !ms.Known {
		return ms
	}
	return fleet.Dec(ms.N, ms.Scale-3)
}

// Closest returns the known id that is nearest to what was typed: one that
// contains it, else the one with the longest common start; "" for none.
func Closest(ids []string, typed string) string {
	best, shared := "", 2
	for _, id := range ids {
		if typed != "" && strings.Contains(id, typed) {
			return id
		}
		n := 0
		for n < min(len(id), len(typed)) && id[n] == typed[n] {
			n++
		}
		if n > shared {
			best, shared = id, n
		}
	}
	return best
}

// Nearest returns the word that is typed with the fewest slips (letters put in,
// left out, changed or swapped), at most two and fewer than half of them; else
// what Closest says; "" for none. It is for short lists of words.
func Nearest(words []string, typed string) string {
	best, slips := "", 3
	for _, w := range words {
		if d := slipsBetween(w, typed); d < slips && 2*d < len(typed) {
			best, slips = w, d
		}
	}
	if best == "" && len(typed) > 1 && len(typed) <= 64 {
		return Closest(words, typed)
	}
	return best
}

// slipsBetween is the distance of Damerau and Levenshtein between two words
// (optimal string alignment).
func slipsBetween(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b)
	}
	var d [66][66]int
	for i := range len(a) + 1 {
		for j := range len(b) + 1 {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j], d[i][j-1], d[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], 1+d[i-2][j-2])
			}
		}
	}
	return d[len(a)][len(b)]
}

// Fault is one injected fault of the demo: what is, for anyone to hold against
// what plumb says.
type Fault struct {
	Name   string    `json:"name"`
	Target string    `json:"target"`
	Since  time.Time `json:"since"`
	Cause  string    `json:"cause"`
	Expect string    `json:"expect"`
}
