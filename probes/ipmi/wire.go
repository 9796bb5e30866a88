package ipmi

import (
	"encoding/binary"
	"errors"
)

// RMCP (DSP0136 section 3.2) and the IPMI 2.0 session header (section 13.6).
const (
	rmcpVersion  = 0x06
	rmcpSeqNoAck = 0xff
	rmcpASF      = 0x06
	rmcpIPMI     = 0x07

	authNone = 0x00
	authRMCP = 0x06 // the 2.0 session format

	rmcpSize = 4
	v15Size  = rmcpSize + 10 // authentication none
	v20Size  = rmcpSize + 12
	maxSize  = 1024 // no answer we ask for is longer
)

// payload is the type of what a 2.0 packet carries (section 13.27.3).
type payload uint8

const (
	payloadIPMI        payload = 0x00
	payloadOpenRequest payload = 0x10
	payloadOpenAnswer  payload = 0x11
	payloadRAKP1       payload = 0x12
	payloadRAKP2       payload = 0x13
	payloadRAKP3       payload = 0x14
	payloadRAKP4       payload = 0x15

	payloadEncrypted     = 0x80
	payloadAuthenticated = 0x40
)

// errPacket says that a datagram is not what was waited for. It never leaves
// the package: such a datagram is dropped and the wait goes on.
var errPacket = errors.New("not the awaited packet")

// packet is a 2.0 session packet without its protection.
type packet struct {
	kind      payload
	encrypted bool
	signed    bool
	session   uint32
	sequence  uint32
	body      []byte // as it stands in the datagram
	end       int    // offset just behind the body
}

// putHeader appends an RMCP header and a 2.0 session header. The two bytes of
// length are filled in by setLength.
func putHeader(b []byte, kind byte, session, sequence uint32) []byte {
	b = append(b, rmcpVersion, 0, rmcpSeqNoAck, rmcpIPMI, authRMCP, kind)
	b = binary.LittleEndian.AppendUint32(b, session)
	b = binary.LittleEndian.AppendUint32(b, sequence)
	return append(b, 0, 0)
}

func setLength(b []byte) {
	binary.LittleEndian.PutUint16(b[v20Size-2:], uint16(len(b)-v20Size))
}

// parsePacket reads the headers of a 2.0 session packet.
func parsePacket(b []byte) (packet, error) {
	if len(b) < v20Size || b[0] != rmcpVersion || b[3] != rmcpIPMI || b[4] != authRMCP {
		return packet{}, errPacket
	}
	p := packet{
		kind:      payload(b[5] & 0x3f),
		encrypted: b[5]&payloadEncrypted != 0,
		signed:    b[5]&payloadAuthenticated != 0,
		session:   binary.LittleEndian.Uint32(b[6:]),
		sequence:  binary.LittleEndian.Uint32(b[10:]),
	}
	p.end = v20Size + int(binary.LittleEndian.Uint16(b[14:]))
	if p.end > len(b) {
		return packet{}, errPacket
	}
	p.body = b[v20Size:p.end]
	return p, nil
}

// putV15 wraps a LAN message in a 1.5 packet without authentication, as the
// commands before a session are sent (section 13.6, table 13-8).
func putV15(b, msg []byte) []byte {
	b = append(b, rmcpVersion, 0, rmcpSeqNoAck, rmcpIPMI, authNone)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // sequence and session id are null
	b = append(b, byte(len(msg)))
	return append(b, msg...)
}

// parseV15 returns the LAN message of such a packet.
func parseV15(b []byte) ([]byte, error) {
	if len(b) < v15Size || b[0] != rmcpVersion || b[3] != rmcpIPMI || b[4] != authNone {
		return nil, errPacket
	}
	n := int(b[v15Size-1])
	if v15Size+n > len(b) {
		return nil, errPacket
	}
	return b[v15Size : v15Size+n], nil
}
