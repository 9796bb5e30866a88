package views

import (
	"slices"
	"strings"
	"testing"

	"plumb/views/widget"
)

// What is prose in a report is read whole on every screen, and tables stay as
// they are.
func TestAReportFits(t *testing.T) {
	const text = `# On-call hand-over

plumb looked from 2026-11-27 06:48 on: what happened before that is not known.
4 alerts are open, 2 of them wait for somebody.

- **cause:fra1-r02-pa** crit, firing since 2026-11-27 06:49 UTC: pdu fra1-r02-pa is behind 18 parts in
  trouble; it explains 21 others; nobody has acknowledged it; a\[31m explains 18 parts; 17 machines on
  the last of several ways; services at risk: match.
- **b** warn.

| Cause   | At worst |
| ------- | -------- |
| cause:x | a very long cell that no small screen has the room for, and that is cut |
`
	words := func(lines []string) []string { return strings.Fields(strings.Join(lines, " ")) }
	want := strings.Fields(plainMarks.Replace(text))
	for _, w := range []int{56, 76, 102, 200} {
		lines := onScreen(text, w)
		if got := words(lines); !slices.Equal(got, want) {
			t.Errorf("%d columns: %q, want %q", w, got, want)
		}
		for i, l := range lines {
			if widget.Width(l) > w && !strings.HasPrefix(l, "|") {
				t.Errorf("%d columns: %q is cut", w, l)
			}
			if next := i + 1; next < len(lines) && strings.HasPrefix(lines[next], "  ") && !strings.HasPrefix(l, "- ") && !strings.HasPrefix(l, "  ") {
				t.Errorf("%d columns: %q hangs from %q", w, lines[next], l)
			}
		}
		if !slices.Contains(lines, "4 alerts are open, 2 of them wait for somebody.") || !slices.Contains(lines, "- b warn.") {
			t.Errorf("%d columns: sentences of their own are put together: %q", w, lines)
		}
	}
}
