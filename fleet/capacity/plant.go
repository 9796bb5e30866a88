package capacity

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"plumb/fleet"
)

// plant is everything that takes room, with what is taken: rows are read off
// it, and what is to be added is put into it.
type plant struct {
	snap    *fleet.Snapshot
	tree    *tree
	rooms   []room // by rack number
	typical map[string]Machine
	threats []threat
}

// room is a rack with what is taken of it.
type room struct {
	rack   *fleet.Rack
	id     string
	space  Space
	beyond float64 // units of what was added and does not fit
	watts  fleet.Num
	limitW float64
	pdus   []int // nodes
	free   []int // outlets, by PDU; unread: not known
	total  []int
	ports  []portClass
	like   Machine
	given  []fleet.HalfU // units that were found for what is to come
}

// portClass are the ports of a speed.
type portClass struct {
	speed       int64 // bits/s; 0: not known
	total, used int
}

// Machine is the shape of what is put into racks. What is zero is not asked
// for.
type Machine struct {
	Height   fleet.HalfU
	Watts    float64
	Ports    int
	SpeedBps int64
	Cords    int
}

func newPlant(s *fleet.Snapshot) *plant {
	p := &plant{snap: s, tree: growTree(s), rooms: make([]room, s.Racks.Len()), typical: map[string]Machine{}}
	for n := range p.rooms {
		p.rooms[n] = p.roomOf(n)
	}
	p.likeness()
	p.threats = p.tree.threats()
	return p
}

func (p *plant) roomOf(n int) room {
	s := p.snap
	rack := s.Racks.At(n)
	r := room{rack: rack, id: s.Racks.ID(n), watts: rack.PowerW, limitW: RackLimitW(s, rack.Spec.ID)}
	r.space = SpaceOf(rack.Spec.Units, specs(s, rack.Spec.ID))
	for _, i := range s.DevicesOf[rack.Spec.ID] {
		d := s.Devices.At(i)
		switch d.Spec.Kind {
		case fleet.KindPDU:
			free, total := outlets(s, d)
			r.pdus, r.free, r.total = append(r.pdus, p.tree.pduOf[i]), append(r.free, free), append(r.total, total)
		case fleet.KindSwitch, fleet.KindRouter:
			r.count(s, d)
		}
	}
	slices.SortFunc(r.ports, func(a, b portClass) int { return cmp.Compare(a.speed, b.speed) })
	return r
}

// specs yields the devices of a rack.
func specs(s *fleet.Snapshot, rack string) func(func(*fleet.DeviceSpec) bool) {
	return func(yield func(*fleet.DeviceSpec) bool) {
		for _, i := range s.DevicesOf[rack] {
			if !yield(s.Devices.At(i).Spec) {
				return
			}
		}
	}
}

// FreeUnits counts the whole units of a rack with nothing in them.
func FreeUnits(s *fleet.Snapshot, r *fleet.RackSpec) int {
	return SpaceOf(r.Units, specs(s, r.ID)).FreeUnits
}

// RackLimitW is what the weakest of a rack's PDUs carries alone, all the time:
// never the sum of A and B. NaN where no rating is known.
func RackLimitW(s *fleet.Snapshot, rack string) float64 {
	limit := math.NaN()
	for _, i := range s.DevicesOf[rack] {
		if d := s.Devices.At(i); d.Spec.Kind == fleet.KindPDU {
			limit = least(limit, PDULimitW(s, d))
		}
	}
	return limit
}

// SiteLimitW is what the weakest feed of a site carries alone; NaN where no
// breaker is known.
func SiteLimitW(s *fleet.Snapshot, site string) float64 {
	limit := math.NaN()
	for _, f := range s.Feeds.All() {
		if f.Spec.Site == site {
			limit = least(limit, FeedLimitW(f.Spec))
		}
	}
	return limit
}

// least is the smaller one of what is known.
func least(a, b float64) float64 {
	if math.IsNaN(a) || b < a {
		return b
	}
	return a
}

// idleW is what an outlet gives to nothing: the noise of its meter.
const idleW = 5

// unread stands for outlets that nobody read. What is added may need more than
// there are, so less than none is a number.
const unread = math.MinInt

// outlets counts a PDU's outlets that no cord is meant for and that give
// nothing.
func outlets(s *fleet.Snapshot, d *fleet.Device) (free, total int) {
	if len(d.Outlets) == 0 {
		return unread, 0
	}
	var key []byte
	for i := range d.Outlets {
		o := &d.Outlets[i]
		if o.PowerW.Known && o.PowerW.Float() > idleW {
			continue
		}
		key = appendInt(append(append(key[:0], d.Spec.ID...), '/'), o.Index)
		if _, corded := s.Corded[string(key)]; !corded {
			free++
		}
	}
	return free, len(d.Outlets)
}

func appendInt(b []byte, n int) []byte {
	if n >= 10 {
		b = appendInt(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

// count adds a switch's ports. One is used when a cable is meant for it, when
// it is up, or when it learned an address.
func (r *room) count(s *fleet.Snapshot, d *fleet.Device) {
	var heard map[string]bool
	if len(d.FDB) > 0 {
		heard = make(map[string]bool, len(d.Ports))
	}
	for i := range d.FDB {
		heard[d.FDB[i].Port] = true
	}
	key := append([]byte(d.Spec.ID), '/')
	for i := range d.Ports {
		p := &d.Ports[i]
		if !physical(p) {
			continue
		}
		speed := int64(0)
		if n := p.SpeedBps.Rescale(0); n.Known {
			speed = n.N
		}
		c := r.class(speed)
		c.total++
		used := p.Up() || heard[p.Name]
		if !used { // the dearest question last
			key = append(key[:len(d.Spec.ID)+1], p.Name...)
			_, used = s.Cabled[string(key)]
		}
		if used {
			c.used++
		}
	}
}

// physical leaves out what no cable goes into.
func physical(p *fleet.Port) bool {
	switch p.Type {
	case "", "ethernetCsmacd", "gigabitEthernet", "fastEther":
		return !strings.HasPrefix(p.Name, "Vlan") && !strings.HasPrefix(p.Name, "Loopback") && !strings.HasPrefix(p.Name, "Port-Channel")
	}
	return false
}

func (r *room) class(speed int64) *portClass {
	for i := range r.ports {
		if r.ports[i].speed == speed {
			return &r.ports[i]
		}
	}
	r.ports = append(r.ports, portClass{speed: speed})
	return &r.ports[len(r.ports)-1]
}

// likeness finds what a machine of each rack looks like: the middle one of its
// servers, else of its site's, else of the fleet's.
func (p *plant) likeness() {
	bySite, all := map[string][]Machine{}, []Machine{}
	of := make([][]Machine, len(p.rooms))
	for n := range p.rooms {
		r := &p.rooms[n]
		for _, i := range p.snap.DevicesOf[r.rack.Spec.ID] {
			if d := p.snap.Devices.At(i); d.Spec.Kind == fleet.KindServer && d.Spec.Unit > 0 {
				of[n] = append(of[n], p.machine(d))
			}
		}
		bySite[r.rack.Spec.Site] = append(bySite[r.rack.Spec.Site], of[n]...)
		all = append(all, of[n]...)
	}
	for site, list := range bySite {
		p.typical[site] = middle(list)
	}
	fleetwide := middle(all)
	for n := range p.rooms {
		r := &p.rooms[n]
		switch {
		case len(of[n]) > 0:
			r.like = middle(of[n])
		case len(bySite[r.rack.Spec.Site]) > 0:
			r.like = p.typical[r.rack.Spec.Site]
		default:
			r.like = fleetwide
		}
	}
}

// machine is the shape of a device.
func (p *plant) machine(d *fleet.Device) Machine {
	m := Machine{Height: max(d.Spec.Height, 1), Cords: len(d.Spec.Power)}
	if d.PowerW.Known {
		m.Watts = d.PowerW.Float()
	}
	for _, c := range d.Spec.Links {
		if c.Management() {
			continue
		}
		m.Ports++
		sw, port, _ := strings.Cut(c.To, "/")
		if x := p.snap.Devices.Get(sw); x != nil && m.SpeedBps == 0 {
			if q := x.Port(port); q != nil && q.SpeedBps.Known {
				m.SpeedBps = q.SpeedBps.Rescale(0).N
			}
		}
	}
	return m
}

// middle is the median of shapes, each side by itself.
func middle(list []Machine) Machine {
	if len(list) == 0 {
		return Machine{}
	}
	return Machine{
		Height:   median(list, func(m Machine) fleet.HalfU { return m.Height }),
		Watts:    median(list, func(m Machine) float64 { return m.Watts }),
		Ports:    median(list, func(m Machine) int { return m.Ports }),
		SpeedBps: median(list, func(m Machine) int64 { return m.SpeedBps }),
		Cords:    median(list, func(m Machine) int { return m.Cords }),
	}
}

func median[T cmp.Ordered](list []Machine, of func(Machine) T) T {
	v := make([]T, len(list))
	for i, m := range list {
		v[i] = of(m)
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// headW is how much a node still takes when the worst has happened; NaN where
// its limit is not known.
func (p *plant) headW(i int) float64 {
	n := &p.tree.nodes[i]
	head := n.limitW - n.watts
	if t := p.threats[i]; t.by >= 0 {
		head = math.Min(head, -t.over)
	}
	return head
}
