package bmc

import (
	"encoding/binary"
	"net"

	"github.com/bougou/go-ipmi/pkg/types"
)

// ccNoParameter says that a parameter is not supported (IPMI 2.0 section 23.2).
const ccNoParameter = types.CompletionCode(0x80)

const paramRevision = 0x11

var lanCommands = []entry{{types.CommandGetLanConfigParam, 4, operator, getLAN}}

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
	case 0: // set complete
		return []byte{0}
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
		return []byte{byte(len(d.suites()))}
	case 23: // a reserved byte, then 16 ids
		ids := make([]byte, 1+16)
		for i, id := range d.suites() {
			ids[1+i] = byte(id)
		}
		return ids
	case 24: // a reserved byte, then a half for each suite
		limits := make([]byte, 1+8)
		for i := range d.suites() {
			limits[1+i/2] |= byte(admin) << (i % 2 * 4)
		}
		return limits
	}
	return nil
}

// suites are the cipher suites offered at present; somebody may have opened 0,
// which asks for no password.
func (d *device) suites() []types.CipherSuiteID {
	if d.state.CipherZero {
		return suitesOpen
	}
	return suitesShut
}

var (
	suitesShut = []types.CipherSuiteID{types.CipherSuiteID3, types.CipherSuiteID17}
	suitesOpen = []types.CipherSuiteID{types.CipherSuiteID0, types.CipherSuiteID3, types.CipherSuiteID17}
)
