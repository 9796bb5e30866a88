package bmc

import (
	"math"

	"github.com/bougou/go-ipmi/pkg/types"

	"plumb/probes/sim/world"
)

// dcmiGroup is the group extension that begins every DCMI message.
const dcmiGroup = 0xdc

var dcmiCommands = []entry{
	{types.CommandGetDCMICapParam, 2, user, dcmi(dcmiCapabilities)},
	{types.CommandGetDCMIPowerReading, 2, user, dcmi(dcmiPower)},
	{types.CommandGetDCMIPowerLimit, 1, user, dcmi(func(*device, []byte) ([]byte, types.CompletionCode) { return nil, 0x80 })}, // no limit is active
	{types.CommandGetDCMIAssetTag, 3, user, dcmi(dcmiText(func(d *device) string { return d.sv.Name }))},
	{types.CommandGetDCMIMgmtControllerIdentifier, 3, user, dcmi(dcmiText(func(d *device) string { return d.sv.Name + "-bmc" }))},
	{types.CommandGetDCMITemperatureReadings, 5, user, dcmi(dcmiTemperatures)},
}

// dcmi checks and adds the group byte.
func dcmi(f command) command {
	return func(d *device, req []byte) ([]byte, types.CompletionCode) {
		if req[0] != dcmiGroup {
			return nil, ccField
		}
		resp, cc := f(d, req)
		if cc != ccOK {
			return nil, cc
		}
		return append([]byte{dcmiGroup}, resp...), ccOK
	}
}

// dcmiCapabilities is DCMI 1.5 table 6-2.
func dcmiCapabilities(_ *device, req []byte) ([]byte, types.CompletionCode) {
	head := []byte{1, 5, 2}
	switch req[1] {
	case 1: // supported: power management; in-band channel and primary LAN
		return append(head, 0, 1, 0x01), ccOK
	case 2: // mandatory attributes: SEL with 512 entries
		return append(head, 0x00, 0x02, 0x00, 0x00, 60), ccOK
	case 3:
		return append(head, 0x20, 0), ccOK // power device: the BMC, channel 0
	case 4:
		return append(head, lanChannel, 0xff, 0xff), ccOK
	case 5: // rolling averages: one, of 5 minutes
		return append(head, 1, 1<<6|5), ccOK
	}
	return nil, 0x80
}

// dcmiPower is DCMI 1.5 table 6-16. The average runs since the BMC was asked
// for the first time.
func dcmiPower(d *device, _ []byte) ([]byte, types.CompletionCode) {
	st, p := d.look(), &d.powerAvg
	var b []byte
	for _, w := range [...]float64{st.Watts, p.min, p.max, p.sum / math.Max(1, p.n)} {
		b = append(b, le16(uint16(math.Round(w)))...)
	}
	b = append(b, le32(uint32(d.Now().Unix()))...)
	b = append(b, le32(1000)...) // statistics period, ms
	return append(b, 0x40), ccOK // measurement active
}

// dcmiText reads a string by offset and length (DCMI 1.5 sections 6.4.2, 6.4.6).
func dcmiText(of func(*device) string) command {
	return func(d *device, req []byte) ([]byte, types.CompletionCode) {
		s, at, n := of(d), int(req[1]), min(int(req[2]), 16)
		if at > len(s) {
			return nil, ccRange
		}
		return append([]byte{byte(len(s))}, s[at:min(len(s), at+n)]...), ccOK
	}
}

// dcmiTemperatures is DCMI 1.5 table 6-23: inlet 40h, CPU 41h, baseboard 42h.
func dcmiTemperatures(d *device, req []byte) ([]byte, types.CompletionCode) {
	want := map[byte][]byte{0x40: {world.SensorInlet}, 0x41: {world.SensorCPU1, world.SensorCPU2}, 0x42: {world.SensorPCH}}[req[2]]
	var b []byte
	count, st := 0, d.look()
	for i, number := range want {
		if k := d.model.byNum[number]; k >= 0 && st.Readings[k].OK {
			b = append(b, byte(math.Round(st.Readings[k].Value)), byte(i+1))
			count++
		}
	}
	return append([]byte{byte(count), byte(count)}, b...), ccOK
}
