package auditlog

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Head is the end of the chain at a time, signed with the host key.
type Head struct {
	Seq       uint64 `json:"seq"`
	Hash      string `json:"hash"`
	At        string `json:"at"`        // RFC 3339, UTC
	Key       string `json:"key"`       // as in authorized_keys
	Signature string `json:"signature"` // base64 of the SSH wire form (RFC 4253 section 6.6)
}

// signed is what the signature is made of.
func (h *Head) signed() []byte {
	return fmt.Appendf(nil, "plumb audit head 1\n%d\n%s\n%s\n", h.Seq, h.Hash, h.At)
}

// Sign makes the signed head of a chain.
func Sign(key ssh.Signer, seq uint64, hash string, at time.Time) (Head, error) {
	h := Head{Seq: seq, Hash: hash, At: at.UTC().Format(time.RFC3339), Key: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey())))}
	s, err := key.Sign(rand.Reader, h.signed())
	if err != nil {
		return h, fmt.Errorf("audit head not signed: %w", err)
	}
	h.Signature = base64.StdEncoding.EncodeToString(ssh.Marshal(s))
	return h, nil
}

// Check says whether the head is signed by its key, and returns the key's
// fingerprint.
func (h *Head) Check() (fingerprint string, err error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(h.Key))
	if err != nil {
		return "", fmt.Errorf("its key: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(h.Signature)
	if err != nil {
		return "", fmt.Errorf("its signature: %w", err)
	}
	var s ssh.Signature
	if err := ssh.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("its signature: %w", err)
	}
	if err := key.Verify(h.signed(), &s); err != nil {
		return "", errors.New("its signature is not that of its key")
	}
	return ssh.FingerprintSHA256(key), nil
}

// headLine is a head among the entries of a file.
type headLine struct {
	Head *Head `json:"head"`
}

func (h *Head) line() ([]byte, error) {
	b, err := json.Marshal(headLine{h})
	return append(b, '\n'), err
}
