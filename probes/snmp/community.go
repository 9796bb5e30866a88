package snmp

import (
	"crypto/subtle"
	"errors"
)

// security wraps PDUs into messages and says which datagrams are answers.
type security interface {
	// seal makes the message of a request in w.
	seal(w *writer, q *request, id int32) error
	// open decodes the answer to request id into r. It returns errStray for
	// what is no answer to it, errVarbinds for an answer that was cut, and a
	// *report where a v3 engine complains.
	open(r *response, datagram []byte, id int32) error
}

// errStray says that a datagram is no answer to the request at hand: an old
// one, a forged one, noise.
var errStray = errors.New("stray datagram")

// community is SNMPv2c (RFC 3417, RFC 1901).
type community string

const version2c, version3 = 1, 3

func (c community) seal(w *writer, q *request, id int32) error {
	w.reset()
	q.encode(w, id)
	w.octets(string(c))
	w.int(version2c)
	w.close(tagSequence, 0)
	return nil
}

func (c community) open(r *response, datagram []byte, id int32) error {
	body, err := message(datagram, version2c)
	if err != nil {
		return errStray
	}
	name, pdu, err := expect(tagOctets, body)
	if err != nil || subtle.ConstantTimeCompare(name, []byte(c)) != 1 {
		return errStray
	}
	err = r.decode(pdu)
	if r.id != id || r.kind != pduResponse || err != nil && err != errVarbinds {
		return errStray
	}
	return err
}

// message unwraps the outer sequence and the version. A datagram that was cut
// may lack its end.
func message(datagram []byte, version int64) ([]byte, error) {
	tag, body, _, err := take(datagram)
	if err != nil {
		tag, body, err = headOf(datagram)
	}
	if err != nil || tag != tagSequence {
		return nil, errBER
	}
	v, body, err := takeInt(body)
	if err != nil || v != version {
		return nil, errBER
	}
	return body, nil
}
