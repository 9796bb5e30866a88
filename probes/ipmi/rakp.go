package ipmi

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"slices"

	"github.com/bougou/go-ipmi/pkg/crypto"
	"github.com/bougou/go-ipmi/pkg/types"
)

// suite is a cipher suite: algorithms for login, integrity and
// confidentiality (section 22.15.2, table 22-20).
type suite struct {
	id        int
	auth      types.AuthAlg
	integrity types.IntegrityAlg
	crypt     types.CryptAlg
}

// suites are the ones that are ever used, best first. Suite 0 has no
// password, MD5 and RC4 are broken: they are not here on purpose.
var suites = []suite{
	{17, types.AuthAlg_HMAC_SHA256, types.IntegrityAlg_HMAC_SHA256_128, types.CryptAlg_AES_CBC_128},
	{3, types.AuthAlg_HMAC_SHA1, types.IntegrityAlg_HMAC_SHA1_96, types.CryptAlg_AES_CBC_128},
	{16, types.AuthAlg_HMAC_SHA256, types.IntegrityAlg_HMAC_SHA256_128, types.CryptAlg_None},
	{15, types.AuthAlg_HMAC_SHA256, types.IntegrityAlg_None, types.CryptAlg_None},
	{2, types.AuthAlg_HMAC_SHA1, types.IntegrityAlg_HMAC_SHA1_96, types.CryptAlg_None},
	{1, types.AuthAlg_HMAC_SHA1, types.IntegrityAlg_None, types.CryptAlg_None},
}

func suiteByID(id int) (suite, bool) {
	i := slices.IndexFunc(suites, func(s suite) bool { return s.id == id })
	if i < 0 {
		return suite{}, false
	}
	return suites[i], true
}

// dialect is how a BMC fills the hashes of RAKP. The standard's is the first
// of dialects; the others are known mistakes. Which one a BMC speaks shows in
// RAKP 2, before anything that proves our password is sent: so they are told
// apart without another try and without being configured.
type dialect struct {
	openRole bool // hashes the privilege of Open Session (opensesspriv)
	bareRole bool // hashes the role without the name-only bit
	padName  bool // hashes the user name padded to 16 bytes (intel20)
}

var dialects = []dialect{{}, {openRole: true}, {bareRole: true}, {padName: true}, {padName: true, bareRole: true}}

// handshake is what both ends know at the end of RAKP 2 (section 13.31).
type handshake struct {
	suite    suite
	console  uint32 // our session id
	bmc      uint32 // the BMC's session id
	openPriv byte   // privilege asked in Open Session
	role     byte   // role of RAKP 1, with the name-only bit
	user     string
	password []byte // 20 bytes, padded
	key      []byte // K_g, or the password where there is none
	rm, rc   [16]byte
	guid     [16]byte
	dialect  dialect
}

const nameOnly = 0x10 // RAKP 1: look the user up by name alone

func (h *handshake) hashRole() byte {
	switch {
	case h.dialect.openRole:
		return h.openPriv
	case h.dialect.bareRole:
		return h.role &^ nameOnly
	}
	return h.role
}

func (h *handshake) hashUser() string {
	if h.dialect.padName {
		return string(append([]byte(h.user), make([]byte, maxUsername-len(h.user))...))
	}
	return h.user
}

// identify finds the dialect whose code the BMC sent in RAKP 2. False means
// that no dialect fits: the BMC has another password for this user.
func (h *handshake) identify(code []byte, q quirks) bool {
	want := crypto.RAKP2AuthCodeLen(h.suite.auth)
	if q.has(quirkSupermicro20) && len(code) > want {
		code = code[:want]
	}
	if len(code) != want {
		return false
	}
	for _, h.dialect = range dialects {
		sum, err := crypto.RAKP2AuthCode(h.suite.auth, h.console, h.bmc, h.rm[:], h.rc[:], h.guid[:], h.hashRole(), h.hashUser(), h.password)
		if err == nil && crypto.Equal(sum, code) {
			return true
		}
	}
	return false
}

// proof is RAKP 3's code. The padded dialect also drops the name-only bit
// here (intel20).
func (h *handshake) proof() ([]byte, error) {
	role := h.hashRole()
	if h.dialect.padName {
		role &^= nameOnly
	}
	return crypto.RAKP3AuthCode(h.suite.auth, h.rc[:], h.console, role, h.hashUser(), h.password)
}

// keys derives the session keys and checks the BMC's RAKP 4.
func (h *handshake) keys(icv []byte, q quirks) (k1, k2 []byte, ok bool, err error) {
	sik, k1, k2, err := crypto.DeriveSessionKeys(h.suite.auth, h.rm[:], h.rc[:], h.hashRole(), h.hashUser(), h.key)
	if err != nil {
		return nil, nil, false, err
	}
	want, err := crypto.RAKP4ICV(h.suite.auth, h.rm[:], h.bmc, h.guid[:], sik)
	if err != nil {
		return nil, nil, false, err
	}
	if q.has(quirkSupermicro20) && len(icv) > len(want) {
		icv = icv[:len(want)]
	}
	return k1, k2, crypto.Equal(want, icv), nil
}

// openRequest is the body of Open Session Request (section 13.17).
func (h *handshake) openRequest(tag byte) []byte {
	b := []byte{tag, h.openPriv, 0, 0}
	b = binary.LittleEndian.AppendUint32(b, h.console)
	b = append(b, 0, 0, 0, 8, byte(h.suite.auth), 0, 0, 0)
	b = append(b, 1, 0, 0, 8, byte(h.suite.integrity), 0, 0, 0)
	return append(b, 2, 0, 0, 8, byte(h.suite.crypt), 0, 0, 0)
}

// rakp1 is the body of RAKP message 1 (section 13.20).
func (h *handshake) rakp1(tag byte) []byte {
	b := []byte{tag, 0, 0, 0}
	b = binary.LittleEndian.AppendUint32(b, h.bmc)
	b = append(b, h.rm[:]...)
	b = append(b, h.role, 0, 0, byte(len(h.user)))
	return append(b, h.user...)
}

// rakp3 is the body of RAKP message 3 (section 13.22). With a status other
// than 0 it tells the BMC to forget the login.
func (h *handshake) rakp3(tag byte, status rakpStatus, code []byte) []byte {
	b := []byte{tag, byte(status), 0, 0}
	b = binary.LittleEndian.AppendUint32(b, h.bmc)
	return append(b, code...)
}

// setupAnswer is the common front of Open Session Response, RAKP 2 and 4.
type setupAnswer struct {
	status rakpStatus
	body   []byte // behind the console's session id
}

// parseSetup reads one of those answers. A refusal may be short: eight bytes
// are tag, status and our session id, and some BMCs send only the status.
func parseSetup(b []byte, tag byte, console uint32) (setupAnswer, error) {
	if len(b) < 2 || b[0] != tag {
		return setupAnswer{}, errPacket
	}
	a := setupAnswer{status: rakpStatus(b[1])}
	if a.status != 0 {
		return a, nil
	}
	if len(b) < 8 || binary.LittleEndian.Uint32(b[4:]) != console {
		return setupAnswer{}, errPacket
	}
	a.body = b[8:]
	return a, nil
}

// takeOpen reads the BMC's session id and checks that it chose our suite.
func (h *handshake) takeOpen(body []byte) bool {
	if len(body) < 28 {
		return false
	}
	h.bmc = binary.LittleEndian.Uint32(body)
	chosen := [3]byte{body[8] & 0x3f, body[16] & 0x3f, body[24] & 0x3f}
	return chosen == [3]byte{byte(h.suite.auth), byte(h.suite.integrity), byte(h.suite.crypt)}
}

// takeRAKP2 reads the BMC's random number and GUID and returns its code.
func (h *handshake) takeRAKP2(body []byte) (code []byte, ok bool) {
	if len(body) < 32 {
		return nil, false
	}
	copy(h.rc[:], body)
	copy(h.guid[:], body[16:])
	return bytes.Clone(body[32:]), true
}

func randomID() uint32 {
	var b [4]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return binary.LittleEndian.Uint32(b[:]) | 1
}
