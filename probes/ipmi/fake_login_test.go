package ipmi

import (
	"crypto/rand"
	"encoding/binary"
	"net"

	"github.com/bougou/go-ipmi/pkg/crypto"
)

func (f *fakeBMC) openSession(b []byte, from *net.UDPAddr) []byte {
	h := &handshake{console: binary.LittleEndian.Uint32(b[4:]), bmc: randomID(), openPriv: b[1]}
	refuse := func(s rakpStatus) []byte {
		return frame(payloadOpenAnswer, append([]byte{b[0], byte(s), 0, 0}, b[4:8]...))
	}
	if f.refuse != 0 {
		return refuse(f.refuse)
	}
	for _, id := range f.suites {
		s, _ := suiteByID(id)
		if byte(s.auth) == b[12] && byte(s.integrity) == b[20] && byte(s.crypt) == b[28] {
			h.suite = s
		}
	}
	if h.suite.id == 0 {
		return refuse(statusNoSuite)
	}
	if len(f.open) >= f.limit {
		return refuse(statusNoResources)
	}
	f.open[h.bmc] = &fakeSession{hand: h, from: from}
	out := append([]byte{b[0], 0, 4, 0}, b[4:8]...)
	out = binary.LittleEndian.AppendUint32(out, h.bmc)
	return frame(payloadOpenAnswer, append(out, b[8:32]...))
}

func (f *fakeBMC) rakp1(b []byte) []byte {
	s := f.open[binary.LittleEndian.Uint32(b[4:])]
	if s == nil {
		return nil
	}
	h := s.hand
	copy(h.rm[:], b[8:24])
	h.role, h.user = b[24], string(b[28:28+int(b[27])])
	rand.Read(h.rc[:])
	h.guid = f.guid
	h.password = crypto.PadPassword20([]byte(f.password))
	h.key = h.password
	refuse := func(st rakpStatus) []byte {
		delete(f.open, h.bmc)
		return frame(payloadRAKP2, binary.LittleEndian.AppendUint32([]byte{b[0], byte(st), 0, 0}, h.console))
	}
	if h.user != f.user {
		return refuse(statusName)
	}
	if h.role&15 > f.maxRole {
		return refuse(statusRole)
	}
	if f.hashRole != nil {
		h.role = f.hashRole(h.openPriv, h.role)
	}
	code, _ := crypto.RAKP2AuthCode(h.suite.auth, h.console, h.bmc, h.rm[:], h.rc[:], h.guid[:], h.role, h.user, h.password)
	out := binary.LittleEndian.AppendUint32([]byte{b[0], 0, 0, 0}, h.console)
	out = append(append(out, h.rc[:]...), h.guid[:]...)
	return frame(payloadRAKP2, append(out, code...))
}

func (f *fakeBMC) rakp3(b []byte) []byte {
	s := f.open[binary.LittleEndian.Uint32(b[4:])]
	if s == nil {
		return nil
	}
	h := s.hand
	if b[1] != 0 {
		delete(f.open, h.bmc)
		return nil
	}
	want, _ := h.proof()
	if !crypto.Equal(want, b[8:]) {
		f.t.Error("the console's RAKP 3 is wrong")
		return nil
	}
	sik, k1, k2, _ := crypto.DeriveSessionKeys(h.suite.auth, h.rm[:], h.rc[:], h.role, h.user, h.key)
	icv, _ := crypto.RAKP4ICV(h.suite.auth, h.rm[:], h.bmc, h.guid[:], sik)
	// The other end's view of a session: the ids change places.
	s.live, _ = newSession(&link{}, &handshake{suite: h.suite, bmc: h.console, console: h.bmc}, door{}, k1, k2)
	f.logins++
	return frame(payloadRAKP4, append(binary.LittleEndian.AppendUint32([]byte{b[0], 0, 0, 0}, h.console), icv...))
}

// presession answers Get Channel Authentication Capabilities and the ping.
func (f *fakeBMC) presession(b []byte) (payload, []byte) {
	if msg, err := parseV15(b); err == nil && len(msg) >= 7 && !f.deaf {
		a := []byte{addrConsole, msg[1] | 4}
		a = append(a, checksum(a), addrBMC, msg[4], msg[5])
		code, out := f.doors(msg[5], msg[6:len(msg)-1])
		a = append(append(a, byte(code)), out...)
		return 0xff, putV15(nil, append(a, checksum(a[3:])))
	}
	return 0xff, nil
}

// doors answers what is told without a session.
func (f *fakeBMC) doors(cmd uint8, data []byte) (completion, []byte) {
	f.knocks++
	if f.on != nil {
		if code, out, ok := f.on(fnApp, cmd, data); ok {
			return code, out
		}
	}
	switch cmd {
	case 0x38:
		if data[1] == byte(privUser) {
			return 0, f.userCaps
		}
		return 0, f.adminCaps
	case 0x54:
		at := min(int(data[2]&0x3f)*16, len(f.records))
		return 0, append([]byte{1}, f.records[at:min(at+16, len(f.records))]...)
	}
	return ccInvalidCommand, nil
}
