package health

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"plumb/fleet"
)

// hidden is what must come back in no text: the workload was told it, and may
// say it again.
type hidden []string

// leastValue is how long a value in an address is at least that may be a secret:
// shorter ones are words like json.
const leastValue = 6

// hide is what is secret of a look: the secret itself, as Basic sends it, and
// what stands in the address' query, each also as it is quoted and escaped.
func (p *Probe) hide(secret string) (h hidden) {
	add := func(x string) {
		if len(x) < 4 {
			return
		}
		quoted := strconv.Quote(x)
		h = append(h, x, quoted[1:len(quoted)-1], url.QueryEscape(x), url.PathEscape(x))
	}
	if p.cfg.Username != "" && p.cfg.Header == "" && secret != "" {
		add(base64.StdEncoding.EncodeToString([]byte(p.cfg.Username + ":" + secret)))
	}
	add(secret)
	if u, err := url.Parse(p.cfg.Address); err == nil {
		for _, values := range u.Query() {
			for _, v := range values {
				if len(v) >= leastValue {
					add(v)
				}
			}
		}
	}
	return h
}

// clean is fleet.Clean without what is hidden, which is taken out before
// anything is cut: half a secret would not be known again. What was cut earlier
// may end in the beginning of one.
func (h hidden) clean(text string, limit int) string {
	text = fleet.Scrub(fleet.Clean(text, len(text)), h...) // in this order: a secret may have been broken by what is dropped
	return fleet.Clean(h.tail(text), limit)
}

// tail cuts off an end that is the beginning of something hidden.
func (h hidden) tail(text string) string {
	const least = 4
	from := len(text)
	for _, x := range h {
		for n := min(len(x)-1, len(text)); n >= least; n-- {
			if strings.HasSuffix(text, x[:n]) {
				from = min(from, len(text)-n)
				break
			}
		}
	}
	return text[:from]
}

// told is an error as it may be told.
type told struct {
	was  error
	text string
}

func (t *told) Error() string        { return t.text }
func (t *told) Is(target error) bool { return errors.Is(t.was, target) }

// err is an error without what is hidden.
func (h hidden) err(err error) error {
	if text := h.clean(err.Error(), 2*fleet.MaxText); text != err.Error() {
		return &told{err, text}
	}
	return err
}
