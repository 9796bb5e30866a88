package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemoKeysOfOthers: whoever can put a key into the directory would be the
// demo's admin.
func TestDemoKeysOfOthers(t *testing.T) {
	dir := t.TempDir()
	first, err := demoUsers(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := demoUsers(dir)
	if err != nil || string(again[3].Keys[0].Marshal()) != string(first[3].Keys[0].Marshal()) {
		t.Errorf("the second time: %v", err)
	}
	admin := filepath.Join(dir, "keys", "admin")
	viewer, err := os.ReadFile(filepath.Join(dir, "keys", "viewer.pub"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(admin+".pub", viewer, 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err = demoUsers(dir); err != nil || string(again[3].Keys[0].Marshal()) != string(first[3].Keys[0].Marshal()) {
		t.Errorf("a public half that was put there is believed: %v", err)
	}
	for what, change := range map[string]func() error{
		"may write": func() error { return os.Chmod(filepath.Join(dir, "keys"), 0o777) },
		"without its private half": func() error {
			return os.Remove(admin)
		},
		"is a link": func() error {
			keys := filepath.Join(dir, "keys")
			if err := os.Rename(keys, keys+"-elsewhere"); err != nil {
				return err
			}
			return os.Symlink(keys+"-elsewhere", keys)
		},
	} {
		dir = t.TempDir()
		if _, err := demoUsers(dir); err != nil {
			t.Fatal(err)
		}
		admin = filepath.Join(dir, "keys", "admin")
		if err := change(); err != nil {
			t.Fatal(err)
		}
		_, err := demoUsers(dir)
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
