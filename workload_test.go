package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A script that asks a workload reads from the exit code how it is, and not only
// that it was asked.
func TestWhatAWorkloadSaysIsTheExitCode(t *testing.T) {
	status := http.StatusOK
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer web.Close()
	dir := t.TempDir()
	write := func(name, health string) string {
		path := filepath.Join(dir, name+".yaml")
		text := "store: {dir: " + dir + "/db}\npoll: {timeout: 2s}\nservices:\n  - {name: match, select: {tag: {service: match}}, health: " + health + "}\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	page := write("page", `{http: "`+web.URL+`"}`)
	for _, c := range []struct {
		name, config string
		status, code int
		says         string
	}{
		{"well", page, http.StatusOK, 0, "1 of 1 targets answer\n"},
		{"crit", page, http.StatusInternalServerError, 2, "crit: HTTP 500"},
		{"warn", write("warn", `{exec: [/bin/sh, -c, "echo slow; exit 1"]}`), 0, 1, "warn: slow"},
		{"unknown", write("unknown", `{exec: [/bin/sh, -c, "echo what; exit 3"]}`), 0, 3, "unknown: what"},
		{"not asked", write("gone", `{http: "http://nobody.invalid/"}`), 0, 1, "0 of 1 targets answer"},
	} {
		status = c.status
		for _, args := range [][]string{{"probe", "health", "match", "--config", c.config, "--json"}, {"probe", "health", "match", "--config", c.config}, {"check", "--connect", "--config", c.config}} {
			var out, errs bytes.Buffer
			if code := run(args, &out, &errs); code != c.code {
				t.Errorf("%s: %v exits %d, want %d\n%s%s", c.name, args, code, c.code, out.String(), errs.String())
			}
			if args[0] == "check" && !strings.Contains(out.String(), c.says) {
				t.Errorf("%s: no %q in\n%s", c.name, c.says, out.String())
			}
		}
	}
}
