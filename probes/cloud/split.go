package cloud

import (
	"bytes"
	"encoding/json"
)

// splitList finds the rows of a list and its links in an answer such as
// {"servers": [...], "servers_links": [...]}, without copying or decoding what
// is in them: json.Unmarshal would read a page of servers three times before
// the first row is seen. ok is false where the answer is no such object. Of a
// key that stands there twice the last counts, as with encoding/json.
func splitList(doc []byte, key string) (rows []json.RawMessage, links json.RawMessage, ok bool) {
	if !json.Valid(doc) {
		return nil, nil, false
	}
	i := space(doc, 0)
	if doc[i] != '{' {
		return nil, nil, false
	}
	for i = space(doc, i+1); doc[i] != '}'; i = space(doc, i) {
		if doc[i] == ',' {
			i = space(doc, i+1)
		}
		end := value(doc, i)
		name := doc[i:end]
		i = space(doc, space(doc, end)+1) // beyond the colon
		end = value(doc, i)
		switch {
		case isKey(name, key):
			rows, ok = elements(doc[i:end])
		case isKey(name, key+"_links"):
			links = doc[i:end]
		}
		i = end
	}
	return rows, links, ok
}

// elements cuts a valid JSON array at its commas.
func elements(list []byte) (rows []json.RawMessage, ok bool) {
	if list[0] != '[' {
		return nil, false
	}
	for i := space(list, 1); list[i] != ']'; i = space(list, i) {
		if list[i] == ',' {
			i = space(list, i+1)
		}
		end := value(list, i)
		rows = append(rows, list[i:end:end])
		i = end
	}
	return rows, true
}

// isKey compares a name as it stands in the text, quotes and escapes included.
func isKey(raw []byte, key string) bool {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1:len(raw)-1]) == key
	}
	var name string
	return json.Unmarshal(raw, &name) == nil && name == key
}

// value returns the end of the value that begins at i in valid JSON.
func value(b []byte, i int) int {
	switch b[i] {
	case '"':
		return text(b, i)
	case '{', '[':
		for depth := 0; ; i++ {
			switch b[i] {
			case '"':
				i = text(b, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	for i < len(b) && bytes.IndexByte([]byte(",]} \t\r\n"), b[i]) < 0 {
		i++
	}
	return i
}

// text returns the end of the string that begins at i.
func text(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// space returns the place of the next byte that is not white space.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}
