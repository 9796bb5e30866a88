package snmp

import (
	"slices"
	"strconv"
	"strings"
)

// oid is an object identifier, one number a sub-identifier.
type oid []uint32

// maxSubIDs bounds an OID (RFC 2578 section 3.5).
const maxSubIDs = 128

// parseOID reads dotted text, with or without a leading dot. It is for the
// constants of this package and panics on anything else.
func parseOID(s string) oid {
	parts := strings.Split(strings.TrimPrefix(s, "."), ".")
	o := make(oid, len(parts))
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			panic("snmp: OID constant " + s)
		}
		o[i] = uint32(n)
	}
	return o
}

// decodeOID appends the sub-identifiers of BER content to dst.
func decodeOID(dst oid, b []byte) (oid, error) {
	if len(b) == 0 {
		return dst, errBER
	}
	start := len(dst)
	for len(b) > 0 {
		var n uint64
		i := 0
		for {
			if i == len(b) || i > 4 {
				return dst[:start], errBER
			}
			n = n<<7 | uint64(b[i]&0x7f)
			i++
			if b[i-1] < 0x80 {
				break
			}
		}
		b = b[i:]
		if n > 1<<32-1 || len(dst)-start >= maxSubIDs {
			return dst[:start], errBER
		}
		if len(dst) == start {
			first := min(n/40, 2)
			dst = append(dst, uint32(first), uint32(n-40*first))
			continue
		}
		dst = append(dst, uint32(n))
	}
	return dst, nil
}

// String returns the dotted text without a leading dot.
func (o oid) String() string {
	b := make([]byte, 0, 4*len(o))
	for i, n := range o {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	return string(b)
}

// under returns what follows prefix, and whether o lies below it.
func (o oid) under(prefix oid) (oid, bool) {
	if len(o) < len(prefix) {
		return nil, false
	}
	// From the end: siblings differ there.
	for i := len(prefix) - 1; i >= 0; i-- {
		if o[i] != prefix[i] {
			return nil, false
		}
	}
	return o[len(prefix):], true
}

func (o oid) compare(p oid) int { return slices.Compare(o, p) }

// plus returns o with further sub-identifiers, in fresh memory.
func (o oid) plus(sub ...uint32) oid { return append(slices.Clone(o), sub...) }
