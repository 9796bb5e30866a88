package views

import (
	"fmt"
	"strings"
)

// exported bounds what is copied: a terminal takes so much at once, and what is
// longer the verbs trace and whatif give in full.
const exported = 48 << 10

// sheetText gathers lines up to the bound.
type sheetText struct {
	strings.Builder
	left int
}

func (t *sheetText) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t.Len()+len(text) > exported {
		t.left++
		return
	}
	t.WriteString(text + "\n")
}

func (t *sheetText) end() string {
	if t.left > 0 {
		fmt.Fprintf(t, "\nand %d lines more; the verb has them all\n", t.left)
	}
	return t.String()
}

// markdown writes the trace as a nested list, whatever is folded, and what goes
// with the part.
func (v Trace) markdown(f Frame) string {
	m, t := v.of(f), &sheetText{}
	t.line("# trace of %s as of %s\n", v.id, f.Snap.At.UTC().Format("2006-01-02 15:04:05Z"))
	for _, half := range []struct {
		word string
		root *twig
	}{{"stands on", m.up}, {"carries", m.down}} {
		t.line("## %s\n", half.word)
		if half.root != nil {
			for _, k := range half.root.kids {
				k.markdown(f, t, 0)
			}
		}
		t.line("")
	}
	t.line("## if it fails\n")
	blastMarkdown(t, m.lines)
	return t.end()
}

func (w *twig) markdown(f Frame, t *sheetText, depth int) {
	var names []string
	for _, l := range w.before {
		names = append(names, pieceName(l.Node)+" ("+l.Node.State.String()+")")
	}
	n := w.line.Node
	names = append(names, nodeName(f, n)+" ("+n.State.String()+")")
	proof, _ := proofText(f, w.edge())
	t.line("%s- %s, %s", strings.Repeat("  ", depth), strings.Join(names, ", "), proof)
	for _, k := range w.kids {
		k.markdown(f, t, depth+1)
	}
}

func blastMarkdown(t *sheetText, lines []blastLine) {
	if len(lines) == 0 {
		t.line("- nothing more is lost")
	}
	for i := range lines {
		if l := &lines[i]; l.id == "" {
			t.line("\n%s\n", l.what)
		} else {
			t.line("- %s: %s", l.what, l.text)
		}
	}
}

// markdown writes the what-if as lists.
func (v WhatIf) markdown(f Frame) string {
	m, t := v.of(f), &sheetText{}
	t.line("# if %s %s, as of %s\n", v.failing(), v.verb(), f.Snap.At.UTC().Format("2006-01-02 15:04:05Z"))
	var lines []blastLine
	for i := range m.rows {
		if !m.rows[i].in {
			lines = append(lines, m.rows[i].blastLine)
		}
	}
	blastMarkdown(t, lines)
	return t.end()
}
