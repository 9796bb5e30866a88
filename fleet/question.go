package fleet

import (
	"strings"
	"time"
)

// Question is what a job waits for somebody to say.
type Question struct {
	Text  string    `json:"text"`
	Type  string    `json:"type,omitempty"` // what has to be typed to go on; "": yes
	Until time.Time `json:"until"`          // when it is over without an answer
}

// Choices are the answers that there are: what goes on, and what does not.
func (q *Question) Choices() (on, off string) {
	if q.Type != "" {
		return q.Type, "no"
	}
	return "yes", "no"
}

// Heard is what a text says to the question: yes goes on, no does not, and what
// follows either is a remark. ok is false where it is no answer, which is never
// taken for one: nope is not yes. What has to be typed is typed as it stands.
func (q *Question) Heard(text string) (on, ok bool) {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	word = strings.ToLower(strings.TrimRight(word, ",.;:!"))
	switch {
	case word == "no" || word == "n":
		return false, true
	case q.Type != "":
		return true, strings.TrimSpace(text) == q.Type
	}
	return true, word == "yes" || word == "y"
}
