package snmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"plumb/fleet"
)

// PDU types (RFC 3416 section 3).
const (
	pduGet      = 0xa0
	pduGetNext  = 0xa1
	pduResponse = 0xa2
	pduSet      = 0xa3
	pduGetBulk  = 0xa5
	pduReport   = 0xa8
)

// value is what a varbind carries: a tag with its content octets. The octets
// lie in the receive buffer and are good until the next request.
type value struct {
	tag byte
	raw []byte
}

// exists reports whether there is an object behind the varbind.
func (v value) exists() bool {
	switch v.tag {
	case 0, tagNull, tagNoSuchObject, tagNoSuchInstance, tagEndOfMibView:
		return false
	}
	return true
}

// int returns an INTEGER, or any of the unsigned types that fits.
func (v value) int() (int64, bool) {
	switch v.tag {
	case tagInteger:
		return signed(v.raw)
	case tagCounter32, tagGauge32, tagTimeTicks, tagCounter64, 0x47:
		n, ok := unsigned(v.raw)
		return int64(n), ok && n < 1<<63
	}
	return 0, false
}

// uint returns a counter's or gauge's bits as they are. A 32-bit type sent as
// a negative number by an agent that forgot the leading zero is read as meant.
func (v value) uint() (uint64, bool) {
	switch v.tag {
	case tagCounter32, tagGauge32, tagTimeTicks:
		n, ok := unsigned(v.raw)
		return n & 0xffffffff, ok
	case tagCounter64, 0x47:
		return unsigned(v.raw)
	case tagInteger:
		n, ok := signed(v.raw)
		return uint64(n), ok && n >= 0
	}
	return 0, false
}

// small returns an INTEGER as an int for enumerations and indexes, or 0.
func (v value) small() int {
	n, ok := v.int()
	if !ok || n < -1<<31 || n > 1<<32-1 {
		return 0
	}
	return int(n)
}

// text returns a string fit to store and show, or "". Octets that are not
// UTF-8 are read as Latin-1, which is what such agents mean more often than not.
func (v value) text() string {
	if v.tag != tagOctets {
		return ""
	}
	return text(v.raw)
}

// marked is text with a mark in the place of what text takes out, for what may
// be written back. Blanks and NULs at its ends are no loss.
func (v value) marked() string {
	if v.tag != tagOctets {
		return ""
	}
	return fleet.CleanMarked(strings.Trim(characters(v.raw), " \x00"), fleet.MaxText)
}

// mac returns six octets, or their text form, as lower case with colons; else "".
func (v value) mac() string {
	if v.tag != tagOctets {
		return ""
	}
	return macOf(v.raw)
}

// oid returns an OBJECT IDENTIFIER, or nil.
func (v value) oid() oid {
	if v.tag != tagOID {
		return nil
	}
	o, err := decodeOID(nil, v.raw)
	if err != nil {
		return nil
	}
	return o
}

// ip returns an IpAddress as text, or "".
func (v value) ip() string {
	if a, ok := netip.AddrFromSlice(v.raw); ok && (v.tag == tagIPAddress || v.tag == tagOctets) {
		return a.String()
	}
	return ""
}

// errorStatus is the error-status of a response (RFC 3416 section 3).
type errorStatus int

const (
	statusOK         errorStatus = 0
	statusTooBig     errorStatus = 1
	statusNoSuchName errorStatus = 2
	statusGenErr     errorStatus = 5
)

var statusWords = []string{
	"noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType", "wrongLength", "wrongEncoding",
	"wrongValue", "noCreation", "inconsistentValue", "resourceUnavailable", "commitFailed", "undoFailed", "authorizationError", "notWritable", "inconsistentName",
}

func (s errorStatus) Error() string {
	if s >= 0 && int(s) < len(statusWords) {
		return statusWords[s]
	}
	return fmt.Sprintf("error-status %d", int(s))
}

// Unwrap maps the status to the fleet's reasons.
func (s errorStatus) Unwrap() error {
	switch s {
	case 6, 16: // noAccess, authorizationError
		return fleet.ErrAuth
	case 4, 11, 17: // readOnly, noCreation, notWritable
		return fleet.ErrUnsupported
	case 13: // resourceUnavailable
		return fleet.ErrBusy
	}
	return fleet.ErrProtocol
}

// varbind is one name and its value in a response.
type varbind struct {
	name  oid
	value value
}

// response is a decoded Response or Report PDU. Its memory is reused by the
// next request on the same connection.
type response struct {
	kind   byte
	id     int32
	status errorStatus
	index  int
	vars   []varbind
	arena  oid // backs the names
}

// errVarbinds says that a PDU's head is ours and its list is broken off: the
// agent's answer was cut.
var errVarbinds = errors.New("varbind list cut or malformed")

// maxVarbinds bounds one response.
const maxVarbinds = 8192

// decode reads a PDU. After errVarbinds the head and the varbinds before the
// break are set.
func (r *response) decode(b []byte) error {
	kind, body, _, err := take(b)
	if err != nil {
		// A datagram that was cut still names its request.
		if kind, body, err = headOf(b); err != nil {
			return err
		}
	}
	*r = response{kind: kind, vars: r.vars[:0], arena: r.arena[:0]}
	var id, status, index int64
	if id, body, err = takeInt(body); err == nil {
		if status, body, err = takeInt(body); err == nil {
			index, body, err = takeInt(body)
		}
	}
	if err != nil {
		return err
	}
	r.id, r.status, r.index = int32(id), errorStatus(status), int(index)
	list, _, whole := expect(tagSequence, body)
	if whole != nil {
		if _, list, err = headOf(body); err != nil {
			return errVarbinds
		}
	}
	for len(list) > 0 {
		if list, err = r.varbind(list); err != nil || len(r.vars) > maxVarbinds {
			return errVarbinds
		}
	}
	if whole != nil {
		return errVarbinds
	}
	return nil
}

func (r *response) varbind(list []byte) ([]byte, error) {
	pair, rest, err := expect(tagSequence, list)
	if err != nil {
		return nil, err
	}
	name, pair, err := expect(tagOID, pair)
	if err != nil {
		return nil, err
	}
	tag, content, _, err := take(pair)
	if err != nil {
		return nil, err
	}
	start := len(r.arena)
	if r.arena, err = decodeOID(r.arena, name); err != nil {
		return nil, err
	}
	r.vars = append(r.vars, varbind{name: r.arena[start:len(r.arena):len(r.arena)], value: value{tag, content}})
	return rest, nil
}

// headOf reads tag and length of a value whose end is missing.
func headOf(b []byte) (tag byte, content []byte, err error) {
	if len(b) < 2 {
		return 0, nil, errBER
	}
	at := 2
	if b[1] >= 0x80 {
		at += int(b[1] & 0x7f)
	}
	if at > len(b) || at > 6 {
		return 0, nil, errBER
	}
	return b[0], b[at:], nil
}

// integer is an INTEGER to write.
func integer(n int64) value {
	b := binary.BigEndian.AppendUint64(nil, uint64(n))
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return value{tagInteger, b}
}

// unsigned32 is an Unsigned32 to write; its tag is that of Gauge32 (RFC 2578
// section 7.1.11).
func unsigned32(n uint32) value { return value{tagGauge32, integer(int64(n)).raw} }

// octets is an OCTET STRING to write.
func octets(b []byte) value { return value{tagOctets, b} }

// request is a PDU to send.
type request struct {
	kind        byte
	names       []oid
	repetitions int     // GETBULK
	set         []value // SET: one for each name
}

// encode writes the PDU before what w holds.
func (q *request) encode(w *writer, id int32) {
	mark := w.len()
	for i := len(q.names) - 1; i >= 0; i-- {
		pair := w.len()
		if q.kind == pduSet {
			at := w.len()
			w.raw(q.set[i].raw)
			w.close(q.set[i].tag, at)
		} else {
			w.byte(0)
			w.byte(tagNull)
		}
		w.oid(q.names[i])
		w.close(tagSequence, pair)
	}
	w.close(tagSequence, mark)
	w.int(int64(q.repetitions))
	w.int(0)
	w.int(int64(id))
	w.close(q.kind, mark)
}

// text reads octets as text, cut at the first NUL, with which some agents pad.
func text(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return fleet.Clean(characters(b), fleet.MaxText)
}

// characters reads octets as UTF-8, else as Latin-1.
func characters(b []byte) string {
	s := string(b)
	if !utf8.ValidString(s) {
		var t strings.Builder
		for _, c := range b {
			t.WriteRune(rune(c))
		}
		s = t.String()
	}
	return s
}

// macOf formats a MAC given as six octets or as text; else it returns "".
func macOf(b []byte) string {
	if len(b) == 6 {
		const hex = "0123456789abcdef"
		var out [17]byte
		for i, c := range b {
			out[3*i], out[3*i+1] = hex[c>>4], hex[c&15]
			if i < 5 {
				out[3*i+2] = ':'
			}
		}
		return string(out[:])
	}
	if len(b) == 17 && (b[2] == ':' || b[2] == '-') {
		s := strings.ToLower(strings.ReplaceAll(string(b), "-", ":"))
		if strings.Trim(s, "0123456789abcdef:") == "" {
			return s
		}
	}
	return ""
}
