package bmc

import (
	"encoding/binary"
	"time"

	"plumb/probes/sim/world"
)

// fru returns a server's FRU inventory (IPMI Platform Management FRU 1.0). As
// on many servers chassis and product carry one serial, the board its own.
func fru(sv *world.Server) []byte {
	maker := sv.Vendor + " Inc."
	chassis := area([]byte{1, 0, 0x17}, "PL-CH-"+sv.Model, sv.Serial)
	board := area(append([]byte{1, 0, 25}, fruDate(sv)...), maker, "PowerEdge "+sv.Model, "B"+sv.Serial, "PL-MB-"+sv.Model, "")
	product := area([]byte{1, 0, 25}, maker, sv.Model, "PowerEdge "+sv.Model, "1", sv.Serial, sv.Name, "")
	at := 8
	head := []byte{1, 0, byte(at / 8), byte((at + len(chassis)) / 8), byte((at + len(chassis) + len(board)) / 8), 0, 0, 0}
	head[7] = -sum(head)
	out := append(head, chassis...)
	out = append(out, board...)
	return append(out, product...)
}

// area closes an area: fields, end mark, padding to eight bytes, checksum.
func area(head []byte, fields ...string) []byte {
	b := head
	for _, f := range fields {
		b = append(b, idString(f[:min(len(f), 63)])...)
	}
	b = append(b, 0xc1)
	for len(b)%8 != 7 {
		b = append(b, 0)
	}
	b[1] = byte((len(b) + 1) / 8)
	return append(b, -sum(b))
}

// fruDate is minutes since 1996, three bytes: five years before the warranty ends.
func fruDate(sv *world.Server) []byte {
	made := sv.Warranty.AddDate(-5, 0, 0)
	if sv.Warranty.IsZero() {
		return []byte{0, 0, 0}
	}
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], uint32(made.Sub(time.Date(1996, 1, 1, 0, 0, 0, 0, time.UTC))/time.Minute))
	return b[:3]
}

func sum(b []byte) (s byte) {
	for _, x := range b {
		s += x
	}
	return s
}
