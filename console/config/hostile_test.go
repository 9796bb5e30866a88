package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPipesAreRefused: reading a named pipe waits until somebody writes.
func TestPipesAreRefused(t *testing.T) {
	dir := t.TempDir()
	pipe, main := filepath.Join(dir, "pipe.yaml"), filepath.Join(dir, "plumb.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	if err := os.WriteFile(main, []byte("include: ['*.yaml']\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, read := range map[string]func() error{
		"include":     func() error { _, err := Load(t.Context(), main); return err },
		"secret":      func() error { _, err := fileSecret(pipe).Get(t.Context()); return err },
		"secret seen": func() error { _, err := OS().Stat(pipe); return err },
	} {
		done := make(chan error, 1)
		go func() { done <- read() }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "not a regular file") {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(3 * time.Second):
			t.Errorf("%s: waits for a writer", what)
		}
	}
}

// TestNoSecretInErrors: whatever is wrong with a part that holds a secret, the
// message does not repeat it.
func TestNoSecretInErrors(t *testing.T) {
	for what, text := range map[string]string{
		"unknown key":         "credentials:\n  bmc: {username: admin, pasword: hunter2}\n",
		"mapping":             "credentials:\n  bmc: {username: admin, password: {a: hunter2}}\n",
		"not closed":          "credentials:\n  bmc: {username: admin, password: hunter2\nregions: [}\n",
		"escape":              "credentials:\n  bmc:\n    password: \"hunter2\\q\"\n",
		"begins with a star":  "credentials:\n  bmc: {username: admin, password: *hunter2}\n",
		"star and more":       "credentials:\n  bmc: {username: admin, password: *hunter2!}\n",
		"begins with &":       "credentials:\n  bmc: {username: admin, password: &hunter2 [*hunter2]}\n",
		"twice":               "credentials:\n  bmc: {password: hunter2, password: hunter2}\n",
		"list":                "credentials: [hunter2]\n",
		"instead of the part": "credentials:\n  bmc: hunter2\n",
	} {
		_, err := parse(t, text, nil)
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestScopeIsRefused: a limit that is not kept must not look as if it were.
func TestScopeIsRefused(t *testing.T) {
	for _, scope := range []string{"{regions: [ams]}", "{owners: [me]}", "{}"} {
		_, err := parse(t, "ssh: {users: [{name: ann, role: viewer, keys: ['"+testKey+"'], scope: "+scope+"}]}\nregions: [{name: ams}]\n", nil)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "scope is not enforced yet") {
			t.Errorf("%s: %v", scope, err)
		}
	}
}
