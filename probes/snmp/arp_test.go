package snmp

import (
	"slices"
	"testing"

	"plumb/fleet"
)

func arpPhysical(ifIndex uint32, kind uint32, ip []uint32, mac string, typ, state int) []object {
	index := append([]uint32{ifIndex, kind, uint32(len(ip))}, ip...)
	return []object{
		objAt(physicalARP[0].plus(index...), mac), objAt(physicalARP[1].plus(index...), typ), objAt(physicalARP[2].plus(index...), state),
	}
}

func arpMedia(ifIndex uint32, ip []uint32, mac string, typ int) []object {
	index := append([]uint32{ifIndex}, ip...)
	return []object{objAt(mediaARP[0].plus(index...), mac), objAt(mediaARP[1].plus(index...), typ)}
}

const macA, macB = "\x52\x54\x00\x00\x00\x0a", "\x52\x54\x00\x00\x00\x0b"

// TestARP: only who answers is told, in both families, and the old table is
// read where the new one has no IPv4.
func TestARP(t *testing.T) {
	ports := []fakePort{{index: 101, name: "Ethernet1"}, {index: 102, name: "Vlan20"}}
	v6 := []uint32{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	scoped := []uint32{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 102}
	six := append(arpPhysical(101, 2, v6, macA, 3, 1), arpPhysical(102, 4, scoped, macB, 3, 2)...)
	both := append(slices.Clone(six), arpPhysical(102, 1, []uint32{10, 0, 0, 7}, macB, 4, 1)...)
	old := arpMedia(101, []uint32{10, 0, 0, 9}, macA, 3)
	seen6 := []fleet.Address{{IP: "2001:db8::1", MAC: "52:54:00:00:00:0a", Port: "Ethernet1"}, {IP: "fe80::2", MAC: "52:54:00:00:00:0b", Port: "Vlan20"}}
	for name, c := range map[string]struct {
		rows []object
		want []fleet.Address
		is   fleet.Completeness
	}{
		"new table alone":         {append(slices.Clone(both), old...), []fleet.Address{seen6[0], {IP: "10.0.0.7", MAC: "52:54:00:00:00:0b", Port: "Vlan20"}, seen6[1]}, fleet.Complete},
		"IPv4 in the old table":   {append(slices.Clone(six), old...), append(slices.Clone(seen6), fleet.Address{IP: "10.0.0.9", MAC: "52:54:00:00:00:0a", Port: "Ethernet1"}), fleet.Complete},
		"old table alone":         {old, []fleet.Address{{IP: "10.0.0.9", MAC: "52:54:00:00:00:0a", Port: "Ethernet1"}}, fleet.Complete},
		"no table":                {nil, nil, fleet.Absent},
		"an interface unknown":    {arpMedia(7, []uint32{10, 0, 0, 9}, macA, 3), []fleet.Address{{IP: "10.0.0.9", MAC: "52:54:00:00:00:0a", Port: "ifIndex 7"}}, fleet.Complete},
		"invalid":                 {arpPhysical(101, 1, []uint32{10, 0, 0, 1}, macA, 2, 1), nil, fleet.Complete},
		"the device's own":        {arpPhysical(101, 1, []uint32{10, 0, 0, 1}, macA, 5, 1), nil, fleet.Complete},
		"incomplete":              {arpPhysical(101, 1, []uint32{10, 0, 0, 1}, macA, 3, 7), nil, fleet.Complete},
		"invalid of old":          {arpMedia(101, []uint32{10, 0, 0, 1}, macA, 2), nil, fleet.Complete},
		"no MAC":                  {arpMedia(101, []uint32{10, 0, 0, 1}, "", 3), nil, fleet.Complete},
		"all zero":                {arpMedia(101, []uint32{10, 0, 0, 1}, "\x00\x00\x00\x00\x00\x00", 3), nil, fleet.Complete},
		"octets out of range":     {arpMedia(101, []uint32{10, 0, 0, 300}, macA, 3), nil, fleet.Complete},
		"length and type differ":  {arpPhysical(101, 2, []uint32{10, 0, 0, 1}, macA, 3, 1), nil, fleet.Complete},
		"an index of three parts": {[]object{objAt(physicalARP[0].plus(1, 2, 3), macA)}, nil, fleet.Complete},
	} {
		t.Run(name, func(t *testing.T) {
			tree := sorted(append(switchTree(1, "r1", ports...), c.rows...))
			o := observe(t, agentOf(t, newFake(t, tree...)), fleet.LaneTables)
			if !slices.Equal(o.ARP, c.want) || o.Tables[fleet.TableARP] != c.is {
				t.Errorf("%v %v, want %v %v", o.Tables[fleet.TableARP], o.ARP, c.is, c.want)
			}
		})
	}
}

// TestARPBound: a table beyond the bound is partial, and the walk stops there.
func TestARPBound(t *testing.T) {
	tree := switchTree(1, "r1", fakePort{index: 101, name: "Ethernet1"})
	for i := range uint32(60) {
		tree = append(tree, arpMedia(101, []uint32{10, 0, 0, i + 1}, macA, 3)...)
	}
	o := observe(t, agentOf(t, newFake(t, sorted(tree)...), func(c *Config) { c.MaxRows = 40 }), fleet.LaneTables)
	if len(o.ARP) != 40 || o.Tables[fleet.TableARP] != fleet.Partial {
		t.Errorf("%v with %d rows", o.Tables[fleet.TableARP], len(o.ARP))
	}
}

// FuzzARPIndex throws indexes at what reads addresses out of them.
func FuzzARPIndex(f *testing.F) {
	f.Add([]byte{1, 1, 4, 10, 0, 0, 1})
	f.Add([]byte{1, 4, 20, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9})
	f.Add([]byte{1, 10, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		index := make(oid, len(b))
		for i, n := range b {
			index[i] = uint32(n)
		}
		for _, read := range []func(oid) (arpKey, bool){physicalIndex, mediaIndex} {
			if k, ok := read(index); ok && (!k.ip.IsValid() || k.ip.Zone() != "" || k.ip.Is4In6() || k.ifIndex != index[0]) {
				t.Errorf("%v of %v", k, index)
			}
		}
	})
}
