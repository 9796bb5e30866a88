package syslog

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// Severity is RFC 5424's, 0 the worst.
type Severity int

// Severities that plumb uses.
const (
	Critical Severity = 2
	Warning  Severity = 4
	Notice   Severity = 5
	Info     Severity = 6
)

// Facility is RFC 5424's, 0 to 23.
type Facility int

// Facilities that plumb uses by itself.
const (
	Daemon   Facility = 3
	LogAudit Facility = 13
)

// sdID names the structured data. 32473 is the number that RFC 5612 keeps for
// those who have none of their own.
const sdID = "plumb@32473"

// Param is one parameter of the structured data.
type Param struct{ Name, Value string }

// Head is what stands before a message's text.
type Head struct {
	Facility Facility
	Severity Severity
	At       time.Time
	Host     string // ours, see [Hostname]
	ID       string // MSGID: the kind of message
}

// Message writes a message: PRI to MSGID, the structured data, and the text as
// UTF-8 with the mark that RFC 5424 asks for. TIME-SECFRAC has six digits.
func Message(h Head, params []Param, text string) []byte {
	b := fmt.Appendf(nil, "<%d>1 %s %s plumb %d %s [%s", int(h.Facility)*8+int(h.Severity), h.At.UTC().Format("2006-01-02T15:04:05.000000Z"), h.Host, os.Getpid(), h.ID, sdID)
	for _, p := range params {
		b = param(b, p.Name, p.Value)
	}
	return append(append(b, "] \xef\xbb\xbf"...), text...)
}

// param adds a parameter; its value escapes \ " and ] (section 6.3.3).
func param(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), '=', '"')
	for i := range len(value) {
		if c := value[i]; c == '\\' || c == '"' || c == ']' {
			b = append(b, '\\')
		}
		b = append(b, value[i])
	}
	return append(b, '"')
}

// ParamName makes a name that may stand in structured data: printable ASCII
// without = ] " and blanks, at most 32 bytes (SD-NAME, section 6).
func ParamName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '=' || r == ']' || r == '"' {
			return '_'
		}
		return r
	}, s)
	return s[:min(len(s), 32)]
}

// Hostname is what RFC 5424 takes for one: printable ASCII without blanks.
func Hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" || len(name) > 255 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "-"
	}
	return name
}
