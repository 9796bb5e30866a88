package bmc

import (
	"encoding/binary"

	"github.com/bougou/go-ipmi/pkg/types"

	"plumb/probes/sim/world"
)

var selCommands = []entry{
	{types.CommandGetSELInfo, 0, user, selInfo},
	{types.CommandGetSELAllocInfo, 0, user, func(d *device, _ []byte) ([]byte, types.CompletionCode) {
		log, _ := d.World.Log(d.Server, d.Now())
		free := uint16(world.SELCapacity - len(log))
		b := append(le16(world.SELCapacity), le16(16)...)
		b = append(append(b, le16(free)...), le16(free)...)
		return append(b, 1), ccOK
	}},
	{types.CommandReserveSEL, 0, user, func(d *device, _ []byte) ([]byte, types.CompletionCode) {
		d.selRes = d.reserve()
		return le16(d.selRes), ccOK
	}},
	{types.CommandGetSELEntry, 6, user, selEntry},
	{types.CommandClearSEL, 6, operator, selClear},
	{types.CommandGetSELTime, 0, user, getTime},
	{types.CommandSetSELTime, 4, operator, func(*device, []byte) ([]byte, types.CompletionCode) { return nil, ccOK }}, // it follows NTP
	{types.CommandGetSELTimeUTCOffset, 0, user, func(*device, []byte) ([]byte, types.CompletionCode) { return []byte{0, 0}, ccOK }},
}

// selInfo is table 31-2.
func selInfo(d *device, _ []byte) ([]byte, types.CompletionCode) {
	log, erased := d.World.Log(d.Server, d.Now())
	var last uint32
	if len(log) > 0 {
		last = uint32(log[len(log)-1].At)
	}
	support := byte(0x03) // allocation info and reservation
	if d.look().LogFull {
		support |= 0x80
	}
	b := append([]byte{0x51}, le16(uint16(len(log)))...)
	b = append(b, le16(uint16((world.SELCapacity-len(log))*16))...)
	b = append(append(b, le32(last)...), le32(uint32(erased.Unix()))...)
	return append(b, support), ccOK
}

// selEntry is table 31-5: reservation, record, offset, length.
func selEntry(d *device, req []byte) ([]byte, types.CompletionCode) {
	res, id := binary.LittleEndian.Uint16(req), binary.LittleEndian.Uint16(req[2:])
	at, n := int(req[4]), int(req[5])
	if at > 0 && (res == 0 || res != d.selRes) {
		return nil, ccReservation
	}
	log, _ := d.World.Log(d.Server, d.Now())
	i := -1
	switch {
	case len(log) == 0:
		return nil, ccNotPresent
	case id == 0:
		i = 0
	case id == 0xffff:
		i = len(log) - 1
	default: // ids ascend without gaps from the first
		i = int(id) - int(log[0].ID)
	}
	if i < 0 || i >= len(log) {
		return nil, ccNotPresent
	}
	rec := selRecord(&log[i])
	if at >= len(rec) {
		return nil, ccRange
	}
	next := uint16(0xffff)
	if i+1 < len(log) {
		next = log[i+1].ID
	}
	return append(le16(next), rec[at:min(len(rec), at+n)]...), ccOK
}

// selRecord is a system event record (table 32-1), made by the BMC itself.
func selRecord(r *world.Record) []byte {
	b := append(le16(r.ID), 0x02)
	b = append(b, le32(uint32(r.At))...)
	return append(b, 0x20, 0x00, 0x04, r.Type, r.Sensor, r.Dir, r.Data[0], r.Data[1], r.Data[2])
}

// selClear is table 31-9: reservation, "CLR", then AAh to begin or 00h to ask.
func selClear(d *device, req []byte) ([]byte, types.CompletionCode) {
	if string(req[2:5]) != "CLR" {
		return nil, ccField
	}
	if res := binary.LittleEndian.Uint16(req); res == 0 || res != d.selRes {
		return nil, ccReservation
	}
	if req[5] == 0xaa {
		if d.World.ClearLog(d.Server, d.Now()) != nil {
			return nil, ccState
		}
		d.selRes = 0
	}
	return []byte{1}, ccOK // erased
}
