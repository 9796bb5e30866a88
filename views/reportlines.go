package views

import (
	"strings"

	"plumb/fleet/report"
	"plumb/views/widget"
)

// onScreen are the lines of a report in Markdown as they stand on a screen of so
// many columns. Prose that was broken for a page is broken anew where there is
// less room; tables are cut.
func onScreen(text string, w int) (out []string) {
	text = plainMarks.Replace(strings.TrimSpace(text))
	for _, whole := range sentences(strings.Split(text, "\n")) {
		if widget.Width(whole) <= w || strings.HasPrefix(whole, "|") || strings.HasPrefix(whole, "#") {
			out = append(out, whole)
			continue
		}
		hang := ""
		if strings.HasPrefix(whole, "- ") {
			hang = "  "
		}
		out = append(out, broken(whole, hang, w)...)
	}
	return out
}

// plainMarks takes off what is for whoever reads Markdown.
var plainMarks = strings.NewReplacer("**", "", `\<`, "<", `\[`, "[")

// sentences puts together what was broken: a line whose first word had no room on
// the one before.
func sentences(lines []string) (out []string) {
	last := 0 // columns of the line before
	for _, l := range lines {
		word, _, _ := strings.Cut(strings.TrimSpace(l), " ")
		n := len(out) - 1
		if last > 0 && l != "" && !strings.HasPrefix(l, "|") && !strings.HasPrefix(l, "- ") && !strings.HasPrefix(l, "#") && last+1+widget.Width(word) > report.Widest-marks {
			out[n] += " " + strings.TrimSpace(l)
		} else {
			out = append(out, l)
		}
		last = widget.Width(l)
		if strings.HasPrefix(l, "|") || strings.HasPrefix(l, "#") {
			last = 0
		}
	}
	return out
}

// marks is how many columns what was taken off may have had in one line.
const marks = 8

// broken breaks a line at blanks; what follows the first begins with hang.
func broken(s, hang string, w int) (out []string) {
	line := ""
	for i, word := range strings.Fields(s) {
		switch {
		case i == 0:
			line = word
		case widget.Width(line)+1+widget.Width(word) > w:
			out, line = append(out, line), hang+word
		default:
			line += " " + word
		}
	}
	return append(out, line)
}
