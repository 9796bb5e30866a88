package auditlog

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"plumb/fleet"
	"plumb/store"
)

// maxFound bounds the problems that are told.
const maxFound = 20

// Report is what a check of an exported file found.
type Report struct {
	Lines   int      `json:"lines"`
	Entries int      `json:"entries"` // each once
	From    uint64   `json:"from"`    // numbers of the first and the last; 0: none
	To      uint64   `json:"to"`
	Again   int      `json:"again"` // entries that stand in it more than once, and agree
	Heads   int      `json:"heads"` // signed heads that agree
	Keys    []string `json:"keys"`  // fingerprints of what signed them
	// Chain is the last number of the store; 0: there was none to hold it
	// against.
	Chain    uint64   `json:"chain"`
	Problems []string `json:"problems"`
}

// checker reads a file line by line.
type checker struct {
	Report
	hashes map[uint64]string
	heads  []Head
	lines  []int // of heads
}

// Check reads an exported file: every entry has the hash of what it says, names
// the hash of the one before it and follows it, every signed head is signed and
// agrees, and the store's chain says the same. own yields the store's entries
// from a number on; nil: there is no store. The error says that the file could
// not be read; what is wrong with what it says is in the report.
func Check(ctx context.Context, r io.Reader, own func(ctx context.Context, from uint64, limit int) ([]fleet.AuditEntry, error)) (Report, error) {
	c := &checker{hashes: map[uint64]string{}}
	c.Problems, c.Keys = []string{}, []string{}
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 4096), maxLine)
	for in.Scan() {
		c.Lines++
		c.line(in.Bytes())
		if ctx.Err() != nil {
			return c.Report, ctx.Err()
		}
	}
	if err := in.Err(); err != nil {
		return c.Report, fmt.Errorf("line %d: %w", c.Lines+1, err)
	}
	c.checkHeads()
	if own == nil {
		return c.Report, nil
	}
	return c.Report, c.against(ctx, own)
}

func (c *checker) wrong(format string, args ...any) {
	if len(c.Problems) < maxFound {
		c.Problems = append(c.Problems, fmt.Sprintf(format, args...))
	}
}

func (c *checker) line(b []byte) {
	var h headLine
	if json.Unmarshal(b, &h) == nil && h.Head != nil {
		c.heads, c.lines = append(c.heads, *h.Head), append(c.lines, c.Lines)
		return
	}
	var e fleet.AuditEntry
	if err := json.Unmarshal(b, &e); err != nil || e.Seq == 0 {
		c.wrong("line %d is neither an entry nor a head", c.Lines)
		return
	}
	if store.AuditHash(e) != e.Hash {
		c.wrong("line %d: entry %d does not have the hash of what it says", c.Lines, e.Seq)
		return
	}
	if known, twice := c.hashes[e.Seq]; twice {
		if known != e.Hash {
			c.wrong("line %d: entry %d stands in it twice and says something else", c.Lines, e.Seq)
		}
		c.Again++
		return
	}
	switch {
	case c.To != 0 && e.Seq != c.To+1:
		c.wrong("line %d: entry %d is followed by %d", c.Lines, c.To, e.Seq)
	case c.To != 0 && e.Prev != c.hashes[c.To]:
		c.wrong("line %d: entry %d does not name the hash of the one before it", c.Lines, e.Seq)
	}
	if c.From == 0 {
		c.From = e.Seq
	}
	c.hashes[e.Seq] = e.Hash
	c.Entries, c.To = c.Entries+1, max(c.To, e.Seq)
}

func (c *checker) checkHeads() {
	for i := range c.heads {
		h := &c.heads[i]
		key, err := h.Check()
		known, has := c.hashes[h.Seq]
		switch {
		case err != nil:
			c.wrong("line %d: the head at %d: %v", c.lines[i], h.Seq, err)
			continue
		case has && known != h.Hash:
			c.wrong("line %d: entry %d is not the one that was signed", c.lines[i], h.Seq)
			continue
		case !has && h.Seq > c.To:
			c.wrong("line %d: a head was signed at %d, the file ends at %d: its tail was cut", c.lines[i], h.Seq, c.To)
			continue
		}
		c.Heads++
		if !slices.Contains(c.Keys, key) {
			c.Keys = append(c.Keys, key)
		}
	}
	if len(c.Keys) > 1 {
		c.wrong("its heads are signed by %d keys", len(c.Keys))
	}
}

// against holds the file against the store's own chain.
func (c *checker) against(ctx context.Context, own func(ctx context.Context, from uint64, limit int) ([]fleet.AuditEntry, error)) error {
	const page = 1000
	for from := uint64(1); ; {
		list, err := own(ctx, from, page)
		if err != nil {
			return err
		}
		for i := range list {
			e := &list[i]
			if known, has := c.hashes[e.Seq]; has && known != e.Hash {
				c.wrong("entry %d of the store is not the one that was exported", e.Seq)
			}
			c.Chain = e.Seq
		}
		if len(list) < page {
			break
		}
		from = c.Chain + 1
	}
	if c.To > c.Chain {
		c.wrong("the store's chain ends at %d, the file at %d: the store's tail was cut", c.Chain, c.To)
	}
	return nil
}
