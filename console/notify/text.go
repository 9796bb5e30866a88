package notify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"

	"plumb/fleet"
)

// What people read is written by templates (text/template). Those that come with
// plumb are safe; a user's is tried when the file is read, and when it fails on
// a page all the same, the page goes out in the words of the default: no page is
// lost to a template.

const defaultSubject = `[{{.Status}}{{if eq .Status "firing"}} {{.Severity}}{{end}}] {{.Worst.Summary}}` +
	`{{if .Others}}; and {{.Others}} other{{if gt .Others 1}}s{{end}}{{end}}` +
	`{{if .Firing}}{{if .Holds}}; holds {{.Holds}} more{{end}}{{with .AtRisk}}; services at risk: {{trunc 100 .}}{{end}}{{end}}`

const defaultBody = `{{range .Alerts}}{{upper .Status}} {{.Severity}}: {{.Summary}}
{{with .Cause}}  cause:    {{.}}
{{end}}{{with .Evidence}}  evidence: {{.}}
{{end}}{{with .Blast}}  blast:    {{.}}
{{end}}{{if .Holds}}  holds:    {{.Holds}} other alerts
{{end}}  since:    {{time .Since}}{{if not .Ended.IsZero}}, over {{time .Ended}}{{end}}
{{with .Runbook}}  runbook:  {{.}}
{{end}}  alert:    {{.ID}}

{{end}}{{if .More}}and {{.More}} more
{{end}}`

const defaultLine = `{{.Subject}}{{range .Alerts}}{{if .Cause}}
• {{.Cause}}{{end}}{{with .Evidence}}: {{.}}{{end}}{{with .Blast}}
• {{.}}{{end}}{{with .Runbook}}
• {{.}}{{end}}{{end}}`

// Bounds of what a template may write, in bytes.
const (
	maxSubject = 250
	maxText    = 64 << 10
)

// view is what a template may read.
type view struct {
	fleet.Pages
	What             string
	Key              string
	Subject          string // in text only
	Severity         fleet.Severity
	Worst            fleet.Page // the first of those that fire, else the first
	AtRisk           string     // services that the worst puts at risk
	Holds            int        // alerts that the worst holds
	Others           int        // alerts beside the worst
	Firing, Resolved []fleet.Page
}

var funcs = template.FuncMap{
	"upper": strings.ToUpper, "lower": strings.ToLower, "join": strings.Join,
	"time":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") },
	"label": func(labels map[string]string, name string) string { return labels[name] }, // "" where there is none
	"trunc": func(n int, s string) string { return fleet.Clean(s, max(n, 1)) },
}

// texts are a receiver's templates, ready to run.
type texts struct{ subject, text, plainSubject, plainText *template.Template }

func (c *Config) texts() (*texts, error) {
	t := &texts{plainSubject: template.Must(parse(defaultSubject)), plainText: template.Must(parse(c.Kind.defaultText()))}
	t.subject, t.text = t.plainSubject, t.plainText
	for _, x := range []struct {
		name, source string
		to           **template.Template
		most         int
	}{{"subject", c.Subject, &t.subject, maxSubject}, {"text", c.Text, &t.text, maxText}} {
		if x.source == "" {
			continue
		}
		p, err := parse(x.source)
		if err == nil {
			_, err = run(p, viewOf(&Message{What: WhatAlerts, Key: "key", Pages: sample(c.Name, time.Unix(0, 0))}), x.most)
		}
		if err != nil {
			return nil, wrong("%s: line %s", x.name, plainError.Replace(err.Error()))
		}
		*x.to = p
	}
	return t, nil
}

// plainError takes what is ours out of a template's error: "1:2: <.Sumary> ...".
var plainError = strings.NewReplacer("template: t:", "", `executing "t" at `, "", " in type *notify.view", "")

func parse(source string) (*template.Template, error) {
	return template.New("t").Option("missingkey=error").Funcs(funcs).Parse(source)
}

var errLong = errors.New("writes too much")

// bound is a writer that refuses to go on for ever.
type bound struct {
	bytes.Buffer
	most int
}

// Write implements io.Writer.
func (b *bound) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		b.Buffer.Write(p[:b.most-b.Len()])
		return 0, errLong
	}
	return b.Buffer.Write(p)
}

// run executes a template; what is too long is cut, and any other error is one.
func run(t *template.Template, v *view, most int) (string, error) {
	b := &bound{most: most}
	if err := t.Execute(io.Writer(b), v); err != nil && !errors.Is(err, errLong) {
		return "", err
	}
	return strings.ToValidUTF8(b.String(), ""), nil
}

func viewOf(m *Message) *view {
	v := &view{Pages: m.Pages, What: m.What, Key: m.Key, Severity: m.severity(), Others: max(len(m.Pages.Alerts)-1, 0) + m.Pages.More}
	for _, a := range m.Pages.Alerts {
		if a.Status == "resolved" {
			v.Resolved = append(v.Resolved, a)
		} else {
			v.Firing = append(v.Firing, a)
		}
	}
	switch {
	case len(v.Firing) > 0:
		v.Worst, v.Severity = v.Firing[0], worst(v.Firing)
	case len(v.Resolved) > 0:
		v.Worst = v.Resolved[0]
	}
	v.AtRisk, v.Holds = atRisk(v.Worst.Blast), v.Worst.Holds
	return v
}

// write fills in what people read. An error says that a user's template failed
// and the default spoke instead.
func (t *texts) write(m *Message) error {
	v := viewOf(m)
	subject, err := run(t.subject, v, maxSubject)
	if err != nil {
		subject, _ = run(t.plainSubject, v, maxSubject)
	}
	m.Subject = fleet.Clean(strings.Join(strings.Fields(subject), " "), maxSubject) // one line
	v.Subject = m.Subject
	text, err2 := run(t.text, v, maxText)
	if err2 != nil {
		text, _ = run(t.plainText, v, maxText)
	}
	m.Text = printable(text)
	if err = errors.Join(err, err2); err != nil {
		return fmt.Errorf("a template failed, and the default spoke instead: %w", err)
	}
	return nil
}

// printable drops control characters but for line ends and tabs.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && (r < 0x7f || r > 0x9f) {
			return r
		}
		return -1
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}
