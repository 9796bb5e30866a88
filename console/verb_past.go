package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/views/export"
)

// eventsLimit bounds a list of events nobody bounded.
const eventsLimit = 1000

func (c *verbCall) limit(otherwise int) (int, error) {
	if c.flags["limit"] == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(c.flags["limit"])
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, usage("", "--limit %s: not a number from 1 to 1000000", fleet.Clean(c.flags["limit"], 20))
	}
	return n, nil
}

// span is how far back --since reaches.
func (c *verbCall) span(otherwise time.Duration) (time.Duration, error) {
	if c.flags["since"] == "" {
		return otherwise, nil
	}
	t, err := ParseTime(c.flags["since"], c.now)
	if err != nil {
		return 0, usage("RFC 3339, HH:MM[:SS] (UTC) or -2h", "--since: %v", err)
	}
	return max(c.now.Sub(t), time.Second), nil
}

func runEvents(ctx context.Context, v *Verbs, c *verbCall) error {
	if err := c.atMost(1); err != nil {
		return err
	}
	limit, err := c.limit(eventsLimit)
	if err != nil {
		return err
	}
	span, err := c.span(0)
	if err != nil {
		return err
	}
	q := fleet.Query{Kind: fleet.QueryEvents, Span: span, Limit: limit}
	if len(c.words) == 1 {
		q.Target = c.words[0]
	}
	a := v.Memory.Answer(ctx, q, c.now)
	if a.Err != nil {
		return fmt.Errorf("events: %w", a.Err)
	}
	if q.Target != "" && len(a.Events) == 0 {
		// What left the inventory still has its events; what has neither is a
		// slip of the fingers.
		s, err := v.shown(c)
		if err != nil {
			return err
		}
		if _, err := deviceOf(s, q.Target); err != nil && !known(s, q.Target) {
			return err
		}
	}
	c.lost = a.Lost
	return write(c, c.now, a.Events, "id", "raw", "asserted")
}

// workloadSeries are the series of a service whose workload is asked.
func workloadSeries(v *fleet.Service) []fleet.SeriesKey {
	if v.Spec.Health == nil {
		return nil
	}
	return []fleet.SeriesKey{{Table: fleet.TableSensors, Row: fleet.SensorLatency}, {Table: fleet.TableSensors, Row: fleet.SensorHealth, Field: fleet.FieldState}}
}

// known reports whether an id is that of something that is no device.
func known(s *fleet.Snapshot, id string) bool {
	return s.Clouds.Get(id) != nil || s.Services.Get(id) != nil || s.Instances.Get(id) != nil || s.Racks.Get(id) != nil || s.Regions.Get(id) != nil
}

func runSeries(ctx context.Context, v *Verbs, c *verbCall) error {
	if err := c.want(1, "one DEVICE/SENSOR"); err != nil {
		return err
	}
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	target, key, err := fleet.SplitSeries(c.words[0])
	if err != nil {
		return usage("sensors DEVICE --json lists the ids", "series: %s: not DEVICE/SENSOR", fleet.Clean(c.words[0], 80))
	}
	var keys []fleet.SeriesKey
	if v := s.Services.Get(target); v != nil {
		keys = workloadSeries(v)
	} else if d, err := deviceOf(s, target); err != nil {
		return err
	} else {
		keys = d.Series
	}
	span, err := c.span(time.Hour)
	if err != nil {
		return err
	}
	q := fleet.Query{Kind: fleet.QuerySeries, Target: target, Key: key, Span: span}
	if step := c.flags["step"]; step != "" {
		if q.Step, err = ParseDuration(step); err != nil || q.Step <= 0 {
			return usage("30s, 5m, 1h", "--step %s: not a duration", fleet.Clean(step, 20))
		}
	}
	a := v.Memory.Answer(ctx, q, c.now)
	if a.Err != nil {
		return fmt.Errorf("series %s: %w", c.words[0], a.Err)
	}
	if len(a.Points) == 0 && !slices.Contains(keys, key) {
		names := make([]string, len(keys))
		for i, k := range keys {
			names[i] = target + "/" + k.String()
		}
		hint := "sensors " + target + " --json lists the ids"
		if near := export.Closest(names, c.words[0]); near != "" {
			hint = "did you mean " + near + "?"
		}
		return &Failure{"unknown", fmt.Sprintf("series %s: no such series", fleet.Clean(c.words[0], 80)), hint}
	}
	type point struct {
		At    time.Time `json:"at"`
		Value fleet.Num `json:"value"`
		Min   fleet.Num `json:"min"`
		Max   fleet.Num `json:"max"`
		Count int       `json:"count"`
	}
	rows := make([]point, 0, len(a.Points))
	for _, p := range a.Points {
		rows = append(rows, point{p.At(), p.Mean, p.Min, p.Max, p.Count})
	}
	c.lost = a.Lost
	return write(c, c.now, rows)
}

func runJobs(ctx context.Context, v *Verbs, c *verbCall) error {
	a := v.Memory.Answer(ctx, fleet.Query{Kind: fleet.QueryJobs, Limit: eventsLimit}, c.now)
	if a.Err != nil {
		return fmt.Errorf("jobs: %w", a.Err)
	}
	if err := c.atMost(1); err != nil {
		return err
	}
	if len(c.words) == 1 {
		a.Jobs = slices.DeleteFunc(slices.Clone(a.Jobs), func(j fleet.Job) bool { return j.ID != c.words[0] })
		if len(a.Jobs) == 0 {
			return &Failure{"unknown", fmt.Sprintf("%s: no such job", fleet.Clean(c.words[0], 40)), "jobs lists them"}
		}
	}
	return write(c, c.now, a.Jobs, "plan", "steps", "planned", "broke_glass", "undoes", "asks", "left")
}

func runAudit(ctx context.Context, v *Verbs, c *verbCall) error {
	from := uint64(1)
	if s := c.flags["from"]; s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return usage("", "--from %s: not a sequence number", fleet.Clean(s, 20))
		}
		from = n
	}
	var rows []fleet.AuditEntry
	for {
		part, err := v.Memory.Audit(ctx, from, 10_000)
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		rows = append(rows, part...)
		if len(part) < 10_000 {
			break
		}
		from = part[len(part)-1].Seq + 1
	}
	return write(c, c.now, rows, "hash", "prev")
}

// runWatch prints what changed between the snapshots it gets to see. It skips
// snapshots rather than hold anyone up.
func runWatch(ctx context.Context, v *Verbs, c *verbCall) error {
	if v.Watch == nil {
		return &Failure{"unavailable", "watch: nothing to watch in this process", ""}
	}
	w := v.Watch()
	defer w.Close()
	var gone error
	eachChange(ctx, w, func(line []byte) bool {
		if _, err := c.Stdout.Write(line); err != nil {
			gone = io.ErrClosedPipe
		}
		return gone == nil
	})
	return gone // nil: the reader left, or plumb ends
}

// say prints one sentence, or the same as an object.
func (c *verbCall) say(text string, v any) error {
	if c.format != export.Text {
		return export.Object(c.Stdout, c.format, c.now, v)
	}
	_, err := fmt.Fprintln(c.Stdout, text)
	return err
}

func runBackup(ctx context.Context, v *Verbs, c *verbCall) error {
	if v.Backup == nil {
		return &Failure{"unavailable", "backup: no store in this process", ""}
	}
	if err := c.want(1, "a new directory"); err != nil {
		return err
	}
	dir, err := filepath.Abs(c.words[0]) // as seen by the process that writes it, and said so
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := v.Backup(ctx, dir); err != nil {
		return &Failure{"failed", err.Error(), "name a directory that is not there yet, where the process that owns the store may write"}
	}
	return c.say("backup written to "+dir, struct {
		Dir string `json:"dir"`
	}{dir})
}

func runVerify(ctx context.Context, v *Verbs, c *verbCall) error {
	if v.Verify == nil {
		return &Failure{"unavailable", "verify: no store in this process", ""}
	}
	verify := v.Verify
	if file := c.flags["audit"]; file != "" {
		if v.VerifyAudit == nil {
			return &Failure{"unavailable", "verify --audit: no store in this process", ""}
		}
		verify = func(ctx context.Context, w io.Writer) error { return v.VerifyAudit(ctx, file, w) }
	}
	if c.format == export.Text {
		return verify(ctx, c.Stdout)
	}
	var text strings.Builder
	if err := verify(ctx, &text); err != nil {
		return fmt.Errorf("%w\n%s", err, text.String())
	}
	return c.say("", struct {
		Whole  bool     `json:"whole"`
		Report []string `json:"report"`
	}{true, strings.Split(strings.TrimSpace(text.String()), "\n")})
}

func runReload(ctx context.Context, v *Verbs, c *verbCall) error {
	if v.Reload == nil {
		return &Failure{"unavailable", "reload: this process was not started from a configuration file", ""}
	}
	later, err := v.Reload(ctx)
	if err != nil {
		return fmt.Errorf("reload: nothing was changed: %w", err)
	}
	text := "reloaded"
	if len(later) > 0 {
		text += "; waits for a restart: " + strings.Join(later, ", ")
	}
	return c.say(text, struct {
		Reloaded bool     `json:"reloaded"`
		Later    []string `json:"waits_for_restart"`
	}{true, append([]string{}, later...)})
}

// errTime says that text is no time.
var errTime = errors.New("not a time")

// ParseTime reads RFC 3339, a date and HH:MM[:SS] in UTC as screens write it,
// HH:MM[:SS] in UTC (the last one before now), or a distance back such as -2h or 2h.
func ParseTime(s string, now time.Time) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	s = strings.TrimSuffix(s, "Z")
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if s != "" && s[0] == '-' {
		d, err := ParseDuration(s[1:])
		if err != nil {
			return time.Time{}, err
		}
		return now.Add(-d), nil
	}
	if d, err := ParseDuration(s); err == nil && s != "" {
		return now.Add(-d), nil
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			now = now.UTC()
			at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
			if at.After(now) {
				at = at.AddDate(0, 0, -1)
			}
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %q", errTime, fleet.Clean(s, 40))
}

// ParseDuration reads s m h d w y, whole or with several parts: 90s, 1h30m, 2d.
func ParseDuration(s string) (time.Duration, error) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour, 'y': 365 * 24 * time.Hour}
	var total time.Duration
	rest := s
	for rest != "" {
		i := 0
		for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
			i++
		}
		if i == 0 || i > 9 || i == len(rest) || units[rest[i]] == 0 {
			return 0, fmt.Errorf("%w: %q is no duration", errTime, fleet.Clean(s, 40))
		}
		n, err := strconv.ParseInt(rest[:i], 10, 64)
		if err != nil || n > int64((1<<62)/units[rest[i]]) {
			return 0, fmt.Errorf("%w: %q is no duration", errTime, fleet.Clean(s, 40))
		}
		total += time.Duration(n) * units[rest[i]]
		rest = rest[i+1:]
	}
	if s == "" || total < 0 {
		return 0, fmt.Errorf("%w: %q is no duration", errTime, fleet.Clean(s, 40))
	}
	return total, nil
}
