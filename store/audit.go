package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// The audit log is a chain: each entry carries the hash of the one before it,
// so that a changed, moved or removed entry breaks every one after it.
//
//	hash = hex(SHA-256(prev + "\n" + entry in RFC 8785 canonical JSON without hash and prev))

// firstPrev is the prev of the first entry.
var firstPrev = strings.Repeat("0", 64)

// maxAuditText bounds one field of an entry, in bytes.
const maxAuditText = 4 * fleet.MaxText

// auditTime is RFC 3339 in UTC with nine decimals, always.
const auditTime = "2006-01-02T15:04:05.000000000Z"

// AuditHead is the end of the chain: the last number and hash.
type AuditHead struct {
	Seq  uint64
	Hash string
}

// CanonicalAudit returns the canonical JSON (RFC 8785) that an entry's hash is
// made of: all keys but hash and prev, in order, strings and integers only.
func CanonicalAudit(e fleet.AuditEntry) []byte {
	b := make([]byte, 0, 256)
	b = appendText(append(b, `{"action":`...), e.Action)
	b = append(b, `,"at":"`...)
	b = e.At.UTC().AppendFormat(b, auditTime)
	b = appendText(append(b, `","from":`...), e.From)
	b = appendText(append(b, `,"outcome":`...), e.Outcome)
	b = appendText(append(b, `,"reason":`...), e.Reason)
	b = strconv.AppendUint(append(b, `,"seq":`...), e.Seq, 10)
	b = appendText(append(b, `,"target":`...), e.Target)
	b = appendText(append(b, `,"who":`...), e.Who)
	return append(b, '}')
}

// appendText writes a JSON string as RFC 8785 section 3.2.2.2 wants it. The
// text has passed fleet.Clean, so the escapes for controls are for completeness.
func appendText(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= 0x20:
			b = append(b, c)
		default:
			if short := strings.IndexByte("\b\t\n\f\r", c); short >= 0 {
				b = append(b, '\\', "btnfr"[short])
			} else {
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
		}
	}
	return append(b, '"')
}

// AuditHash returns what the hash of an entry must be, given its prev.
func AuditHash(e fleet.AuditEntry) string {
	h := sha256.New()
	h.Write([]byte(e.Prev))
	h.Write([]byte{'\n'})
	h.Write(CanonicalAudit(e))
	return hex.EncodeToString(h.Sum(nil))
}

// chain numbers an entry, cleans its text, and links it to the head.
func (h *AuditHead) chain(e fleet.AuditEntry, now time.Time) fleet.AuditEntry {
	for _, text := range []*string{&e.Who, &e.From, &e.Action, &e.Target, &e.Outcome, &e.Reason} {
		*text = fleet.Clean(*text, maxAuditText)
	}
	if e.At.IsZero() {
		e.At = now
	}
	e.At = e.At.UTC().Round(0)
	e.Seq, e.Prev = h.Seq+1, h.Hash
	e.Hash = AuditHash(e)
	h.Seq, h.Hash = e.Seq, e.Hash
	return e
}

func putAudit(tx *bbolt.Tx, entries []fleet.AuditEntry, head *AuditHead, now time.Time) error {
	b := tx.Bucket(bucketAudit)
	b.FillPercent = 1 // keys only grow
	for _, e := range entries {
		e = head.chain(e, now)
		value, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if err := put(b, seqKey(e.Seq), value); err != nil {
			return err
		}
	}
	return nil
}

func readAuditEntry(k, raw []byte) (e fleet.AuditEntry, err error) {
	v, err := unseal(k, raw)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(v, &e); err != nil {
		return e, damaged("audit entry %x: %w", k, err)
	}
	if len(k) != 8 || e.Seq != binary.BigEndian.Uint64(k) {
		return e, damaged("audit entry %x says it is %d", k, e.Seq)
	}
	return e, nil
}

// Audit returns entries from fromSeq upwards, oldest first; limit 0 is all.
func (s *Store) Audit(ctx context.Context, fromSeq uint64, limit int) ([]fleet.AuditEntry, error) {
	var out []fleet.AuditEntry
	err := view(s.state, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketAudit).Cursor()
		for k, raw := c.Seek(seqKey(fromSeq)); k != nil && (limit <= 0 || len(out) < limit); k, raw = c.Next() {
			e, err := readAuditEntry(k, raw)
			if err != nil {
				return err
			}
			if out = append(out, e); len(out)%256 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return nil
	})
	return out, err
}

// auditUntil returns the newest entries at or before until, newest first.
func auditUntil(ctx context.Context, tx *bbolt.Tx, since, until time.Time, limit int) ([]fleet.AuditEntry, error) {
	var out []fleet.AuditEntry
	c := tx.Bucket(bucketAudit).Cursor()
	for k, raw := c.Last(); k != nil && len(out) < limit && ctx.Err() == nil; k, raw = c.Prev() {
		e, err := readAuditEntry(k, raw)
		if err != nil {
			return out, err
		}
		if e.At.Before(since) {
			break
		}
		if !e.At.After(until) {
			out = append(out, e)
		}
	}
	return out, ctx.Err()
}

// VerifyAudit walks the whole chain and returns its head. The error names the
// first entry that does not fit.
func (s *Store) VerifyAudit(ctx context.Context) (AuditHead, error) {
	head := AuditHead{Hash: firstPrev}
	err := view(s.state, func(tx *bbolt.Tx) error {
		var err error
		head, err = verifyChain(ctx, tx)
		return err
	})
	return head, err
}

func verifyChain(ctx context.Context, tx *bbolt.Tx) (AuditHead, error) {
	head := AuditHead{Hash: firstPrev}
	c := tx.Bucket(bucketAudit).Cursor()
	for k, raw := c.First(); k != nil; k, raw = c.Next() {
		e, err := readAuditEntry(k, raw)
		switch {
		case err != nil:
			return head, err
		case e.Seq != head.Seq+1:
			return head, damaged("audit: entry %d is followed by %d", head.Seq, e.Seq)
		case e.Prev != head.Hash:
			return head, damaged("audit: entry %d does not name the hash of the one before it", e.Seq)
		case e.Hash != AuditHash(e):
			return head, damaged("audit: entry %d does not have the hash of what it says", e.Seq)
		case ctx.Err() != nil:
			return head, ctx.Err()
		}
		head = AuditHead{Seq: e.Seq, Hash: e.Hash}
	}
	mark, err := readMark(tx)
	if err == nil && mark.audit != head {
		err = damaged("audit: the chain ends at %d, the last batch says %d", head.Seq, mark.audit.Seq)
	}
	return head, err
}
