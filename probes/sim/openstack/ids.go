package openstack

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// requestID makes the id that every OpenStack answer carries.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return "req-" + uuidText(b)
}

// derivedUUID makes a stable UUID (version 8) out of words, for the objects
// that exist only because the API has to name them: services, users, roles.
func derivedUUID(words ...string) string {
	h := sha256.New()
	for _, w := range words {
		fmt.Fprintf(h, "%d:%s", len(w), w)
	}
	var b [16]byte
	copy(b[:], h.Sum(nil))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return uuidText(b)
}

// derivedID is derivedUUID without dashes, as Keystone spells its ids.
func derivedID(words ...string) string {
	u := derivedUUID(words...)
	return u[:8] + u[9:13] + u[14:18] + u[19:23] + u[24:]
}

func uuidText(b [16]byte) string {
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
