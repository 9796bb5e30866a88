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

// shown is the first block of YAML in a page that begins so.
func shown(t *testing.T, page, begins string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(" + begins + ".*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatalf("%s shows no %s", page, begins)
	}
	return string(block[1])
}

// loaded is a configuration as a reader would write it, with the files that the
// README names beside it.
func loaded(t *testing.T, text string) *config.File {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"ann", "noc", "bob", "ca"} {
		if _, err := keyPair(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"plumb.yaml": text, "bmc.pw": "secret\n", "core.community": "public\n", "metrics.pw": "secret\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("BMC_ACT_PASSWORD", "secret")
	f, err := config.Load(context.Background(), filepath.Join(dir, "plumb.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestReadmeConfig loads the README's plumb.yaml.
func TestReadmeConfig(t *testing.T) {
	f := loaded(t, shown(t, "README.md", "store: {dir")+shown(t, "README.md", "alerts:"))
	if len(f.Inventory.Devices) != 4 || len(f.SSH.Users) != 3 || f.SSH.Users[2].Scope == nil || len(f.Receivers) != 2 {
		t.Errorf("%d devices, %d users, %d receivers", len(f.Inventory.Devices), len(f.SSH.Users), len(f.Receivers))
	}
}

// TestDocsConfig loads what the pages about alerts and policies show, in the
// README's house.
func TestDocsConfig(t *testing.T) {
	f := loaded(t, shown(t, "README.md", "store: {dir")+shown(t, "docs/alerts.md", "alerts:")+shown(t, "docs/policies.md", "policies:"))
	if len(f.Receivers) != 2 || len(f.Inventory.Remediation.Freezes) != 2 {
		t.Errorf("%d receivers, %d freezes", len(f.Receivers), len(f.Inventory.Remediation.Freezes))
	}
}

// TestPollDoc loads the receiver of readings that docs/poll.md shows.
func TestPollDoc(t *testing.T) {
	f := loaded(t, shown(t, "docs/poll.md", "remote_write:")+`
credentials: {metrics: {password_file: metrics.pw}}
regions: [{name: ams, sites: [{name: ams1, devices: [{name: s1, kind: server}]}]}]
`)
	if len(f.RemoteWrite) != 1 || f.RemoteWrite[0].Name != "long" || f.RemoteWrite[0].Password == nil || len(f.RemoteWrite[0].Match.Class) != 3 {
		t.Errorf("%+v", f.RemoteWrite)
	}
}

// TestPagesAreThere follows the links between the pages.
func TestPagesAreThere(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatal(pages, err)
	}
	for _, page := range append(pages, "README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), string(link[1]))); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
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
