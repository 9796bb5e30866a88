package bmc

import (
	"encoding/binary"
	"net"
	"slices"

	"github.com/bougou/go-ipmi/pkg/types"
)

// ccNoParameter says that a parameter is not supported (IPMI 2.0 section 23.2).
const ccNoParameter = types.CompletionCode(0x80)

const paramRevision = 0x11

var lanCommands = []entry{
	{types.CommandGetLanConfigParam, 4, operator, getLAN},
	{types.CommandSetLanConfigParam, 3, admin, setLAN},
}

const (
	lanSetInUse   = 0
	lanSuiteLimit = 24
	maxLANSuites  = 16
)

// setLAN is table 23-2. What can be set is who gets in by which cipher suite.
func setLAN(d *device, req []byte) ([]byte, types.CompletionCode) {
	if c := req[0] & 0x0f; c != lanChannel && c != types.ChannelNumberSelf {
		return nil, ccField
	}
	switch data := req[2:]; req[1] {
	case lanSetInUse:
		return nil, mark(&d.lanInUse, data[0])
	case lanSuiteLimit:
		return nil, d.setSuites(data)
	}
	return nil, ccNoParameter
}

// setSuites closes the suites with a limit of 0 and opens those of
// administrators; there is no limit in between, and one has to stay open.
func (d *device) setSuites(data []byte) types.CompletionCode {
	if len(data) != 1+maxLANSuites/2 {
		return ccLength
	}
	limit := func(i int) byte { return data[1+i/2] >> (i % 2 * 4) & 15 }
	open := 0
	for i := range d.listed() {
		switch limit(i) {
		case 0:
		case byte(admin):
			open++
		default:
			return ccField
		}
	}
	if open == 0 {
		return ccField
	}
	for i, id := range d.listed() {
		if open := limit(i) != 0; open == d.look().Shut.Suite(int(id)) {
			if d.World.SetSuite(d.Server, int(id), open, d.Now()) != nil {
				return ccState
			}
			d.forget()
		}
	}
	d.syncSuites()
	return ccOK
}

// getLAN is table 23-4. There is no community string: it is a secret.
func getLAN(d *device, req []byte) ([]byte, types.CompletionCode) {
	if c := req[0] & 0x0f; c != lanChannel && c != types.ChannelNumberSelf {
		return nil, ccField
	}
	data := d.lanParam(req[1])
	if data == nil {
		return nil, ccNoParameter
	}
	if req[0]&0x80 != 0 { // only the revision is wanted
		data = nil
	}
	return append([]byte{paramRevision}, data...), ccOK
}

func (d *device) lanParam(param byte) []byte {
	lan := d.World.BMCLAN(d.Server)
	switch param {
	case lanSetInUse:
		return []byte{d.lanInUse}
	case 1: // authentication types of 1.5: none is spoken
		return []byte{0}
	case 3:
		return lan.Address.AsSlice()
	case 4: // static
		return []byte{1}
	case 5:
		return append([]byte(nil), d.sv.BMCMAC[:]...)
	case 6:
		return net.CIDRMask(lan.Bits, 32)
	case 8:
		return binary.LittleEndian.AppendUint16(nil, d.Addr.Port())
	case 12:
		return lan.Gateway.AsSlice()
	case 20: // untagged
		return []byte{0, 0}
	case 22:
		return []byte{byte(len(d.listed()))}
	case 23: // a reserved byte, then 16 ids
		ids := make([]byte, 1+maxLANSuites)
		for i, id := range d.listed() {
			ids[1+i] = byte(id)
		}
		return ids
	case lanSuiteLimit: // a reserved byte, then a half for each suite; 0: it is closed
		limits := make([]byte, 1+maxLANSuites/2)
		for i, id := range d.listed() {
			if !d.look().Shut.Suite(int(id)) {
				limits[1+i/2] |= byte(admin) << (i % 2 * 4)
			}
		}
		return limits
	}
	return nil
}

// doors is what decides which cipher suites are offered.
type doors struct {
	zero bool   // suite 0, which asks for no password
	shut uint64 // suites that were closed
}

// listed are the cipher suites that the BMC has; somebody may have opened 0,
// which asks for no password.
func (d *device) listed() []types.CipherSuiteID {
	if d.look().CipherZero {
		return suitesOpen
	}
	return suitesShut
}

// syncSuites offers the suites that are listed and not closed.
func (d *device) syncSuites() {
	st := d.look()
	now := doors{st.CipherZero, st.Shut.Suites}
	if now == d.offers {
		return
	}
	d.offers = now
	d.bmc.SetCipherSuites(slices.DeleteFunc(slices.Clone(d.listed()), func(id types.CipherSuiteID) bool { return st.Shut.Suite(int(id)) }))
}

var (
	suitesShut = []types.CipherSuiteID{types.CipherSuiteID3, types.CipherSuiteID17}
	suitesOpen = []types.CipherSuiteID{types.CipherSuiteID0, types.CipherSuiteID3, types.CipherSuiteID17}
)
