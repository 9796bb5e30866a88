package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/gophercloud/gophercloud/v2"

	"plumb/fleet"
)

// listing is as much of a list as was read.
type listing[T any] struct {
	rows    []T
	partial string // why the list is not whole; "" where it is
}

// list reads a list page by page; parse takes one row and says its id. It ends
// with an error where a page could not be read; the rows before it are kept.
//
// It cannot loop: a next page is asked for only if this one brought a row that
// was not there before, under a marker that was not used before, and pages and
// rows are capped. A row that does not parse costs that row and makes the list
// partial; of rows with the same id the first counts.
func list[T any](ctx context.Context, o *OpenStack, from source, q url.Values, parse func(json.RawMessage) (string, T, error)) (listing[T], error) {
	var got listing[T]
	ids, markers := map[string]bool{}, map[string]bool{}
	for page := 1; ; page++ {
		rows, marker, err := o.page(ctx, from, q)
		if err != nil {
			return got, err
		}
		before := len(got.rows)
		for _, raw := range rows {
			id, v, err := parse(raw)
			switch {
			case err != nil:
				got.partial = "a row makes no sense: " + fleet.Clean(err.Error(), fleet.MaxText)
			case ids[id]:
			case len(got.rows) >= o.cfg.Limits.Rows:
				got.partial = fmt.Sprintf("more than %d rows", o.cfg.Limits.Rows)
				return got, nil
			default:
				ids[id] = true
				got.rows = append(got.rows, v)
			}
		}
		switch {
		case marker == "":
			return got, nil
		case markers[marker] || len(got.rows) == before:
			got.partial = "the next page leads nowhere new"
			return got, nil
		case page >= o.cfg.Limits.Pages:
			got.partial = fmt.Sprintf("more than %d pages", o.cfg.Limits.Pages)
			return got, nil
		}
		markers[marker] = true
		q = withMarker(q, marker)
	}
}

// source names a list: where it is, and under which key its rows are.
type source struct {
	api       *gophercloud.ServiceClient
	path, key string
}

// page reads one page and the marker of the next, "" where there is none.
func (o *OpenStack) page(ctx context.Context, from source, q url.Values) (rows []json.RawMessage, marker string, err error) {
	body, err := o.fetch(ctx, from.api, from.path, q)
	if err != nil {
		return nil, "", err
	}
	rows, links, ok := splitList(body, from.key)
	if !ok {
		return nil, "", fmt.Errorf("%w: %s answered no list of %s", fleet.ErrProtocol, from.api.Type, from.key)
	}
	return rows, nextMarker(links), nil
}

func withMarker(q url.Values, marker string) url.Values {
	next := url.Values{"marker": {marker}}
	for k, v := range q {
		if k != "marker" {
			next[k] = v
		}
	}
	return next
}

// nextMarker takes the marker out of a list's next link, and nothing else: the
// link's host is the cloud's word, and our token does not follow it.
func nextMarker(raw json.RawMessage) string {
	var links []struct{ Rel, Href string }
	if json.Unmarshal(raw, &links) != nil {
		return ""
	}
	for _, l := range links {
		if l.Rel != "next" {
			continue
		}
		if u, err := url.Parse(l.Href); err == nil {
			return u.Query().Get("marker")
		}
	}
	return ""
}
