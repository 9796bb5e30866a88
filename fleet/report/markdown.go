package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"plumb/fleet"
)

// Widest is how many columns a line takes at most: what a mail program and a
// terminal beside another one show without breaking lines.
const Widest = 100

// page is Markdown under construction.
type page struct{ b strings.Builder }

func (p *page) head(level int, format string, args ...any) {
	p.gap()
	p.b.WriteString(strings.Repeat("#", level) + " " + clean(fmt.Sprintf(format, args...)) + "\n\n")
}

// gap leaves one line empty, unless one is.
func (p *page) gap() {
	if s := p.b.String(); s != "" && !strings.HasSuffix(s, "\n\n") {
		p.b.WriteString("\n")
	}
}

// say writes a sentence, and item one of a list; both break their lines.
func (p *page) say(format string, args ...any) {
	p.wrap("", clean(fmt.Sprintf(format, args...)))
}

func (p *page) item(format string, args ...any) {
	p.wrap("- ", clean(fmt.Sprintf(format, args...)))
}

func (p *page) wrap(first, text string) {
	line, room := first, strings.Repeat(" ", len(first))
	for i, w := range strings.Fields(text) {
		switch {
		case i == 0:
			line += w
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > Widest:
			p.b.WriteString(line + "\n")
			line = room + w
		default:
			line += " " + w
		}
	}
	p.b.WriteString(line + "\n")
}

// items writes a list of bounded length, and says how many were left out.
func (p *page) items(none string, list []string) {
	if len(list) == 0 {
		p.say("%s", none)
	}
	for _, x := range list[:min(len(list), rowsShown)] {
		p.item("%s", x)
	}
	if left := len(list) - rowsShown; left > 0 {
		p.item("and %d more; the JSON has them", left)
	}
}

// clean keeps device text from being taken for HTML, links or pictures.
func clean(s string) string { return inText.Replace(s) }

var (
	inText = strings.NewReplacer("<", `\<`, "[", `\[`, "\r", " ", "\n", " ", "`", "'")
	inCell = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", `\<`, "[", `\[`, "\r", " ", "\n", " ", "`", "'")
)

// table writes rows under a head, no wider than the page: the widest columns
// give way first. Nothing to show is said in words.
func (p *page) table(none string, head []string, rows [][]string) {
	if len(rows) == 0 {
		p.say("%s", none)
		return
	}
	head, rows = filled(head, rows)
	room := Widest - 3*len(head) - 1
	wide := make([]int, len(head))
	for k, h := range head {
		wide[k] = utf8.RuneCountInString(h)
	}
	for _, r := range rows {
		for k := range r {
			wide[k] = max(wide[k], utf8.RuneCountInString(inCell.Replace(r[k])))
		}
	}
	shrink(wide, room)
	p.line(head, wide)
	rule := make([]string, len(head))
	for k := range rule {
		rule[k] = strings.Repeat("-", max(3, wide[k]))
	}
	p.b.WriteString("| " + strings.Join(rule, " | ") + " |\n")
	for _, r := range rows {
		p.line(r, wide)
	}
}

// filled leaves out the columns that say nothing in any row.
func filled(head []string, rows [][]string) (h []string, out [][]string) {
	out = make([][]string, len(rows))
	for k := range head {
		if !slices.ContainsFunc(rows, func(r []string) bool { return r[k] != "" }) {
			continue
		}
		h = append(h, head[k])
		for i, r := range rows {
			out[i] = append(out[i], r[k])
		}
	}
	return h, out
}

// readable is how narrow a column may become before the first one, which says
// what a row is about, gives way too.
const readable = 18

// shrink takes room from the widest columns until all fit.
func shrink(wide []int, room int) {
	for {
		sum, k := 0, 0
		for i, w := range wide {
			if sum += max(w, 3); i > 0 && w > readable && (k == 0 || w > wide[k]) {
				k = i
			}
		}
		for i, w := range wide {
			if k == 0 && wide[0] <= readable && w > wide[k] {
				k = i
			}
		}
		if sum <= room || wide[k] <= 3 {
			return
		}
		wide[k]--
	}
}

func (p *page) line(cells []string, wide []int) {
	for k, c := range cells {
		c = cut(inCell.Replace(c), max(3, wide[k]))
		p.b.WriteString("| " + c + strings.Repeat(" ", max(3, wide[k])-utf8.RuneCountInString(c)) + " ")
	}
	p.b.WriteString("|\n")
}

// cut shortens a cell, and not between an escape and what it escapes.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)[:n-1]
	for len(r) > 0 && r[len(r)-1] == '\\' {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "not known"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// lasted writes a duration as people say it.
func lasted(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", seconds)
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%.1f d", d.Hours()/24)
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// num writes a number, a dash where it is not known.
func num(n fleet.Num) string {
	if !n.Known {
		return "-"
	}
	return n.String()
}

// coverage says what a report could see of its period.
func (p *page) coverage(x Period) {
	p.say("Period: %s to %s UTC.", stamp(x.Since), stamp(x.Until))
	switch {
	case x.From.IsZero():
		p.say("plumb said nothing in this period: what happened before it looked is not known.")
	case x.From.After(x.Since):
		p.say("plumb looked from %s on: what happened before that is not known.", stamp(x.From))
	}
}
