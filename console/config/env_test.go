package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
)

// testKey is a public key that parses.
const testKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFvMZi0mJoHcPlyvjFnvJq6ZUY1xGdqEwUGmKmOe0lYo test"

// testEnv is a machine with these files, by path below /etc/plumb.
func testEnv(files map[string]string) Env {
	read := func(path string) ([]byte, error) {
		rel, err := filepath.Rel("/etc/plumb", path)
		if text, ok := files[rel]; ok && err == nil {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return Env{
		ReadFile: read,
		Stat:     func(path string) (string, error) { text, err := read(path); return fmt.Sprint(len(text)), err },
		Glob: func(pattern string) ([]string, error) {
			var found []string
			for name := range files {
				path := filepath.Join("/etc/plumb", name)
				ok, err := filepath.Match(pattern, path)
				if err != nil {
					return nil, err
				}
				if ok {
					found = append(found, path)
				}
			}
			return found, nil
		},
		LookupEnv: func(name string) (string, bool) {
			return "value of " + name, name == "BMC_PASSWORD" || name == "SNMP_COMMUNITY"
		},
		LookPath: func(program string) error {
			if program == "pass" {
				return nil
			}
			return errors.New("not found")
		},
	}
}

// parse parses text as plumb.yaml of the machine.
func parse(t testing.TB, text string, files map[string]string) (*File, error) {
	t.Helper()
	return Parse("/etc/plumb/plumb.yaml", []byte(text), testEnv(files))
}
