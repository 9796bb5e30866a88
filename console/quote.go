package console

import (
	"errors"
	"strings"
)

// errQuote says that a command line ends inside of quotes.
var errQuote = errors.New("a quote is not closed")

// splitWords splits a command line as a POSIX shell does (XCU section 2.2):
// blanks separate, single quotes keep everything, double quotes keep all but a
// backslash before $ ` " \ or a newline, a bare backslash keeps one character.
// Nothing is expanded.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	open := false // a word has begun, perhaps empty: ''
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t', '\n':
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		case '\'':
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				return nil, errQuote
			}
			word.WriteString(line[i+1 : i+1+end])
			i, open = i+1+end, true
		case '"':
			n, err := doubleQuoted(&word, line[i+1:])
			if err != nil {
				return nil, err
			}
			i, open = i+n, true
		case '\\':
			if i+1 == len(line) {
				return nil, errQuote
			}
			i++
			word.WriteByte(line[i])
			open = true
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

// doubleQuoted adds what stands up to the closing quote and returns how many
// bytes that took, with the quote.
func doubleQuoted(word *strings.Builder, s string) (int, error) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return i + 1, nil
		case s[i] == '\\' && i+1 < len(s) && strings.IndexByte("$`\"\\\n", s[i+1]) >= 0:
			i++
			if s[i] != '\n' {
				word.WriteByte(s[i])
			}
		default:
			word.WriteByte(s[i])
		}
	}
	return 0, errQuote
}
