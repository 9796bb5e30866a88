package snmp

import (
	"encoding/binary"
	"errors"
)

// BER tags of SNMP (RFC 3416 section 3, RFC 2578 section 7.1).
const (
	tagInteger   = 0x02
	tagOctets    = 0x04
	tagNull      = 0x05
	tagOID       = 0x06
	tagSequence  = 0x30
	tagIPAddress = 0x40
	tagCounter32 = 0x41
	tagGauge32   = 0x42
	tagTimeTicks = 0x43
	tagOpaque    = 0x44
	tagCounter64 = 0x46

	tagNoSuchObject   = 0x80
	tagNoSuchInstance = 0x81
	tagEndOfMibView   = 0x82
)

// errBER says that bytes are not the BER that SNMP uses.
var errBER = errors.New("malformed BER")

// take splits the first tag-length-value off b. Lengths are definite and at
// most four octets; a length beyond the data is an error, never a panic.
func take(b []byte) (tag byte, content, rest []byte, err error) {
	if len(b) < 2 {
		return 0, nil, nil, errBER
	}
	tag, n, at := b[0], int(b[1]), 2
	if n >= 0x80 {
		octets := n & 0x7f
		if octets == 0 || octets > 4 || len(b) < 2+octets {
			return 0, nil, nil, errBER
		}
		var u uint64
		for _, c := range b[2 : 2+octets] {
			u = u<<8 | uint64(c)
		}
		if u > uint64(len(b)) {
			return 0, nil, nil, errBER
		}
		n, at = int(u), 2+octets
	}
	if n > len(b)-at {
		return 0, nil, nil, errBER
	}
	return tag, b[at : at+n], b[at+n:], nil
}

// expect is take for a known tag.
func expect(tag byte, b []byte) (content, rest []byte, err error) {
	got, content, rest, err := take(b)
	if err == nil && got != tag {
		err = errBER
	}
	return content, rest, err
}

// takeInt splits an INTEGER off b.
func takeInt(b []byte) (int64, []byte, error) {
	content, rest, err := expect(tagInteger, b)
	if err != nil {
		return 0, nil, err
	}
	n, ok := signed(content)
	if !ok {
		return 0, nil, errBER
	}
	return n, rest, nil
}

// signed reads a two's complement integer of 1 to 8 octets.
func signed(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 8 {
		return 0, false
	}
	n := int64(int8(b[0]))
	for _, c := range b[1:] {
		n = n<<8 | int64(c)
	}
	return n, true
}

// unsigned reads a big-endian integer of 1 to 8 octets, with or without the
// leading zero that BER asks for and some agents forget.
func unsigned(b []byte) (uint64, bool) {
	if len(b) == 9 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 8 {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n, true
}

// writer builds a message from its end to its beginning, so that every length
// is known when it is written and nothing is moved.
type writer struct {
	buf []byte
	at  int // buf[at:] is written
}

func (w *writer) reset() {
	if w.buf == nil {
		w.buf = make([]byte, 2048)
	}
	w.at = len(w.buf)
}

func (w *writer) bytes() []byte { return w.buf[w.at:] }
func (w *writer) len() int      { return len(w.buf) - w.at }

func (w *writer) room(n int) {
	if w.at >= n {
		return
	}
	grown := make([]byte, 2*len(w.buf)+n)
	at := len(grown) - w.len()
	copy(grown[at:], w.bytes())
	w.buf, w.at = grown, at
}

func (w *writer) raw(b []byte) {
	w.room(len(b))
	w.at -= len(b)
	copy(w.buf[w.at:], b)
}

func (w *writer) text(s string) {
	w.room(len(s))
	w.at -= len(s)
	copy(w.buf[w.at:], s)
}

func (w *writer) byte(c byte) {
	w.room(1)
	w.at--
	w.buf[w.at] = c
}

// close writes tag and length before what was written since mark, which is
// what len said before it.
func (w *writer) close(tag byte, mark int) {
	n := w.len() - mark
	if n < 0x80 {
		w.byte(byte(n))
	} else {
		octets := byte(0)
		for ; n > 0; n >>= 8 {
			w.byte(byte(n))
			octets++
		}
		w.byte(0x80 | octets)
	}
	w.byte(tag)
}

func (w *writer) octets(s string) {
	mark := w.len()
	w.text(s)
	w.close(tagOctets, mark)
}

func (w *writer) int(n int64) {
	mark := w.len()
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	i := 0
	for i < 7 && (b[i] == 0 && b[i+1] < 0x80 || b[i] == 0xff && b[i+1] >= 0x80) {
		i++
	}
	w.raw(b[i:])
	w.close(tagInteger, mark)
}

func (w *writer) oid(o oid) {
	mark := w.len()
	for i := len(o) - 1; i > 1; i-- {
		w.subid(o[i])
	}
	switch len(o) {
	case 0:
		w.subid(0)
	case 1:
		w.subid(40 * o[0])
	default:
		w.subid(40*o[0] + o[1])
	}
	w.close(tagOID, mark)
}

func (w *writer) subid(n uint32) {
	w.byte(byte(n & 0x7f))
	for n >>= 7; n > 0; n >>= 7 {
		w.byte(byte(n&0x7f) | 0x80)
	}
}
