package agent

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
)

// authProtocol is an HMAC of the user-based security model: RFC 3414 and 7860.
type authProtocol struct {
	hash func() hash.Hash
	size int // bytes of the digest that are sent
}

var authProtocols = map[string]authProtocol{
	"MD5":     {md5.New, 12},
	"SHA":     {sha1.New, 12},
	"SHA-224": {sha256.New224, 16},
	"SHA-256": {sha256.New, 24},
	"SHA-384": {sha512.New384, 32},
	"SHA-512": {sha512.New, 48},
}

// privProtocol is a cipher: RFC 3414 section 8 (DES), RFC 3826 (AES-128), and
// for longer keys the two customs of the field.
type privProtocol struct {
	key    int // bytes
	extend func(p authProtocol, key, engine []byte) []byte
}

var privProtocols = map[string]privProtocol{
	"DES":       {16, nil},
	"AES":       {16, nil},
	"AES-192":   {24, extendHash},
	"AES-256":   {32, extendHash},
	"AES-192-C": {24, extendKey},
	"AES-256-C": {32, extendKey},
}

// localize turns a password into the key of one engine (RFC 3414 section
// A.2): the digest of a megabyte of the password, then of that around the
// engine's id.
func localize(p authProtocol, password, engine []byte) []byte {
	const megabyte = 1 << 20
	h := p.hash()
	block := make([]byte, 0, 64*len(password))
	for range 64 {
		block = append(block, password...)
	}
	for left := megabyte; left > 0; left -= len(block) {
		h.Write(block[:min(left, len(block))])
	}
	ku := h.Sum(nil)
	h.Reset()
	h.Write(ku)
	h.Write(engine)
	h.Write(ku)
	return h.Sum(nil)
}

// extendHash appends the digest of the key so far, as draft-blumenthal-aes-usm
// section 3.1.2.1 proposed and net-snmp does.
func extendHash(p authProtocol, key, _ []byte) []byte {
	h := p.hash()
	h.Write(key)
	return h.Sum(key)
}

// extendKey appends the key localised as if it were a password, as
// draft-reeder-snmpv3-usm-3desede section 2.1 proposed and Cisco does.
func extendKey(p authProtocol, key, engine []byte) []byte {
	return append(key, localize(p, key, engine)...)
}

// crypt is a user's keys, localised to one engine.
type crypt struct {
	mac   hash.Hash // nil: no authentication
	size  int
	block cipher.Block // nil: no privacy
	des   bool
	preIV [8]byte
	sum   []byte
}

func newCrypt(u User, engine []byte) (*crypt, error) {
	c := &crypt{}
	if u.Auth == "" {
		if u.Priv != "" {
			return nil, fmt.Errorf("agent: user %q: privacy needs authentication", u.Name)
		}
		return c, nil
	}
	auth, ok := authProtocols[u.Auth]
	if !ok {
		return nil, fmt.Errorf("agent: user %q: unknown authentication %q", u.Name, u.Auth)
	}
	if len(u.AuthPass) < 8 || u.Priv != "" && len(u.PrivPass) < 8 {
		return nil, fmt.Errorf("agent: user %q: a password needs 8 characters (RFC 3414 section 11.2)", u.Name)
	}
	c.mac, c.size = hmac.New(auth.hash, localize(auth, []byte(u.AuthPass), engine)), auth.size
	if u.Priv == "" {
		return c, nil
	}
	priv, ok := privProtocols[u.Priv]
	if !ok {
		return nil, fmt.Errorf("agent: user %q: unknown privacy %q", u.Name, u.Priv)
	}
	key := localize(auth, []byte(u.PrivPass), engine)
	for len(key) < priv.key {
		key = priv.extend(auth, key, engine)
	}
	var err error
	if c.des = u.Priv == "DES"; c.des {
		copy(c.preIV[:], key[8:16])
		c.block, err = des.NewCipher(key[:8])
	} else {
		c.block, err = aes.NewCipher(key[:priv.key])
	}
	return c, err
}

// digest returns the truncated HMAC of a whole message; valid until the next.
func (c *crypt) digest(message []byte) []byte {
	c.mac.Reset()
	c.mac.Write(message)
	c.sum = c.mac.Sum(c.sum[:0])
	return c.sum[:c.size]
}

// decrypt undoes what a user's encrypt did, in place.
func (c *crypt) decrypt(data, salt []byte, boots, time uint32) bool {
	if len(salt) != 8 {
		return false
	}
	if !c.des {
		iv := aesIV(salt, boots, time)
		c.cfb(&iv, data, true)
		return true
	}
	if len(data) == 0 || len(data)%8 != 0 {
		return false
	}
	iv := c.desIV(salt)
	var next [8]byte
	for ; len(data) > 0; data = data[8:] {
		copy(next[:], data)
		c.block.Decrypt(data[:8], data[:8])
		xor(data[:8], iv[:])
		iv = next
	}
	return true
}

// encrypt works in place; with DES len(data) is a multiple of 8.
func (c *crypt) encrypt(data, salt []byte, boots, time uint32) {
	if !c.des {
		iv := aesIV(salt, boots, time)
		c.cfb(&iv, data, false)
		return
	}
	iv := c.desIV(salt)
	for ; len(data) > 0; data = data[8:] {
		xor(data[:8], iv[:])
		c.block.Encrypt(data[:8], data[:8])
		copy(iv[:], data)
	}
}

// aesIV is boots, time and salt (RFC 3826 section 3.1.2.1).
func aesIV(salt []byte, boots, time uint32) (iv [16]byte) {
	binary.BigEndian.PutUint32(iv[0:], boots)
	binary.BigEndian.PutUint32(iv[4:], time)
	copy(iv[8:], salt)
	return iv
}

// desIV is the pre-IV of the key mixed with the salt (RFC 3414 section 8.1.1.1).
func (c *crypt) desIV(salt []byte) (iv [8]byte) {
	copy(iv[:], salt)
	xor(iv[:], c.preIV[:])
	return iv
}

// cfb is CFB-128 (RFC 3826 section 3.1.3); the library's is deprecated in
// favour of modes that authenticate, which here the message's HMAC does.
func (c *crypt) cfb(iv *[16]byte, data []byte, decrypt bool) {
	for len(data) > 0 {
		n := min(len(data), 16)
		c.block.Encrypt(iv[:], iv[:])
		for i := range n {
			in := data[i]
			data[i] ^= iv[i]
			if iv[i] = data[i]; decrypt {
				iv[i] = in
			}
		}
		data = data[n:]
	}
}

func xor(to, with []byte) {
	for i := range to {
		to[i] ^= with[i]
	}
}
