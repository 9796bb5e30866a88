package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floor says what the non-test files of a package may import: packages of the
// house by path, and from outside by prefix. "std" is the whole standard
// library, stdPure the part that has no world in it.
type floor struct {
	house   []string
	outside []string
	std     bool
}

// stdPure is what the pure packages may use of the standard library.
var stdPure = []string{"bytes", "cmp", "container/heap", "context", "crypto/sha256", "encoding/hex", "encoding/json", "errors", "fmt", "iter", "maps", "math", "math/bits", "regexp", "slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8"}

var floors = map[string]floor{
	"fleet":             {outside: []string{"path"}},
	"fleet/trend":       {house: []string{"fleet"}},
	"fleet/trace":       {house: []string{"fleet"}},
	"fleet/drift":       {house: []string{"fleet"}},
	"fleet/terraform":   {house: []string{"fleet"}},
	"fleet/security":    {house: []string{"fleet", "fleet/drift"}, outside: []string{"net/netip"}}, // netip is arithmetic
	"fleet/capacity":    {house: []string{"fleet", "fleet/trend"}},
	"fleet/performance": {house: []string{"fleet", "fleet/trend", "fleet/drift"}},
	"fleet/lifecycle":   {house: []string{"fleet", "fleet/capacity", "fleet/drift"}},
	"fleet/alert":       {house: []string{"fleet", "fleet/trace", "fleet/capacity"}, outside: []string{"github.com/expr-lang/expr"}},
	"fleet/plan":        {house: []string{"fleet", "fleet/trace", "fleet/drift", "fleet/security"}},
	"fleet/runbook":     {house: []string{"fleet", "fleet/security"}, outside: []string{"path", "github.com/expr-lang/expr"}},
	"fleet/report":      {house: []string{"fleet", "fleet/*"}},
	"fleet/engine":      {house: []string{"fleet", "fleet/*"}, outside: []string{"runtime", "sync"}}, // what comes back from memory is shared out among the processors
	"fleet/trial":       {house: []string{"fleet", "fleet/engine"}},

	"keys":            {house: []string{"fleet"}, outside: []string{"charm.land/bubbles/v2/key"}},
	"views/widget":    {house: []string{"fleet"}, outside: []string{"sync", "github.com/charmbracelet/x/ansi", "github.com/rivo/uniseg"}},
	"views/export":    {house: []string{"fleet", "fleet/runbook"}, outside: []string{"encoding/csv", "io", "reflect", "github.com/charmbracelet/x/ansi"}},
	"views/viewstest": {house: []string{"fleet"}}, // for tests
	"views":           {house: []string{"fleet", "fleet/*", "keys", "views/widget"}},

	"probes/ipmi":      {std: true, house: []string{"fleet"}, outside: []string{"github.com/bougou/go-ipmi"}},
	"probes/snmp":      {std: true, house: []string{"fleet"}, outside: []string{"github.com/gosnmp/gosnmp"}},
	"probes/cloud":     {std: true, house: []string{"fleet"}, outside: []string{"github.com/gophercloud/gophercloud/v2", "go.yaml.in/yaml/v3"}},
	"probes/health":    {std: true, house: []string{"fleet", "internal/program"}},
	"probes/probetest": {std: true, house: []string{"fleet"}}, // for tests
	"probes":           {std: true, house: []string{"fleet", "probes/*"}},
	"probes/sim":       {std: true, house: []string{"fleet", "probes/sim/*"}},
	"probes/sim/*":     {std: true, house: []string{"probes/sim/*"}, outside: []string{"github.com/bougou/go-ipmi"}},

	"store": {std: true, house: []string{"fleet"}, outside: []string{"go.etcd.io/bbolt", "golang.org/x/sys"}},

	"console/ration":      {std: true, house: []string{"fleet"}, outside: []string{"golang.org/x/time"}},
	"console/systemd":     {std: true, outside: []string{"golang.org/x/sys"}},
	"console/syslog":      {std: true},
	"console/post":        {std: true},
	"console/notify":      {std: true, house: []string{"fleet", "console/post", "internal/program", "console/syslog"}},
	"console/auditlog":    {std: true, house: []string{"fleet", "store", "console/syslog"}, outside: []string{"golang.org/x/crypto/ssh"}},
	"console/remotewrite": {std: true, house: []string{"fleet", "store", "views/export", "console/post"}, outside: []string{"github.com/klauspost/compress/s2"}},
	"console/config":      {std: true, house: []string{"fleet", "fleet/*", "probes", "probes/health", "store", "console/auditlog", "console/notify", "internal/program", "console/remotewrite", "console/syslog"}, outside: []string{"go.yaml.in/yaml/v3", "golang.org/x/crypto/ssh"}},
	"console/remedy":      {std: true, house: []string{"fleet", "fleet/plan", "fleet/runbook", "internal/program", "console/ration"}},
	"console":             {std: true, house: []string{"fleet", "fleet/*", "keys", "probes", "store", "views", "views/*", "console/*"}, outside: []string{"charm.land", "golang.org/x", "github.com/charmbracelet", "github.com/muesli/cancelreader", "github.com/prometheus/client_golang"}},

	".": {std: true, house: []string{"*"}, outside: []string{"github.com/alecthomas/kong", "golang.org/x"}},

	"internal/program": {std: true},

	"internal/benchline": {std: true}, // these are for tests
	"internal/rackload":  {std: true, house: []string{"fleet"}},
	"internal/week":      {std: true, house: []string{"fleet"}, outside: []string{"go.yaml.in/yaml/v3"}},
}

// TestFloors holds ARCHITECTURE: who may import whom. It parses the files
// itself, because a test that asks the go command is answered from the test
// cache while the tree has a violation.
func TestFloors(t *testing.T) {
	files := 0
	eachImport(t, func(file string, imports []string) {
		files++
		pkg := path.Dir(file)
		may, ok := floorOf(pkg)
		if !ok {
			t.Errorf("%s: package %s has no floor: give it one in floors_test.go", file, pkg)
			return
		}
		for _, what := range imports {
			if !allowed(may, what) {
				t.Errorf("%s imports %s: not on its floor", file, what)
			}
		}
	})
	if files < 20 {
		t.Fatalf("only %d files looked at", files)
	}
}

// TestFloorsAreUsed finds what a floor allows and nobody on it imports.
func TestFloorsAreUsed(t *testing.T) {
	all := map[string][]string{}
	eachImport(t, func(file string, imports []string) {
		pkg := path.Dir(file)
		if _, exact := floors[pkg]; !exact {
			for pattern := range floors {
				if match(pattern, pkg) {
					pkg = pattern
				}
			}
		}
		all[pkg] = append(all[pkg], imports...)
	})
	for pkg, may := range floors {
		for _, p := range may.house {
			if !slices.ContainsFunc(all[pkg], func(what string) bool {
				return allowed(floor{house: []string{p}}, what) && strings.HasPrefix(what, "plumb/")
			}) {
				t.Errorf("%s may import %s of the house, and does not", pkg, p)
			}
		}
		for _, p := range may.outside {
			if !slices.ContainsFunc(all[pkg], func(what string) bool { return what == p || strings.HasPrefix(what, p+"/") }) {
				t.Errorf("%s may import %s, and does not", pkg, p)
			}
		}
	}
}

// eachImport calls f with every file that is no test and what it imports.
func eachImport(t *testing.T, f func(file string, imports []string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); p != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "tools" || name == "bench") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		var imports []string
		for _, im := range parsed.Imports {
			what, _ := strconv.Unquote(im.Path.Value)
			imports = append(imports, what)
		}
		f(filepath.ToSlash(p), imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func floorOf(pkg string) (floor, bool) {
	if f, ok := floors[pkg]; ok {
		return f, true
	}
	for pattern, f := range floors {
		if match(pattern, pkg) {
			return f, true
		}
	}
	return floor{}, false
}

func allowed(may floor, what string) bool {
	if rest, ok := strings.CutPrefix(what, "plumb/"); ok {
		return slices.ContainsFunc(may.house, func(p string) bool { return match(p, rest) })
	}
	if first, _, _ := strings.Cut(what, "/"); !strings.Contains(first, ".") {
		return may.std || slices.Contains(stdPure, what) || slices.Contains(may.outside, what)
	}
	return slices.ContainsFunc(may.outside, func(p string) bool { return what == p || strings.HasPrefix(what, p+"/") })
}

// match knows one wildcard: "a/*" is everything below a, "*" everything.
func match(pattern, s string) bool {
	if pattern == "*" {
		return true
	}
	if head, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(s, head)
	}
	return pattern == s
}

// TestFloorsBite shows that a violation is found.
func TestFloorsBite(t *testing.T) {
	for _, c := range []struct{ pkg, what string }{
		{"fleet", "os"}, {"fleet", "plumb/store"}, {"views", "go.etcd.io/bbolt"}, {"views", "net"}, {"store", "plumb/fleet/engine"},
		{"probes/ipmi", "github.com/gosnmp/gosnmp"}, {"keys", "plumb/views"},
	} {
		if f, _ := floorOf(c.pkg); allowed(f, c.what) {
			t.Errorf("%s may import %s", c.pkg, c.what)
		}
	}
}
