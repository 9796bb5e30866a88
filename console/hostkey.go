package console

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// HostKey returns the signer of the host key in a file, which is made where it is
// not there.
func HostKey(path string) (ssh.Signer, error) {
	_, s, err := hostKey(path)
	return s, err
}

// hostKey returns the private key in the file, in PEM, and its signer. It
// makes an ed25519 key with mode 0600 where there is no file, and refuses one
// that others can read: a host key that leaked is a host anybody can be.
func hostKey(path string) ([]byte, ssh.Signer, error) {
	text, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeKey(path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("host key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, nil, fmt.Errorf("host key %s: %w", path, err)
	}
	return text, signer, nil
}

func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if m := info.Mode().Perm(); m&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o, others can read it: chmod 600 it, or delete it to get a new one", path, m)
	}
	return os.ReadFile(path)
}

// makeKey writes a new key. O_EXCL: two servers that start at once must not
// each believe in a key of their own.
func makeKey(path string) ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, "plumb host key")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(block)
	_, err = f.Write(text)
	return text, errors.Join(err, f.Sync(), f.Close())
}
