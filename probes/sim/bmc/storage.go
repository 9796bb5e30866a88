package bmc

import (
	"encoding/binary"

	"github.com/bougou/go-ipmi/pkg/types"
)

// maxRead is the most that one answer carries.
const maxRead = 200

var storageCommands = []entry{
	{types.CommandGetFRUInventoryAreaInfo, 1, user, fruInfo},
	{types.CommandReadFRUData, 4, user, fruRead},
	{types.CommandGetSDRRepoInfo, 0, user, sdrInfo},
	{types.CommandGetSDRRepoAllocInfo, 0, user, func(*device, []byte) ([]byte, types.CompletionCode) {
		return []byte{0, 0, 64, 0, 0, 0, 0, 0, 4}, ccOK
	}},
	{types.CommandReserveSDRRepo, 0, user, func(d *device, _ []byte) ([]byte, types.CompletionCode) {
		d.sdrRes = d.reserve()
		return le16(d.sdrRes), ccOK
	}},
	{types.CommandGetSDR, 6, user, sdrGet},
	{types.CommandGetSDRRepoTime, 0, user, getTime},
}

func le16(v uint16) []byte { return []byte{byte(v), byte(v >> 8)} }
func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

func getTime(d *device, _ []byte) ([]byte, types.CompletionCode) {
	return le32(uint32(d.Now().Unix())), ccOK
}

// fruInfo is table 34-2.
func fruInfo(d *device, req []byte) ([]byte, types.CompletionCode) {
	if req[0] != 0 {
		return nil, ccNotPresent
	}
	return append(le16(uint16(len(d.fru))), 0), ccOK // accessed by bytes
}

// fruRead is table 34-3.
func fruRead(d *device, req []byte) ([]byte, types.CompletionCode) {
	if req[0] != 0 {
		return nil, ccNotPresent
	}
	at, n := int(binary.LittleEndian.Uint16(req[1:])), min(int(req[3]), maxRead)
	if at >= len(d.fru) {
		return nil, ccRange
	}
	part := d.fru[at:min(len(d.fru), at+n)]
	return append([]byte{byte(len(part))}, part...), ccOK
}

// sdrInfo is table 33-3. The repository was filled when the server was built
// and has not changed since, whatever clock a client compares that to.
func sdrInfo(d *device, _ []byte) ([]byte, types.CompletionCode) {
	made := uint32(d.World.Born.AddDate(-1, 0, 0).Unix())
	b := append([]byte{0x51}, le16(uint16(len(d.model.records)))...)
	b = append(b, 0xff, 0xff) // free space: not said
	b = append(append(b, le32(made)...), le32(made)...)
	return append(b, 0x22), ccOK // reserve works, updates are non-modal
}

// sdrGet is table 33-8: reservation, record, offset, length.
func sdrGet(d *device, req []byte) ([]byte, types.CompletionCode) {
	res, id := binary.LittleEndian.Uint16(req), binary.LittleEndian.Uint16(req[2:])
	at, n := int(req[4]), int(req[5])
	if at > 0 && (res == 0 || res != d.sdrRes) {
		return nil, ccReservation
	}
	switch id {
	case 0:
		id = 1
	case 0xffff:
		id = uint16(len(d.model.records))
	}
	if int(id) > len(d.model.records) {
		return nil, ccNotPresent
	}
	rec := d.model.records[id-1]
	if at > len(rec) {
		return nil, ccRange
	}
	next := id + 1
	if int(id) == len(d.model.records) {
		next = 0xffff
	}
	return append(le16(next), rec[at:min(len(rec), at+min(n, maxRead))]...), ccOK
}
