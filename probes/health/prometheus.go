package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// query asks Prometheus for the value of an expression now (HTTP API, "Instant
// queries"). Each value of the answer has to be there and not 0: 0 is crit, as
// it is in `up`. What is no number, and an empty answer, say that nobody knows:
// a series that went away is neither well nor broken.
//
// That Prometheus itself does not answer says nothing of the workload.
func (p *Probe) query(ctx context.Context) said {
	at := strings.TrimRight(p.cfg.Address, "/") + "/api/v1/query?" + url.Values{"query": {p.cfg.Query}}.Encode()
	r, hide, err := p.request(ctx, at)
	if err != nil {
		return said{blind: true, err: err, hide: hide}
	}
	x := p.result(r, hide)
	x.hide = hide
	return x
}

func (p *Probe) result(r *http.Request, hide hidden) said {
	r.Header.Set("Accept", "application/json")
	answer, err := p.client.Do(r)
	if err != nil {
		x := failure(err, p.cfg.Timeout)
		if !x.blind { // its trouble, not the workload's
			x = said{blind: true, err: x.err}
		}
		return x
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return said{blind: true, err: failure(err, p.cfg.Timeout).err}
	case p.refused(answer.StatusCode):
		return blind(fleet.ErrAuth, "HTTP %d", answer.StatusCode)
	case len(body) > maxAnswer:
		return blind(fleet.ErrProtocol, "the answer has more than %d bytes", maxAnswer)
	}
	samples, err := parseQuery(body, hide...)
	var refused *queryError
	switch {
	case errors.As(err, &refused):
		return blind(refused.kind(), "%s", refused.Error())
	case answer.StatusCode != http.StatusOK:
		return blind(fleet.ErrProtocol, "HTTP %d", answer.StatusCode)
	case err != nil:
		return blind(fleet.ErrProtocol, "%v", err)
	}
	return judge(samples)
}

// sample is one value of an answer.
type sample struct {
	labels string // {instance="a:80"}, for people
	value  float64
}

func judge(samples []sample) said {
	zero, odd := slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return s.value != 0 }),
		slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return !math.IsNaN(s.value) && !math.IsInf(s.value, 0) })
	of := func(bad []sample, is string) string {
		if len(samples) == 1 {
			return "the query says " + is + bad[0].labels
		}
		return fmt.Sprintf("%d of %d values of the query are %s, first%s", len(bad), len(samples), is, bad[0].labels)
	}
	switch {
	case len(samples) == 0:
		return said{state: fleet.StateUnknown, text: "the query has no result"}
	case len(zero) > 0:
		return said{state: fleet.StateCrit, text: of(zero, "0")}
	case len(odd) > 0:
		return said{state: fleet.StateUnknown, text: of(odd, "no number")}
	case len(samples) == 1:
		return said{state: fleet.StateOK, text: "the query says " + strconv.FormatFloat(samples[0].value, 'g', 4, 64)}
	}
	return said{state: fleet.StateOK, text: fmt.Sprintf("no value of %d is 0", len(samples))}
}

// queryError is an error that Prometheus tells of, clean.
type queryError struct{ Type, Text string }

func (e *queryError) Error() string {
	return e.Type + ": " + e.Text
}

// kind is what it is among those of a probe (errorType of Prometheus' web/api/v1).
func (e *queryError) kind() error {
	switch e.Type {
	case "timeout", "canceled":
		return fleet.ErrTimeout
	case "unavailable", "internal":
		return fleet.ErrBusy
	}
	return fleet.ErrUnsupported // bad_data, execution: the query itself
}

// parseQuery reads the answer to an instant query. What it quotes is clean.
func parseQuery(b []byte, hide ...string) ([]sample, error) {
	var x struct {
		Status    string `json:"status"`
		ErrorType string `json:"errorType"`
		Error     string `json:"error"`
		Data      struct {
			ResultType string          `json:"resultType"`
			Result     json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if json.Unmarshal(b, &x) != nil {
		return nil, errors.New("what answers is no Prometheus")
	}
	switch {
	case x.Status == "error":
		return nil, &queryError{hidden(hide).clean(x.ErrorType, 40), hidden(hide).clean(x.Error, 160)}
	case x.Status != "success":
		return nil, errors.New("what answers is no Prometheus")
	}
	switch x.Data.ResultType {
	case "scalar":
		v, err := parseValue(x.Data.Result)
		return []sample{{value: v}}, err
	case "vector":
	default:
		return nil, fmt.Errorf("the query gives a %s, and a vector or a scalar is wanted", hidden(hide).clean(x.Data.ResultType, 20))
	}
	var rows []struct {
		Metric    map[string]string `json:"metric"`
		Value     json.RawMessage   `json:"value"`
		Histogram json.RawMessage   `json:"histogram"`
	}
	if json.Unmarshal(x.Data.Result, &rows) != nil {
		return nil, errors.New("the answer's vector cannot be read")
	}
	out := make([]sample, 0, len(rows))
	for _, r := range rows {
		if r.Histogram != nil && r.Value == nil {
			return nil, errors.New("the query gives a histogram, and a number is wanted")
		}
		v, err := parseValue(r.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, sample{labelText(r.Metric, hide), v})
	}
	return out, nil
}

// parseValue reads [unix time, "value"].
func parseValue(b []byte) (float64, error) {
	var pair []json.RawMessage
	var text string
	if json.Unmarshal(b, &pair) != nil || len(pair) != 2 || json.Unmarshal(pair[1], &text) != nil {
		return 0, errors.New("a value of the answer cannot be read")
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, errors.New("a value of the answer is no number")
	}
	return v, nil
}

// labelText writes a few labels: ` {instance="a:80"}`, or "".
func labelText(m map[string]string, hide hidden) string {
	const most = 3
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if k != "__name__" && len(parts) < most {
			parts = append(parts, hide.clean(k, 80)+"="+strconv.Quote(hide.clean(m[k], 40)))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " {" + strings.Join(parts, ", ") + "}"
}
