package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
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

// TestScope: a limit that means nothing must not look as if it held.
func TestScope(t *testing.T) {
	for _, c := range []struct{ role, scope, want string }{
		{"operator", "{regions: [ams]}", ""},
		{"admin", "{regions: [ams], owners: [team-game], tenants: [acme]}", ""},
		{"operator", "{}", "limits nothing"},
		{"operator", "{regions: []}", "limits nothing"},
		{"viewer", "{regions: [ams]}", "a viewer writes nothing"},
		{"wall", "{regions: [ams]}", "a wall writes nothing"},
		{"operator", "{regions: [amz]}", "nothing has region `amz`: did you mean `ams`?"},
		{"operator", "{owners: [team-gam]}", "nothing has owner `team-gam`: did you mean `team-game`?"},
		{"operator", "{tenants: [acne]}", "nothing has tenant `acne`: did you mean `acme`?"},
		{"operator", "{racks: [r01]}", "unknown key"},
	} {
		f, err := parse(t, "ssh: {users: [{name: ann, role: "+c.role+", keys: ['"+testKey+"'], scope: "+c.scope+"}]}\n"+
			"regions: [{name: ams, sites: [{name: ams1, devices: [{name: s01, kind: server, owner: team-game, tenant: acme}]}]}]\n", nil)
		switch {
		case c.want == "" && (err != nil || f.SSH.Users[0].Scope == nil || !slices.Equal(f.SSH.Users[0].Scope.Regions, []string{"ams"})):
			t.Errorf("%s: %v", c.scope, err)
		case c.want != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s %s: %v, want %q", c.role, c.scope, err, c.want)
		}
	}
}
