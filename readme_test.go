package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"plumb/console"
	"plumb/console/config"
)

// TestReadmeConfig loads the README's plumb.yaml as a reader would write it.
func TestReadmeConfig(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("the README shows no configuration")
	}
	whole := string(block[1])
	alerts := regexp.MustCompile("(?s)```yaml\n(alerts:.*?)```").FindSubmatch(readme)
	if alerts == nil {
		t.Fatal("the README shows no rules of alerts")
	}
	whole += string(alerts[1])
	dir := t.TempDir()
	pub, err := keyPair(filepath.Join(dir, "ann"))
	if err != nil || pub == nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile(filepath.Join(dir, "ann.pub"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"noc", "bob", "ca"} {
		if _, err := keyPair(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"plumb.yaml": whole, "bmc.pw": "secret\n", "core.community": "public\n", "again.pub": string(line)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("BMC_ACT_PASSWORD", "secret")
	f, err := config.Load(context.Background(), filepath.Join(dir, "plumb.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Inventory.Devices) != 4 || len(f.SSH.Users) != 3 || f.SSH.Users[2].Scope == nil {
		t.Errorf("%d devices, %d users", len(f.Inventory.Devices), len(f.SSH.Users))
	}
}

// TestReadmeNamesEveryVerb keeps the list of verbs true.
func TestReadmeNamesEveryVerb(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile("(?s)Verbs print and exit: `(.*?)`").FindSubmatch(readme)
	if list == nil {
		t.Fatal("the README lists no verbs")
	}
	named := strings.Fields(string(list[1]))
	for _, v := range named {
		if !console.IsVerb(v) {
			t.Errorf("the README names a verb %q that is not there", v)
		}
	}
	for _, v := range console.VerbNames() {
		if !strings.Contains(" "+strings.Join(named, " ")+" ", " "+v+" ") {
			t.Errorf("the README does not name the verb %s", v)
		}
	}
}

// TestReadmeRemoteWrite loads the receiver that the README shows.
func TestReadmeRemoteWrite(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(remote_write:.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("the README shows no receiver of readings")
	}
	path := filepath.Join(t.TempDir(), "plumb.yaml")
	text := string(block[1]) + `
credentials: {metrics: {password_file: plumb.yaml}}
regions: [{name: ams, sites: [{name: ams1, devices: [{name: s1, kind: server}]}]}]
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Load(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.RemoteWrite) != 1 || f.RemoteWrite[0].Name != "long" || f.RemoteWrite[0].Password == nil || len(f.RemoteWrite[0].Match.Class) != 3 {
		t.Errorf("%+v", f.RemoteWrite)
	}
}

// TestNoTraces keeps machines' paths and registries' names out of the tree.
func TestNoTraces(t *testing.T) {
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skip("not a git checkout: ", err)
	}
	bad := regexp.MustCompile(`/(root|home|work)/[a-z]|proxy\.golang|registry\.npm|deb\.debian`)
	for _, name := range strings.Fields(string(out)) {
		if name == "readme_test.go" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			continue // removed in the work tree
		}
		if m := bad.Find(b); m != nil {
			t.Errorf("%s holds %q", name, m)
		}
	}
}
