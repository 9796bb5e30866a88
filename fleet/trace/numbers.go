package trace

import "plumb/fleet"

// numbers gives the parts that a walk meets small numbers, in the order in which
// it meets them. Devices and instances, of which there are many, are found by
// their own, and a few pieces of a device faster by a look at each than by a hash
// of their names.
type numbers struct {
	met                []Part
	devices, instances []int32   // by dense number: number+1, 0 for not met
	pieces             [][]int32 // by device: the first of its pieces that were met
	others             map[Part]int32
}

// fewPieces is how many pieces of a device are looked at one by one.
const fewPieces = 16

func (x *numbers) number(s *fleet.Snapshot, p Part) int32 {
	switch {
	case p.device():
		return x.dense(&x.devices, s.Devices.Len(), p)
	case p.Kind == Instance:
		return x.dense(&x.instances, s.Instances.Len(), p)
	case p.on():
		return x.piece(s, p)
	}
	return x.named(p)
}

func (x *numbers) piece(s *fleet.Snapshot, p Part) int32 {
	if x.pieces == nil {
		x.pieces = make([][]int32, s.Devices.Len())
	}
	list := &x.pieces[p.N]
	for _, k := range *list {
		if m := &x.met[k]; m.Name == p.Name && m.Kind == p.Kind {
			return k
		}
	}
	if len(*list) == fewPieces {
		return x.named(p)
	}
	x.met = append(x.met, p)
	*list = append(*list, int32(len(x.met))-1)
	return int32(len(x.met)) - 1
}

func (x *numbers) dense(list *[]int32, n int, p Part) int32 {
	if *list == nil {
		*list = make([]int32, n)
	}
	at := &(*list)[p.N]
	if *at == 0 {
		x.met = append(x.met, p)
		*at = int32(len(x.met))
	}
	return *at - 1
}

func (x *numbers) named(p Part) int32 {
	if n, ok := x.others[p]; ok {
		return n
	}
	if x.others == nil {
		x.others = map[Part]int32{}
	}
	n := int32(len(x.met))
	x.met, x.others[p] = append(x.met, p), n
	return n
}

// guestsOf says who stands on what: what the engine found, or where a snapshot
// was made without one, a look of our own.
func guestsOf(s *fleet.Snapshot) *fleet.Guests {
	if s.Guests.Of(s) {
		return s.Guests
	}
	return fleet.NewGuests(s)
}
