package ipmi

import "crypto/cipher"

// cbc is one direction of a session's AES-CBC-128 (IPMI 2.0 section 13.29). The
// mode is kept and given each message's initialisation vector: a new mode for
// each message copies the key schedule, which was two thirds of the memory that
// a poll went through.
type cbc struct {
	anew func(cipher.Block, []byte) cipher.BlockMode
	mode cipher.BlockMode
}

// crypt works in place on whole blocks.
func (c *cbc) crypt(block cipher.Block, iv, text []byte) {
	// The standard library's own modes have SetIV, and its TLS relies on it;
	// one that has not is made anew.
	if m, ok := c.mode.(interface{ SetIV([]byte) }); ok {
		m.SetIV(iv)
	} else {
		c.mode = c.anew(block, iv)
	}
	c.mode.CryptBlocks(text, text)
}
