package agent

// The subset of BER (ITU-T X.690) that SNMP uses (RFC 3417 section 8):
// definite lengths, one-byte tags.

// Tags of universal and SNMP types (RFC 2578), exceptions and PDUs (RFC 3416).
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
	tagCounter64 = 0x46

	tagNoSuchObject   = 0x80
	tagNoSuchInstance = 0x81
	tagEndOfMibView   = 0x82

	pduGet      = 0xa0
	pduGetNext  = 0xa1
	pduResponse = 0xa2
	pduSet      = 0xa3
	pduGetBulk  = 0xa5
	pduInform   = 0xa6
	pduReport   = 0xa8
)

// maxSubIDs bounds an object identifier (RFC 2578 section 3.5).
const maxSubIDs = 128

// reader takes values from src[at:end]. After the first thing that is wrong it
// is bad for good and yields zero values, so that callers check once.
type reader struct {
	src     []byte
	at, end int
	bad     bool
}

func newReader(src []byte) reader { return reader{src: src, end: len(src)} }

// rest returns what has not been read.
func (r *reader) rest() []byte { return r.src[r.at:r.end] }

func (r *reader) more() bool { return !r.bad && r.at < r.end }

func (r *reader) fail() { r.bad, r.at = true, r.end }

// header reads a tag and a length and returns the tag and where its contents
// end. The contents lie wholly inside the reader.
func (r *reader) header() (tag byte, end int) {
	if r.end-r.at < 2 {
		r.fail()
		return 0, r.at
	}
	tag, n := r.src[r.at], int(r.src[r.at+1])
	r.at += 2
	if n >= 0x80 {
		count := n & 0x7f
		if count == 0 || count > 4 || count > r.end-r.at {
			r.fail()
			return 0, r.at
		}
		n = 0
		for _, b := range r.src[r.at : r.at+count] {
			n = n<<8 | int(b)
		}
		r.at += count
	}
	if n < 0 || n > r.end-r.at {
		r.fail()
		return 0, r.at
	}
	return tag, r.at + n
}

// any reads one value of any type.
func (r *reader) any() (tag byte, value []byte) {
	tag, end := r.header()
	value = r.src[r.at:end]
	r.at = end
	return tag, value
}

// enter reads the header of a constructed value and returns a reader of its
// contents; r stands behind it.
func (r *reader) enter(want byte) reader {
	tag, end := r.header()
	if tag != want {
		r.fail()
	}
	in := reader{src: r.src, at: r.at, end: end, bad: r.bad}
	r.at = end
	return in
}

// octets reads the contents of a value of the wanted type.
func (r *reader) octets(want byte) []byte {
	tag, value := r.any()
	if tag != want {
		r.fail()
		return nil
	}
	return value
}

// integer reads an INTEGER of at most 32 bits, as all of SNMP's are.
func (r *reader) integer() int64 {
	v, ok := parseInt(r.octets(tagInteger))
	if !ok {
		r.fail()
	}
	return v
}

// parseInt reads two's complement of 1 to 5 bytes that fits 32 bits.
func parseInt(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 5 {
		return 0, false
	}
	v := int64(int8(b[0]))
	for _, c := range b[1:] {
		v = v<<8 | int64(c)
	}
	return v, v == int64(int32(v))
}

// parseOID decodes an object identifier into to[:0].
func parseOID(b []byte, to []uint32) ([]uint32, bool) {
	to = to[:0]
	if len(b) == 0 || b[len(b)-1]&0x80 != 0 {
		return to, false
	}
	var v uint64
	for _, c := range b {
		if v = v<<7 | uint64(c&0x7f); v > 1<<32-1 {
			return to, false
		}
		if c&0x80 != 0 {
			continue
		}
		if len(to) == 0 {
			first := min(v/40, 2)
			to = append(to, uint32(first))
			v -= first * 40
		}
		if len(to) == maxSubIDs {
			return to, false
		}
		to = append(to, uint32(v))
		v = 0
	}
	return to, true
}

// encoder appends values to b. Constructed values are opened with a short
// length and widened when they are closed, which moves a few bytes but needs
// no second pass.
type encoder struct{ b []byte }

// open begins a constructed value; its result goes to close.
func (e *encoder) open(tag byte) int {
	e.b = append(e.b, tag, 0)
	return len(e.b)
}

// close fills in the length of what was opened at.
func (e *encoder) close(at int) {
	n := len(e.b) - at
	switch {
	case n < 0x80:
		e.b[at-1] = byte(n)
	case n <= 0xff:
		e.b = append(e.b, 0)
		copy(e.b[at+1:], e.b[at:at+n])
		e.b[at-1], e.b[at] = 0x81, byte(n)
	default:
		e.b = append(e.b, 0, 0)
		copy(e.b[at+2:], e.b[at:at+n])
		e.b[at-1], e.b[at], e.b[at+1] = 0x82, byte(n>>8), byte(n)
	}
}

// integer appends an INTEGER in the fewest bytes.
func (e *encoder) integer(v int64) {
	n := 1
	for x := v; x < -0x80 || x > 0x7f; x >>= 8 {
		n++
	}
	e.b = append(e.b, tagInteger, byte(n))
	for n--; n >= 0; n-- {
		e.b = append(e.b, byte(v>>(8*n)))
	}
}

// unsigned appends a Counter32, Gauge32, TimeTicks or Counter64.
func (e *encoder) unsigned(tag byte, v uint64) {
	n := 1
	for x := v; x > 0x7f; x >>= 8 {
		n++
	}
	e.b = append(e.b, tag, byte(n))
	for n--; n >= 0; n-- {
		if n == 8 {
			e.b = append(e.b, 0)
			continue
		}
		e.b = append(e.b, byte(v>>(8*n)))
	}
}

// text appends an OCTET STRING.
func (e *encoder) text(s string) {
	at := e.open(tagOctets)
	e.b = append(e.b, s...)
	e.close(at)
}

// octets appends an OCTET STRING.
func (e *encoder) octets(s []byte) {
	at := e.open(tagOctets)
	e.b = append(e.b, s...)
	e.close(at)
}

// null appends a value without contents: NULL or one of the exceptions.
func (e *encoder) null(tag byte) { e.b = append(e.b, tag, 0) }

// arcs appends the contents of an object identifier after its first two arcs.
func (e *encoder) arcs(ids []uint32) {
	for _, v := range ids {
		if v < 0x80 {
			e.b = append(e.b, byte(v))
			continue
		}
		n := 1
		for x := v >> 7; x > 0; x >>= 7 {
			n++
		}
		for n--; n > 0; n-- {
			e.b = append(e.b, byte(v>>(7*n))|0x80)
		}
		e.b = append(e.b, byte(v)&0x7f)
	}
}

// oid appends an OBJECT IDENTIFIER of at least two arcs; a shorter one becomes
// 0.0, the null identifier.
func (e *encoder) oid(ids []uint32) {
	at := e.open(tagOID)
	if len(ids) < 2 {
		e.b = append(e.b, 0)
	} else {
		e.arcs([]uint32{ids[0]*40 + ids[1]})
		e.arcs(ids[2:])
	}
	e.close(at)
}
