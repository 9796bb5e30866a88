package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/views/export"
)

// discoverable are the wires that devices have addresses of.
var discoverable = []string{string(fleet.SourceIPMI), string(fleet.SourceRedfish), string(fleet.SourceSNMP)}

// wireOf reads the name of a wire; "" is all of them.
func wireOf(name string) (fleet.Source, error) {
	if name != "" && !slices.Contains(discoverable, name) {
		return "", fmt.Errorf("%s: no such kind: %s", fleet.Clean(name, 40), strings.Join(discoverable, " "))
	}
	return fleet.Source(name), nil
}

// runSD prints the management addresses as Prometheus reads them from a file.
// The form is not ours: there is no schema and no time in it.
func runSD(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.snapshot()
	if err != nil {
		return err
	}
	if err := c.atMost(1); err != nil {
		return err
	}
	kind, err := wireOf(strings.Join(c.words, ""))
	if err != nil {
		return usage("", "sd: %v", err)
	}
	return writeTargets(c.Stdout, export.Discover(s, kind))
}

func writeTargets(w io.Writer, list []export.TargetGroup) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(list)
}

// discover is the verb over HTTP: /sd?kind=snmp.
func (p *Pages) discover(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for name := range q { // a word that is misspelt must not bring every address there is
		if name != "kind" || len(q[name]) > 1 {
			http.Error(w, fleet.Clean(name, 40)+": no such filter: kind is, once", http.StatusBadRequest)
			return
		}
	}
	kind, err := wireOf(q.Get("kind"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s := p.Snapshot()
	if s == nil {
		http.Error(w, "starting", http.StatusServiceUnavailable) // Prometheus keeps what it had
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out, done := zipped(w, r)
	defer done()
	_ = writeTargets(out, export.Discover(s, kind)) // the reader left
}
