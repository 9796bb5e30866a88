package export

import (
	"strings"
	"testing"
	"time"
)

type pear struct {
	Name  string   `json:"name"`
	Notes []string `json:"notes"`
	Extra string   `json:"extra"`
}

func table(t *testing.T, f Format, rows []pear) string {
	t.Helper()
	var b strings.Builder
	if err := List(&b, f, time.Unix(0, 0), rows, []string{"extra"}, 0); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNoRowsStillHaveColumns(t *testing.T) {
	for f, want := range map[Format]string{
		Text:     "NAME  NOTES\n",
		Markdown: "| name | notes |\n| --- | --- |\n",
		CSV:      "name,notes,extra\n",
		JSON:     `{"schema":1,"at":"1970-01-01T00:00:00Z","items":[]}` + "\n",
		NDJSON:   "",
	} {
		if got := table(t, f, nil); got != want {
			t.Errorf("%s: %q, want %q", f, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"status", "devices", "device", "ports", "racks"}
	for typed, want := range map[string]string{
		"statsu": "status", "stauts": "status", "devcies": "devices", "prots": "ports", "rack": "racks", "dev": "devices",
		"x": "", "zzzzzz": "", strings.Repeat("status", 100): "",
	} {
		if got := Nearest(words, typed); got != want {
			t.Errorf("%.20s: %q, want %q", typed, got, want)
		}
	}
}
