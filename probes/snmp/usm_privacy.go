package snmp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"encoding/binary"

	"github.com/gosnmp/gosnmp"
)

// encrypt returns the privacy parameters and the encrypted ScopedPDU.
func (u *usm) encrypt(plain []byte, boots, now int64) (salt, ciphertext []byte, err error) {
	salt = make([]byte, 8)
	if u.priv == gosnmp.DES { // RFC 3414 section 8.1.1
		binary.BigEndian.PutUint32(salt, uint32(boots))
		binary.BigEndian.PutUint32(salt[4:], uint32(u.salt))
		block, iv, err := u.des(salt)
		if err != nil {
			return nil, nil, err
		}
		ciphertext = make([]byte, (len(plain)+des.BlockSize-1)/des.BlockSize*des.BlockSize)
		copy(ciphertext, plain)
		cipher.NewCBCEncrypter(block, iv[:]).CryptBlocks(ciphertext, ciphertext)
		return salt, ciphertext, nil
	}
	binary.BigEndian.PutUint64(salt, u.salt)
	ciphertext = make([]byte, len(plain))
	return salt, ciphertext, u.cfb(ciphertext, plain, ciphertext, boots, now, salt)
}

// decrypt returns the plain ScopedPDU of a message, in memory that the next
// message reuses.
func (u *usm) decrypt(h *header) ([]byte, error) {
	sealed, _, err := expect(tagOctets, h.scoped)
	if err != nil || len(h.salt) != 8 {
		return nil, errBER
	}
	u.clear = append(u.clear[:0], sealed...)
	if u.priv == gosnmp.DES {
		block, iv, err := u.des(h.salt)
		if err != nil || len(sealed)%des.BlockSize != 0 {
			return nil, errBER
		}
		cipher.NewCBCDecrypter(block, iv[:]).CryptBlocks(u.clear, u.clear)
		return u.clear, nil
	}
	return u.clear, u.cfb(u.clear, sealed, sealed, h.engine.boots, h.engine.time, h.salt)
}

func (u *usm) des(salt []byte) (block cipher.Block, iv [8]byte, err error) {
	if len(u.privKey) < 16 {
		return nil, iv, errBER
	}
	for i := range iv {
		iv[i] = u.privKey[8+i] ^ salt[i]
	}
	block, err = des.NewCipher(u.privKey[:8])
	return block, iv, err
}

// cfb is AES in CFB-128 mode (RFC 3826 section 3.1.4): dst is src xor the
// encryption of the ciphertext so far, which is dst when encrypting and src
// when decrypting.
func (u *usm) cfb(dst, src, ciphertext []byte, boots, now int64, salt []byte) error {
	block, err := aes.NewCipher(u.privKey)
	if err != nil {
		return errBER
	}
	var state [aes.BlockSize]byte
	binary.BigEndian.PutUint32(state[:], uint32(boots))
	binary.BigEndian.PutUint32(state[4:], uint32(now))
	copy(state[8:], salt)
	for at := 0; at < len(src); at += aes.BlockSize {
		block.Encrypt(state[:], state[:])
		end := min(at+aes.BlockSize, len(src))
		for i := at; i < end; i++ {
			dst[i] = src[i] ^ state[i-at]
		}
		copy(state[:], ciphertext[at:end])
	}
	return nil
}
