package runbook

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestEveryWordIsDocumented: what a condition may say stands in the reference.
func TestEveryWordIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	s := reflect.TypeFor[scene]()
	for i := range s.NumField() {
		if word := s.Field(i).Tag.Get("expr"); !strings.Contains(string(text), "`"+word+"(") && !strings.Contains(string(text), "`"+word+"`") {
			t.Errorf("docs/runbooks.md does not explain %s", word)
		}
	}
}
