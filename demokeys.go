package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/crypto/ssh"

	"plumb/console"
	"plumb/fleet"
)

// demoUsers makes one key pair for each role in DIR/keys, once, and returns
// the users they open the demo for. User name and role are one word.
func demoUsers(dir string) ([]console.User, error) {
	dir = filepath.Join(dir, "keys")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := ours(dir); err != nil {
		return nil, hint(fmt.Errorf("demo keys: %w", err), "--db names another directory; its keys are made anew")
	}
	var users []console.User
	for _, role := range []fleet.Role{fleet.RoleWall, fleet.RoleViewer, fleet.RoleOperator, fleet.RoleAdmin} {
		pub, err := keyPair(filepath.Join(dir, role.String()))
		if err != nil {
			return nil, fmt.Errorf("demo key of %s: %w", role, err)
		}
		users = append(users, console.User{Name: role.String(), Role: role, Keys: []ssh.PublicKey{pub}})
	}
	return users, nil
}

// ours refuses a directory or file that somebody else owns or may write: a key
// that others put there would open the demo for them, as admin.
func ours(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	switch st, ok := info.Sys().(*syscall.Stat_t); {
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a link", path)
	case ok && int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to user %d, not to us", path, st.Uid)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%s has mode %04o, others may write to it", path, info.Mode().Perm())
	}
	return nil
}

// keyPair reads the private key at path, or makes the pair. The public half is
// taken from the private one: a .pub alone is somebody else's word.
func keyPair(path string) (ssh.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		if err := ours(path); err != nil {
			return nil, err
		}
		signer, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return nil, err
		}
		return signer.PublicKey(), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if _, err := os.Lstat(path + ".pub"); err == nil {
		return nil, hint(fmt.Errorf("%s.pub is there without its private half", path), "remove it to have a new pair made")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "plumb demo "+filepath.Base(path))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, err
	}
	pub, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	return pub, os.WriteFile(path+".pub", ssh.MarshalAuthorizedKey(pub), 0o644)
}

// ownKeys are the public keys of whoever started the demo: they come in as
// admin under any user name. One that cannot be read is left out.
func ownKeys() []console.User {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(home, ".ssh", "*.pub"))
	if err != nil {
		return nil
	}
	owner := console.User{Name: "owner", Role: fleet.RoleAdmin}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		if pub, _, _, _, err := ssh.ParseAuthorizedKey(b); err == nil {
			owner.Keys = append(owner.Keys, pub)
		}
	}
	if len(owner.Keys) == 0 {
		return nil
	}
	return []console.User{owner}
}
