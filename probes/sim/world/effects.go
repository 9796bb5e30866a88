package world

// effects is what the active faults do, gathered before a run is made from it.
// Everything that can be seen of a fault follows from these few causes.
type effects struct {
	feed     map[int]bool
	pdu      map[int]bool
	psu      map[[2]int]bool // server, psu
	fan      map[int]int     // server: which fan
	heat     map[int]float64 // rack: kelvin
	sw       map[int]bool
	flap     map[int]float64 // link: since
	errs     map[int]float64 // link: per second
	swap     [][2]int        // links whose lower ends are exchanged
	vlan     map[int]map[int]int
	firmware map[Ref]bool
	user     map[int]bool
	cipher0  map[int]bool
	silent   map[int]bool
	lies     map[int]bool
	dead     map[int]bool
	selFull  map[int]bool
	spread   map[int]int // instance: hypervisor it sits on
	retire   map[int]bool
	path     map[int]bool
	reset    map[int]float64 // switch: when its counters began anew
	shuffle  map[int]bool
	open     map[int]bool // region: its management group lets the world in
}

func newEffects() *effects {
	return &effects{
		feed: map[int]bool{}, pdu: map[int]bool{}, psu: map[[2]int]bool{}, fan: map[int]int{}, heat: map[int]float64{},
		sw: map[int]bool{}, flap: map[int]float64{}, errs: map[int]float64{}, vlan: map[int]map[int]int{},
		firmware: map[Ref]bool{}, user: map[int]bool{}, cipher0: map[int]bool{}, silent: map[int]bool{}, lies: map[int]bool{}, dead: map[int]bool{},
		selFull: map[int]bool{}, spread: map[int]int{}, retire: map[int]bool{}, path: map[int]bool{}, reset: map[int]float64{}, shuffle: map[int]bool{}, open: map[int]bool{},
	}
}

// effects gathers what is wrong at t. mu is held.
func (w *World) effects(t float64) *effects {
	fx := newEffects()
	for _, f := range w.faults {
		if start := w.seconds(f.Start); t >= start && (f.End.IsZero() || t < w.seconds(f.End)) {
			f.kind.apply(w, f, start, fx)
		}
	}
	return fx
}
