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

// keyPair reads the public key at path.pub, or makes the pair.
func keyPair(path string) (ssh.PublicKey, error) {
	b, err := os.ReadFile(path + ".pub")
	if err == nil {
		pub, _, _, _, err := ssh.ParseAuthorizedKey(b)
		return pub, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
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
