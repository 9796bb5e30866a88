package ipmi

// netFn is a network function (section 5.1); requests are even.
type netFn uint8

const (
	fnChassis   netFn = 0x00
	fnSensor    netFn = 0x04
	fnApp       netFn = 0x06
	fnStorage   netFn = 0x0a
	fnTransport netFn = 0x0c
	fnGroup     netFn = 0x2c // defining body in the first byte; DCMI is 0xdc
)

const (
	addrBMC     = 0x20 // the BMC's slave address
	addrConsole = 0x81 // remote console software id (table 5-4)
)

// command is one request: what is asked, of which logical unit, with what.
type command struct {
	fn   netFn
	lun  uint8
	cmd  uint8
	data []byte
	part uint8  // which of many, where one command asks for many things
	op   string // in words, for errors: "get sdr"
}

// answer is what came back for a command: its completion code and data.
type answer struct {
	code completion
	data []byte
}

// putMessage appends an IPMB-framed request (section 13.8, figure 13-4).
func putMessage(b []byte, c command, seq uint8) []byte {
	at := len(b)
	b = append(b, addrBMC, byte(c.fn)<<2|c.lun&3)
	b = append(b, checksum(b[at:at+2]))
	b = append(b, addrConsole, seq<<2, c.cmd)
	b = append(b, c.data...)
	return append(b, checksum(b[at+3:]))
}

// parseMessage reads an answer and says whether it belongs to the command
// with that sequence number. Checksums guard packets without integrity; lax
// takes them as they come (quirk nochecksumcheck).
func parseMessage(b []byte, c command, seq uint8, lax bool) (answer, error) {
	if len(b) < 8 {
		return answer{}, errPacket
	}
	if !lax && (checksum(b[:2]) != b[2] || checksum(b[3:len(b)-1]) != b[len(b)-1]) {
		return answer{}, errPacket
	}
	if netFn(b[1]>>2) != c.fn|1 || b[4]>>2 != seq || b[5] != c.cmd {
		return answer{}, errPacket
	}
	return answer{code: completion(b[6]), data: b[7 : len(b)-1]}, nil
}

// checksum is the two's complement sum of IPMB: b and it add up to zero.
func checksum(b []byte) byte {
	var sum byte
	for _, x := range b {
		sum += x
	}
	return -sum
}
