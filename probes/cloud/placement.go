package cloud

import (
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"

	"plumb/fleet"
)

// provider is what placement said of one hypervisor. The provider's generation
// grows with every change of its inventory, so an inventory is read again only
// then; usages are read each time, because deleting allocations leaves the
// generation alone.
type provider struct {
	generation int64
	inventory  []fleet.Resource // Used is not filled in
	resources  []fleet.Resource
}

// maxClasses bounds the resource classes of one provider.
const maxClasses = 64

// readPlacement reads the inventories and usages of the hypervisors, a few
// requests at once. A provider that cannot be read keeps what it last said;
// the first failure is returned.
func (l *look) readPlacement() error {
	if l.in.placement == nil {
		return errNoPlacement
	}
	type row struct {
		UUID       string `json:"uuid"`
		Generation int64  `json:"generation"`
	}
	got, err := list(l.ctx, l.OpenStack, source{l.in.placement, "resource_providers", "resource_providers"}, nil,
		func(raw json.RawMessage) (string, row, error) {
			var r row
			if err := json.Unmarshal(raw, &r); err != nil {
				return "", r, errors.New("resource provider: " + jsonReason(err))
			}
			return r.UUID, r, nil
		})
	if err != nil {
		if denied(err) {
			l.memory.providers = nil // not ours to show any more
		}
		return err
	}
	hosts := map[string]bool{}
	for i := range l.hosts.rows {
		hosts[string(l.hosts.rows[i].ID)] = true
	}
	got.rows = slices.DeleteFunc(got.rows, func(r row) bool { return !hosts[r.UUID] })

	next := make(map[string]provider, len(got.rows))
	var (
		mu    sync.Mutex // guards next, first
		first error
		wg    sync.WaitGroup
	)
	work := make(chan row)
	for range min(l.cfg.Limits.Concurrency, len(got.rows)) {
		wg.Go(func() {
			for r := range work {
				mu.Lock()
				old, failed := l.memory.providers[r.UUID], first != nil
				mu.Unlock()
				p, err := old, error(nil)
				if !failed {
					p, err = l.readProvider(r.UUID, r.Generation, old)
				}
				mu.Lock()
				next[r.UUID] = p
				if first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	for _, r := range got.rows {
		work <- r
	}
	close(work)
	wg.Wait()
	l.memory.providers = next
	return first
}

// errNoPlacement: the catalog has none.
var errNoPlacement = &StatusError{API: "placement", Text: "not in the catalog", kind: fleet.ErrUnsupported}

// readProvider returns the old value with an error where it could not be read.
func (l *look) readProvider(id string, generation int64, old provider) (provider, error) {
	base := "resource_providers/" + url.PathEscape(id)
	p := provider{generation: generation, inventory: old.inventory}
	if old.inventory == nil || old.generation != generation {
		var doc struct {
			Inventories map[string]struct {
				Total    int64   `json:"total"`
				Reserved int64   `json:"reserved"`
				Ratio    float64 `json:"allocation_ratio"`
			} `json:"inventories"`
		}
		if err := l.get(l.ctx, l.in.placement, base+"/inventories", nil, &doc); err != nil {
			return old, err
		}
		p.inventory = make([]fleet.Resource, 0, len(doc.Inventories))
		for class, v := range doc.Inventories {
			if len(p.inventory) < maxClasses && !math.IsInf(v.Ratio, 0) {
				p.inventory = append(p.inventory, fleet.Resource{Class: fleet.Clean(class, fleet.MaxText), Total: v.Total, Reserved: v.Reserved, Ratio: fleet.FromFloat(v.Ratio, 3)})
			}
		}
		slices.SortFunc(p.inventory, func(a, b fleet.Resource) int { return strings.Compare(a.Class, b.Class) })
	}
	var doc struct {
		Usages map[string]int64 `json:"usages"`
	}
	if err := l.get(l.ctx, l.in.placement, base+"/usages", nil, &doc); err != nil {
		return old, err
	}
	p.resources = slices.Clone(p.inventory)
	for i := range p.resources {
		p.resources[i].Used = doc.Usages[p.resources[i].Class]
	}
	return p, nil
}
