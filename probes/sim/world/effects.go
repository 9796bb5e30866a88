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
	flap     map[int]float64    // link: since
	errs     map[int]float64    // link: per second
	swap     [][2]int           // links whose lower ends are exchanged
	vlan     map[[2]int]float64 // switch, port: since when it is in quarantine
	alias    map[[2]int]float64 // switch, port: since when it is described as spare
	firmware map[Ref]bool
	user     map[int]float64 // server: since
	cipher0  map[int]float64 // server: since
	silent   map[int]float64 // server: since
	lies     map[int]bool
	dead     map[int]float64 // server: since
	selFull  map[int]float64 // server: since
	ecc      map[int]float64 // server: since
	spread   map[int]seat    // instance: where it sits instead
	resized  map[int]resize  // instance: what it is instead
	retire   map[int]float64
	path     map[int]bool
	reset    map[int]float64 // switch: when its counters began anew
	shuffle  map[int]bool
	sick     map[int]bool    // service: its workload is, by itself
	open     map[int]float64 // region: since when its management group lets the world in
}

// seat is a hypervisor that an instance came to at a time.
type seat struct {
	host  int
	since float64
}

func newEffects() *effects {
	return &effects{
		feed: map[int]bool{}, pdu: map[int]bool{}, psu: map[[2]int]bool{}, fan: map[int]int{}, heat: map[int]float64{},
		sw: map[int]bool{}, flap: map[int]float64{}, errs: map[int]float64{}, vlan: map[[2]int]float64{}, alias: map[[2]int]float64{},
		firmware: map[Ref]bool{}, user: map[int]float64{}, cipher0: map[int]float64{}, silent: map[int]float64{}, lies: map[int]bool{}, dead: map[int]float64{},
		selFull: map[int]float64{}, ecc: map[int]float64{}, spread: map[int]seat{}, resized: map[int]resize{}, retire: map[int]float64{}, path: map[int]bool{}, reset: map[int]float64{}, shuffle: map[int]bool{}, open: map[int]float64{}, sick: map[int]bool{},
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
