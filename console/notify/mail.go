package notify

import (
	"bytes"
	"errors"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"

	"plumb/fleet"
)

// mailbox reads an address of the file: "ops@example.org" or "Ops <ops@...>".
func mailbox(text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsAny(a.Address, "\r\n") {
		return nil, errors.New(`want ops@example.org, or "Ops <ops@example.org>"`)
	}
	return a, nil
}

// mail writes a message (RFC 5322) with CRLF line ends; whoever sends it stuffs
// its dots. Nothing in it can begin a line of the header: addresses were read,
// the subject is encoded, and the key is reduced to what an id may hold.
func (s *mailer) mail(m *Message) []byte {
	from, _ := mailbox(s.From)
	var to []string
	for _, t := range s.To {
		box, _ := mailbox(t)
		to = append(to, box.String())
	}
	var b bytes.Buffer
	put := func(name, value string) { b.WriteString(name + ": " + value + "\r\n") }
	put("Date", mailAt(m.At))
	put("From", from.String())
	put("To", strings.Join(to, ",\r\n "))
	put("Message-ID", "<"+idWord(m.Key)+"@"+domainOf(from.Address)+">")
	// The messages of a group are one thread.
	put("References", "<"+idWord(dedupKey(m.Pages.Group))+"@"+domainOf(from.Address)+">")
	put("Subject", mime.QEncoding.Encode("utf-8", oneLine(m.Subject)))
	put("Auto-Submitted", "auto-generated") // RFC 3834: nobody's holiday answers it
	if m.severity() == fleet.SeverityCrit && !m.resolved() {
		put("Importance", "high")
	}
	put("MIME-Version", "1.0")
	put("Content-Type", "text/plain; charset=utf-8")
	put("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b) // writes CRLF and lines of 76
	_, _ = w.Write([]byte(m.Text))
	_ = w.Close()
	return b.Bytes()
}

// oneLine leaves nothing in a text that could end a line.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)), " ")
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' })
}

// idWord is the left side of a message id (RFC 5322 section 3.6.4).
func idWord(s string) string {
	return cut(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '_'
	}, s), 120)
}

func domainOf(address string) string {
	if _, domain, ok := strings.Cut(address, "@"); ok && isDomain(domain) {
		return domain
	}
	return "plumb.invalid"
}

func isDomain(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.')
	})
}

// offers reports whether a server's AUTH line has a way.
func offers(line, way string) bool { return slices.Contains(strings.Fields(line), way) }
