package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"plumb/fleet"
)

// Format is how rows are written.
type Format string

// Formats.
const (
	Text     Format = "text"
	JSON     Format = "json"
	NDJSON   Format = "ndjson"
	CSV      Format = "csv"
	Markdown Format = "md"
)

// List writes rows. Text leaves out the columns named in hide and those that
// are empty in every row; every other format has all of them. width bounds the
// lines of text, 0 is no bound.
func List[T any](w io.Writer, f Format, at time.Time, rows []T, hide []string, width int) error {
	if rows == nil {
		rows = []T{}
	}
	switch f {
	case JSON:
		return object(w, struct {
			Schema int       `json:"schema"`
			At     time.Time `json:"at"`
			Items  []T       `json:"items"`
		}{1, at.UTC(), rows})
	case NDJSON:
		return lines(w, rows)
	case CSV:
		return commas(w, rows)
	case Markdown:
		return markdown(w, rows, hide)
	}
	return columns(w, rows, hide, width)
}

// Object writes one flat object with schema and at before its own fields.
func Object(w io.Writer, f Format, at time.Time, v any) error {
	if f == JSON || f == NDJSON {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		head := fmt.Sprintf(`{"schema":1,"at":%q`, at.UTC().Format(time.RFC3339Nano))
		if len(b) > 2 {
			head += ","
		}
		_, err = fmt.Fprintf(w, "%s%s\n", head, b[1:])
		return err
	}
	t := reflect.ValueOf(v)
	fields := fieldsOf(t.Type())
	if f == CSV || f == Markdown {
		return pairs(w, f, t, fields)
	}
	wide := 0
	for _, x := range fields {
		wide = max(wide, len(x.name))
	}
	for _, x := range fields {
		if s := cell(t.FieldByIndex(x.index)); s != "" {
			if _, err := fmt.Fprintf(w, "%-*s  %s\n", wide, x.name, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func object(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func lines[T any](w io.Writer, rows []T) error {
	for i := range rows {
		if err := object(w, rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// field is a column: its JSON name and where it stands.
type field struct {
	name  string
	index []int
}

// fieldsOf reads the columns off the JSON tags, embedded structs in place.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			for _, x := range fieldsOf(f.Type) {
				out = append(out, field{x.name, append([]int{i}, x.index...)})
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "-" && name != "" {
			out = append(out, field{name, []int{i}})
		}
	}
	return out
}

// cell is the text of a value: empty for null, lists joined by blanks.
func cell(v reflect.Value) string {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return ""
	}
	switch x := v.Interface().(type) {
	case time.Time:
		if x.IsZero() {
			return ""
		}
		return x.UTC().Format(time.RFC3339)
	case *time.Time:
		return x.UTC().Format(time.RFC3339)
	case fmt.Stringer:
		if s := x.String(); s != "null" {
			return s
		}
		return ""
	case []string:
		return strings.Join(x, "; ")
	}
	switch v.Kind() {
	case reflect.Pointer:
		return cell(v.Elem())
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	}
	b, err := json.Marshal(v.Interface())
	if err != nil || bytes.Equal(b, []byte("null")) {
		return ""
	}
	return string(b)
}

func commas[T any](w io.Writer, rows []T) error {
	c := csv.NewWriter(w)
	fields := fieldsOf(reflect.TypeFor[T]())
	head := make([]string, len(fields))
	for i, f := range fields {
		head[i] = f.name
	}
	if err := c.Write(head); err != nil {
		return err
	}
	for i := range rows {
		if err := c.Write(guard(texts(reflect.ValueOf(rows[i]), fields))); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// guard keeps device text from being taken for a formula by a spreadsheet: one
// begins with = + - @, or with a tab or a line end before them (OWASP, CSV
// injection). A negative number stays a number.
func guard(row []string) []string {
	for i, s := range row {
		if s == "" || !strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
			continue
		}
		if _, err := fleet.ParseNum(s); s[0] == '-' && err == nil {
			continue
		}
		row[i] = "'" + s
	}
	return row
}

func texts(v reflect.Value, fields []field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = cell(v.FieldByIndex(f.index))
	}
	return out
}

func pairs(w io.Writer, f Format, v reflect.Value, fields []field) error {
	type pair struct {
		Field string `json:"field"`
		Value string `json:"value"`
	}
	var rows []pair
	for _, x := range fields {
		rows = append(rows, pair{x.name, cell(v.FieldByIndex(x.index))})
	}
	if f == CSV {
		return commas(w, rows)
	}
	return markdown(w, rows, nil)
}

// shown drops the hidden columns and those that are empty everywhere.
func shown[T any](rows []T, hide []string) (head []string, body [][]string) {
	fields := fieldsOf(reflect.TypeFor[T]())
	all := make([][]string, len(rows))
	for i := range rows {
		all[i] = texts(reflect.ValueOf(rows[i]), fields)
	}
	body = make([][]string, len(rows))
	for k, f := range fields {
		if contains(hide, f.name) || empty(all, k) {
			continue
		}
		head = append(head, f.name)
		for i := range all {
			body[i] = append(body[i], all[i][k])
		}
	}
	return head, body
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// empty reports whether a column says nothing. Where there are no rows every
// column stays: its name is all there is to see.
func empty(all [][]string, k int) bool {
	if len(all) == 0 {
		return false
	}
	for _, row := range all {
		if row[k] != "" {
			return false
		}
	}
	return true
}

// inCell escapes text for a cell of a Markdown table (GFM section 4.10): a bar
// ends the cell, a backslash before it would set it free again, and < opens
// HTML.
var inCell = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", `\<`, "\r", " ", "\n", " ")

func markdown[T any](w io.Writer, rows []T, hide []string) error {
	head, body := shown(rows, hide)
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("|")
		for _, c := range cells {
			b.WriteString(" " + inCell.Replace(c) + " |")
		}
		b.WriteString("\n")
	}
	line(head)
	b.WriteString("|" + strings.Repeat(" --- |", len(head)) + "\n")
	for _, row := range body {
		line(row)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// columns writes aligned text; the last column takes what is left of width.
func columns[T any](w io.Writer, rows []T, hide []string, width int) error {
	head, body := shown(rows, hide)
	wide := make([]int, len(head))
	for _, row := range append([][]string{head}, body...) {
		for k, c := range row {
			wide[k] = max(wide[k], ansi.StringWidth(c))
		}
	}
	var b strings.Builder
	for i, row := range append([][]string{head}, body...) {
		var line strings.Builder
		for k, c := range row {
			if i == 0 {
				c = strings.ToUpper(c)
			}
			if k > 0 {
				line.WriteString("  ")
			}
			line.WriteString(c)
			if k < len(row)-1 {
				line.WriteString(strings.Repeat(" ", wide[k]-ansi.StringWidth(c)))
			}
		}
		s := line.String()
		if width > 0 {
			s = ansi.Truncate(s, width, "…")
		}
		b.WriteString(strings.TrimRight(s, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
