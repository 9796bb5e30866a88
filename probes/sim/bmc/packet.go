package bmc

import (
	"encoding/binary"

	"github.com/bougou/go-ipmi/pkg/types"
)

// class is what a packet is, as far as its length and type tell.
type class uint8

const (
	bad class = iota
	asfPing
	lan15
	openSession
	rakp1
	rakp3
	preSession
	inSession
)

// headerLen is an RMCP header of 4 bytes and an RMCP+ session header of 12.
const headerLen = 16

// classify looks at a packet before anything decodes it. Only what has exactly
// the lengths that its type asks for goes on; the decoders behind it compute
// with lengths from the packet in a byte, where 228+28 is 0.
func classify(pkt []byte) class {
	if len(pkt) < 12 || len(pkt) > maxPacket || pkt[0] != 0x06 {
		return bad
	}
	switch pkt[3] {
	case 0x06: // ASF 2.0 presence ping
		if len(pkt) == 12 && binary.BigEndian.Uint32(pkt[4:]) == 4542 && pkt[8] == 0x80 && pkt[11] == 0 {
			return asfPing
		}
	case 0x07:
		if pkt[4] == 0x06 {
			return classifyPlus(pkt)
		}
		return classify15(pkt)
	}
	return bad
}

// classify15 lets through only what stands outside of any session.
func classify15(pkt []byte) class {
	if len(pkt) < 14+7 || pkt[4] != 0 || binary.LittleEndian.Uint32(pkt[9:]) != 0 {
		return bad
	}
	// The pad byte that some clients add for old hardware is not part of it.
	if n := 14 + int(pkt[13]); n != len(pkt) && n+1 != len(pkt) {
		return bad
	}
	return lan15
}

func classifyPlus(pkt []byte) class {
	if len(pkt) < headerLen {
		return bad
	}
	payload := int(binary.LittleEndian.Uint16(pkt[14:]))
	id := binary.LittleEndian.Uint32(pkt[6:])
	if headerLen+payload > len(pkt) {
		return bad
	}
	kind := types.PayloadType(pkt[5] & 0x3f)
	if id != 0 {
		if kind == types.PayloadTypeIPMI && payload >= 7 {
			return inSession
		}
		return bad
	}
	if headerLen+payload != len(pkt) || pkt[5]&0xc0 != 0 {
		return bad
	}
	switch body := pkt[headerLen:]; kind {
	case types.PayloadTypeRmcpOpenSessionRequest:
		if payload == 32 {
			return openSession
		}
	case types.PayloadTypeRAKPMessage1:
		if payload >= 28 && body[27] <= 16 && payload == 28+int(body[27]) {
			return rakp1
		}
	case types.PayloadTypeRAKPMessage3:
		if payload >= 8 && payload <= 8+32 {
			return rakp3
		}
	case types.PayloadTypeIPMI:
		if payload >= 7 {
			return preSession
		}
	}
	return bad
}
