package export

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// TestFormulas: text from a device is no formula to a spreadsheet, and a
// number stays one.
func TestFormulas(t *testing.T) {
	type row struct {
		Name  string    `json:"name"`
		Value fleet.Num `json:"value"`
	}
	names := []string{"=1+1", "+1", "-2+3+cmd|' /C calc'!A0", "-1e5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-", "plain", ""}
	var rows []row
	for _, n := range names {
		rows = append(rows, row{n, fleet.Dec(-125, -1)})
	}
	var b bytes.Buffer
	if err := List(&b, CSV, time.Time{}, rows, nil, 0); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, cells := range got[1:] {
		formula := names[i] != "" && names[i] != "plain"
		if strings.HasPrefix(cells[0], "'") != formula {
			t.Errorf("%q is written %q", names[i], cells[0])
		}
		if cells[1] != "-12.5" {
			t.Errorf("-12.5 is written %q", cells[1])
		}
	}
}

// TestMarkdownCells: text from a device neither ends its cell nor opens HTML.
func TestMarkdownCells(t *testing.T) {
	type row struct {
		Name string `json:"name"`
	}
	rows := []row{{`a|b`}, {`a\|b`}, {`<img src=x onerror=alert(1)>`}, {"two\nlines"}, {`C:\x`}}
	want := []string{`| a\|b |`, `| a\\\|b |`, `| \<img src=x onerror=alert(1)> |`, `| two lines |`, `| C:\\x |`}
	var b bytes.Buffer
	if err := List(&b, Markdown, time.Time{}, rows, nil, 0); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")[2:]
	for i, w := range want {
		if i >= len(lines) || lines[i] != w {
			t.Errorf("%q is written %q, want %q", rows[i].Name, lines, w)
		}
	}
}
